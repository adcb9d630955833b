"""Data sets of files that are read whole: `read_binary_files`, `read_images`, `read_numpy`.

Reading is lazy, and files are listed while others are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.reading.file_arguments import FileArguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from penstock.data.dataset import Dataset
    from penstock.data.reading.engine_options import EngineReadOptions
    from penstock.data.reading.file_arguments import PathFilter
    from penstock.data.reading.file_shuffle import FileShuffleConfig
    from penstock.data.reading.partitioning import Partitioning
    from penstock.data.reading.paths import Paths


def read_binary_files(
    paths: Paths,
    *,
    filesystem: Any = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = None,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read each file as one row, its bytes in a column "bytes".

    Files that end in .gz, .gzip, .zst, .zstd, .bz2, .lz4 or .br are decompressed.

    Args:
        paths: a path, glob or URI, or several; folders are searched through.
        filesystem: one of pyarrow's or fsspec's that the paths are on; None: they say.
        include_paths: add a column "path" with the file that each row came from.
        ignore_missing_paths: leave out paths that do not exist.
        partition_filter: takes the list of files and returns those to read, such as a
            `PathPartitionFilter`.
        partitioning: what columns the folders' names tell, for which all files are listed before
            the first is read; None: none.
        shuffle: "files", or a `FileShuffleConfig`: read the files in an order drawn at random.
        file_extensions: leave out files with other endings; None: leave out those that a folder
            holds besides the format's own.
        parallelism: older name of `override_num_blocks`; -1: not set.
        override_num_blocks: in how many pieces the input is read.
        options: `concurrency` (pieces read at once), `num_cpus`, `num_gpus`, `memory`,
            `ray_remote_args` and `arrow_open_stream_args` ({"compression": ...}), see
            `EngineReadOptions` (`penstock.data.reading.engine_options`).

    Raises:
        NotImplementedError: an option that this version does not support.
        ValueError: no path, or a number below 1.

    """
    files = FileArguments(
        operation="read_binary_files",
        paths=paths,
        filesystem=filesystem,
        partition_filter=partition_filter,
        partitioning=partitioning,
        include_paths=include_paths,
        ignore_missing_paths=ignore_missing_paths,
        shuffle=shuffle,
        file_extensions=file_extensions,
        parallelism=parallelism,
        override_num_blocks=override_num_blocks,
    )
    return files.dataset("binary_files", {}, options)


def read_images(
    paths: Paths,
    *,
    size: tuple[int, int] | None = None,
    mode: str | None = None,
    arrow_open_file_args: Mapping[str, Any] | None = None,
    filesystem: Any = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = None,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read JPEG, PNG, WebP, GIF, BMP and TIFF files, one row each, in a column "image".

    Images are arrays of uint8 in the shape (height, width, channels), gray ones (height, width).
    With `size` and `mode` all have one shape. Without `mode`, if one of the first 16 images has
    channels, gray ones have one too. Of animations the first picture is read.

    Args:
        paths: see `read_binary_files`.
        size: height and width that all images are brought to, as Pillow's BILINEAR does.
        mode: "L", "LA", "RGB" or "RGBA" that all images are brought to; None: each its own, where
            palettes count as colours and 16 bits as 8.
        arrow_open_file_args: another name of `arrow_open_stream_args`.
        filesystem: see there.
        include_paths: see `read_binary_files`; so are the other arguments and errors.
        ignore_missing_paths: see there.
        partition_filter: see there.
        partitioning: see there.
        shuffle: see there.
        file_extensions: see there; None: those of the six formats.
        parallelism: see there.
        override_num_blocks: see there.
        options: see there.

    Raises:
        ValueError: `size` is not two positive numbers, `mode` is none of those, or one thing is
            said by two names.

    """
    files = FileArguments(
        operation="read_images",
        paths=paths,
        filesystem=filesystem,
        partition_filter=partition_filter,
        partitioning=partitioning,
        include_paths=include_paths,
        ignore_missing_paths=ignore_missing_paths,
        shuffle=shuffle,
        file_extensions=file_extensions,
        parallelism=parallelism,
        override_num_blocks=override_num_blocks,
    )
    reader: dict[str, Any] = {"size": None if size is None else _image_size(size), "mode": mode}
    return files.dataset("images", reader, _image_options(options, arrow_open_file_args))


def read_numpy(
    paths: Paths,
    *,
    allow_pickle: bool = False,
    filesystem: Any = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = None,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read .npy files; an array's first dimension is the rows of a column "data".

    Numbers, times (in hours, days and weeks as seconds) and, in arrays of one dimension, text and
    bytes. All files must have the type and the other dimensions of the first. Arrays of Python
    objects are never loaded, since loading them may run any code: `allow_pickle=True` is refused.
    The other arguments and errors are those of `read_binary_files`.
    """
    if allow_pickle:
        raise NotImplementedError(
            "read_numpy never unpickles, since that may run any code in the file; save the arrays "
            "with a type of numbers and leave it out: allow_pickle"
        )
    files = FileArguments(
        operation="read_numpy",
        paths=paths,
        filesystem=filesystem,
        partition_filter=partition_filter,
        partitioning=partitioning,
        include_paths=include_paths,
        ignore_missing_paths=ignore_missing_paths,
        shuffle=shuffle,
        file_extensions=file_extensions,
        parallelism=parallelism,
        override_num_blocks=override_num_blocks,
    )
    return files.dataset("numpy", {}, options)


def _image_options(
    options: EngineReadOptions, file_args: Mapping[str, Any] | None
) -> EngineReadOptions:
    if file_args is None:
        return options
    if options.get("arrow_open_stream_args") is not None:
        raise ValueError(
            "arrow_open_file_args and arrow_open_stream_args are two names for one thing; give one "
            "of them"
        )
    return {**options, "arrow_open_stream_args": file_args}


def _image_size(size: object) -> list[int]:
    if not isinstance(size, list | tuple) or len(size) != 2:  # noqa: PLR2004 - height and width
        raise ValueError(f"size must be two numbers, height and width; got: {size!r}")
    return [arguments.at_least_one("size", number) for number in size]
