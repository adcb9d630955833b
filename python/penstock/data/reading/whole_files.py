"""Data sets of files that are read whole: `read_binary_files`, `read_images`, `read_numpy`.

Reading is lazy, and files are listed while others are read.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock._core import LogicalPlan
from penstock.data import arguments
from penstock.data.context import DataContext
from penstock.data.dataset import Dataset
from penstock.data.reading.file_systems import place, retried_errors
from penstock.data.reading.splits import wished_splits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock.data.reading.paths import Paths

    PathFilter = Callable[[list[str]], list[str]]

_SEEDS = 2**31


@dataclass(frozen=True)
class FileShuffleConfig:
    """The order of files is drawn from `seed`; None: another one each time."""

    seed: int | None = None

    def __post_init__(self) -> None:
        """Check the seed.

        Raises:
            ValueError: negative or not an integer.

        """
        if self.seed is not None:
            arguments.not_negative("seed", self.seed)


def read_binary_files(
    paths: Paths,
    *,
    filesystem: Any = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    partition_filter: PathFilter | None = None,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Any,
) -> Dataset:
    """Read each file as one row, its bytes in a column "bytes".

    Files that end in .gz, .zst, .bz2 or .lz4 are decompressed.

    Args:
        paths: a path, glob or URI, or several; folders are searched through.
        filesystem: one of pyarrow's or fsspec's that the paths are on; None: they say.
        include_paths: add a column "path" with the file that each row came from.
        ignore_missing_paths: leave out paths that do not exist.
        partition_filter: takes the list of files and returns those to read.
        shuffle: "files", or a `FileShuffleConfig`: read the files in an order drawn at random.
        file_extensions: leave out files with other endings; None: leave out those that a folder
            holds besides the format's own.
        parallelism: older name of `override_num_blocks`; -1: not set.
        override_num_blocks: in how many pieces the input is read.
        options: Ray's other options; only None and False are accepted.

    Raises:
        NotImplementedError: an option that this version does not support.
        ValueError: no path, or a number below 1.

    """
    files = _Files(
        "read_binary_files",
        paths,
        filesystem,
        include_paths,
        ignore_missing_paths,
        file_extensions,
        shuffle,
    )
    arguments.refuse("read_binary_files", options)
    return files.dataset("binary_files", {}, partition_filter, parallelism, override_num_blocks)


def read_images(
    paths: Paths,
    *,
    size: tuple[int, int] | None = None,
    mode: str | None = None,
    filesystem: Any = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    partition_filter: PathFilter | None = None,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Any,
) -> Dataset:
    """Read JPEG, PNG, WebP, GIF, BMP and TIFF files, one row each, in a column "image".

    Images are arrays of uint8 in the shape (height, width, channels), gray ones (height, width).
    With `size` and `mode` all have one shape. Without `mode`, if the first image has channels,
    gray ones have one too. Of animations the first picture is read.

    Args:
        paths: see `read_binary_files`.
        size: height and width that all images are brought to, as Pillow's BILINEAR does.
        mode: "L", "LA", "RGB" or "RGBA" that all images are brought to; None: each its own, where
            palettes count as colours and 16 bits as 8.
        filesystem: see there.
        include_paths: see `read_binary_files`; so are the other arguments and errors.
        ignore_missing_paths: see there.
        partition_filter: see there.
        shuffle: see there.
        file_extensions: see there; None: those of the six formats.
        parallelism: see there.
        override_num_blocks: see there.
        options: see there.

    Raises:
        ValueError: `size` is not two positive numbers, or `mode` is none of those.

    """
    files = _Files(
        "read_images",
        paths,
        filesystem,
        include_paths,
        ignore_missing_paths,
        file_extensions,
        shuffle,
    )
    arguments.refuse("read_images", options)
    reader: dict[str, Any] = {"size": None if size is None else _image_size(size), "mode": mode}
    return files.dataset("images", reader, partition_filter, parallelism, override_num_blocks)


def read_numpy(
    paths: Paths,
    *,
    allow_pickle: bool = False,
    filesystem: Any = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    partition_filter: PathFilter | None = None,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Any,
) -> Dataset:
    """Read .npy files of numbers; an array's first dimension is the rows of a column "data".

    All files must have the type and the other dimensions of the first. Arrays of Python objects
    are never loaded, since loading them may run any code: `allow_pickle=True` is refused.
    The other arguments and errors are those of `read_binary_files`.
    """
    if allow_pickle:
        raise NotImplementedError(
            "read_numpy never unpickles, since that may run any code in the file; save the arrays "
            "with a type of numbers and leave it out: allow_pickle"
        )
    files = _Files(
        "read_numpy",
        paths,
        filesystem,
        include_paths,
        ignore_missing_paths,
        file_extensions,
        shuffle,
    )
    arguments.refuse("read_numpy", options)
    return files.dataset("numpy", {}, partition_filter, parallelism, override_num_blocks)


@dataclass(frozen=True)
class _Files:
    """Which files are read, in what order."""

    operation: str
    paths: Paths
    filesystem: Any
    include_paths: bool
    ignore_missing_paths: bool
    file_extensions: Sequence[str] | None
    shuffle: str | FileShuffleConfig | None

    def dataset(
        self,
        kind: str,
        reader: dict[str, Any],
        partition_filter: PathFilter | None,
        parallelism: int,
        override_num_blocks: int | None,
    ) -> Dataset:
        """Return the data set that a kind of reader makes of the files."""
        extensions = None if self.file_extensions is None else list(self.file_extensions)
        placed = place(
            self.operation, self.paths, self.filesystem, comes_back=partition_filter is not None
        )
        options = {
            **reader,
            **retried_errors(),
            "paths": placed.paths,
            "include_paths": self.include_paths,
            "ignore_missing_paths": self.ignore_missing_paths,
            "file_extensions": extensions,
            "shuffle_seed": shuffle_seed(self.shuffle),
        }
        if partition_filter is not None:
            listed = LogicalPlan.read(
                kind, json.dumps({**options, "shuffle_seed": None}), placed.file_system
            ).files()
            chosen = list(partition_filter(listed))
            if not chosen:
                raise ValueError(f"partition_filter left no file to read; files: {len(listed)}")
            options["paths"] = chosen
        plan = LogicalPlan.read(kind, json.dumps(options), placed.file_system)
        splits = wished_splits(parallelism, override_num_blocks)
        if splits is not None:
            plan = plan.with_splits(splits)
        return Dataset(plan, DataContext.get_current().copy())


def shuffle_seed(shuffle: str | FileShuffleConfig | None) -> int | None:
    """Return the seed that the order of files is drawn from; None: they keep their order.

    Raises:
        ValueError: neither "files" nor a `FileShuffleConfig`.

    """
    if shuffle is None:
        return None
    if shuffle == "files":
        shuffle = FileShuffleConfig()
    if not isinstance(shuffle, FileShuffleConfig):
        raise ValueError(  # noqa: TRY004 - a wrong text is as wrong as a wrong type
            f'shuffle must be None, "files" or a FileShuffleConfig; got: {shuffle!r}'
        )
    return secrets.randbelow(_SEEDS) if shuffle.seed is None else shuffle.seed


def _image_size(size: tuple[int, int]) -> list[int]:
    numbers = [arguments.at_least_one("size", number) for number in size]
    if len(numbers) != 2:  # noqa: PLR2004 - height and width
        raise ValueError(f"size must be height and width; got: {size!r}")
    return numbers
