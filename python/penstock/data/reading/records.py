"""Data sets of samples for training: `read_tfrecords`, `read_webdataset`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.reading.file_arguments import FileArguments
from penstock.data.reading.record_options import feature_kinds, patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from penstock.data.dataset import Dataset
    from penstock.data.reading.engine_options import EngineReadOptions
    from penstock.data.reading.file_arguments import PathFilter
    from penstock.data.reading.file_shuffle import FileShuffleConfig
    from penstock.data.reading.partitioning import Partitioning
    from penstock.data.reading.paths import Paths

    Names = Sequence[str] | Callable[[str], object] | None
    Renames = Callable[[str], str] | Sequence[Callable[[str], str]] | None


def read_tfrecords(
    paths: Paths,
    *,
    tf_schema: Any = None,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read TFRecord files of tf.train.Example: a row a record, a column a feature.

    A feature with one value a record is a column of values (int64, float or binary), else one of
    lists; where a record lacks it, it is null. Every checksum is checked. A long file that is not
    compressed is read in pieces, by all processors at once.

    Args:
        paths: see `read_csv`; of a folder, the files that end in .tfrecord or .tfrecords.
        tf_schema: a Schema of tensorflow_metadata, or what has its `feature`s with `name` and
            `type`: exactly these are allowed, and all are lists.
        filesystem: see `read_csv`; so are the other arguments and errors.
        partition_filter: see there.
        partitioning: see there.
        include_paths: see there.
        ignore_missing_paths: see there.
        shuffle: see there.
        file_extensions: see there.
        parallelism: see there.
        override_num_blocks: see there.
        options: see there.

    """
    files = FileArguments(
        operation="read_tfrecords",
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
    return files.dataset("tfrecord", {"features": feature_kinds(tf_schema)}, options)


def read_webdataset(
    paths: Paths,
    *,
    decoder: Any = True,
    fileselect: Names = None,
    filerename: Renames = None,
    suffixes: Names = None,
    verbose_open: bool = False,
    expand_json: bool = False,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read WebDataset archives (.tar): a row a sample, a column a suffix.

    A sample is the files of an archive that follow each other and whose names are one up to the
    first dot after the folders; `__key__` has that name, `__url__` the archive. What a sample lacks
    is null. Files whose own name has no dot, or begins with one, belong to none.

    Args:
        paths: see `read_csv`; of a folder, the files that end in .tar.
        decoder: True: workers decode files by what ends their suffix, as Ray does: txt, text, cls,
            cls2, json, npy, mp, and jpg, png, ppm, pgm, pbm, pnm (by Pillow) as arrays; all else
            stays bytes. None or False: all stay bytes. A function takes and returns the sample as
            a dict; of a list, one after the other. What pickle loads (pkl, pt) is never loaded.
        fileselect: which files are read: patterns (`*`, `?`) or whole names, or a function.
        filerename: a function, or a list of them, that returns a file's new name. With it, or a
            function as `fileselect`, an archive is held whole, and has at most 1 GiB.
        suffixes: which suffixes samples have: patterns, or a function.
        verbose_open: write the name of each archive that is opened to the standard error.
        expand_json: make the fields of each sample's file "json" columns.
        filesystem: see `read_csv`; so are the other arguments and errors.
        partition_filter: see there.
        partitioning: see there.
        include_paths: see there.
        ignore_missing_paths: see there.
        shuffle: see there.
        file_extensions: see there.
        parallelism: see there.
        override_num_blocks: see there.
        options: see there.

    Raises:
        ValueError: while it runs: a file that is not what its suffix says.

    """
    from penstock.data.python_sources.webdataset import DecodeSamples, GroupSamples, KeepSuffixes

    renames = _functions(filerename)
    groups = bool(renames) or callable(fileselect)
    files = FileArguments(
        operation="read_webdataset",
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
    reader = {
        "archives": groups,
        "verbose": verbose_open,
        "select": None if groups else patterns("fileselect", fileselect),
        "suffixes": None if groups or callable(suffixes) else patterns("suffixes", suffixes),
    }
    dataset = files.dataset("webdataset", reader, options)
    decode = DecodeSamples(_decoders(decoder), expand_json=expand_json)
    if groups:
        return dataset.flat_map(
            GroupSamples(
                decode,
                rename=renames,
                select=fileselect if callable(fileselect) else patterns("fileselect", fileselect),
                suffixes=suffixes if callable(suffixes) else patterns("suffixes", suffixes),
            )
        )
    if callable(suffixes):
        return dataset.map(KeepSuffixes(decode, suffixes))
    return dataset.map(decode) if _decoders(decoder) or expand_json else dataset


def _decoders(decoder: Any) -> list[Any]:
    if decoder is None or decoder is False:
        return []
    return list(decoder) if isinstance(decoder, list | tuple) else [decoder]


def _functions(filerename: Renames) -> list[Callable[[str], str]]:
    if filerename is None:
        return []
    functions = [filerename] if callable(filerename) else list(filerename)
    for function in functions:
        if not callable(function):
            raise TypeError(
                "filerename must be a function that returns a file's new name, or a list of them; "
                f"got: {function!r}"
            )
    return functions
