"""Data sets of columnar files: `read_parquet`, `read_orc`, `read_feather`.

Reading is lazy: nothing but metadata is touched before the data set is consumed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from penstock.data import arguments
from penstock.data.reading.file_arguments import HIVE, FileArguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    import pyarrow as pa
    import pyarrow.compute as pc

    from penstock.data.dataset import Dataset
    from penstock.data.expressions import Expr
    from penstock.data.reading.engine_options import EngineReadOptions, ParquetReadOptions
    from penstock.data.reading.file_arguments import PathFilter
    from penstock.data.reading.file_shuffle import FileShuffleConfig
    from penstock.data.reading.partitioning import Partitioning
    from penstock.data.reading.paths import Paths


# Of Ray's `arrow_parquet_args` what says how pyarrow goes about it, and so changes no row.
_SCAN_OPTIONS = frozenset(
    {
        "batch_readahead",
        "batch_size",
        "cache_metadata",
        "fragment_readahead",
        "memory_pool",
        "use_threads",
    }
)


def read_parquet(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    skip_paths: Sequence[str] | None = None,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = HIVE,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    filter: Expr | pc.Expression | str | None = None,
    schema: pa.Schema | None = None,
    tensor_column_schema: Mapping[str, tuple[Any, Sequence[int]]] | None = None,
    include_row_hash: bool = False,
    **options: Unpack[ParquetReadOptions],
) -> Dataset:
    """Read Parquet files.

    Files whose columns differ are read as one: columns by name, in the order of the first file and
    then of those that add some; null where a file lacks a column; integers and floats in the type
    that holds both.

    Args:
        paths: a path, glob or URI, or several; folders are searched through. Of a local folder that
            a job with a ledger writes or has written what is on record is read; a glob
            (`scores/*.parquet`) takes what lies there.
        columns: read only these columns, in this order.
        skip_paths: files to leave out, and folders with all that lies below them.
        filter: read only the rows for which this expression is true: of `penstock.data.col`, of
            `pyarrow.compute.field`, or its text. Row groups that have none are skipped by their
            statistics, and files that have none by what the folders' names tell: they are not
            opened at all.
        schema: the columns, in this order and of these types, whatever the files say: what a file
            lacks is null, other types are cast. No file is opened to find them.
        tensor_column_schema: for columns whose values are the bytes of arrays, their dtype and
            shape: {"image": (np.uint8, (32, 32, 3))}. They become tensor columns.
        include_row_hash: add a column "row_hash" (uint64) that follows from the file's path and the
            row's position in the file alone; it takes the place of one in the files.
        filesystem: one of pyarrow's or fsspec's that the paths are on; None: they say.
        partition_filter: takes the list of files and returns those to read, such as a
            `PathPartitionFilter`.
        partitioning: what columns the folders' names tell; None: none.
        include_paths: add a column "path" with the file that each row came from.
        ignore_missing_paths: leave out paths that do not exist.
        shuffle: "files", or a `FileShuffleConfig`: read the files in an order drawn at random.
        file_extensions: leave out files with other endings; None: leave out those that a folder
            holds besides the format's own.
        parallelism: older name of `override_num_blocks`; -1: not set.
        override_num_blocks: in how many pieces the input is read: neighbouring row groups, of
            several files too, are read together. There are no more pieces than row groups.
        options: `concurrency` (pieces read at once), `num_cpus`, `num_gpus`, `memory`,
            `ray_remote_args` and `arrow_open_stream_args` ({"compression": ...}), see
            `EngineReadOptions` (`penstock.data.reading.engine_options`). Of Ray's
            `arrow_parquet_args` those that say how pyarrow is to go about it change nothing:
            `batch_size`, `use_threads`, `batch_readahead`, `fragment_readahead`, `cache_metadata`,
            `memory_pool`.

    Raises:
        NotImplementedError: an option or a file system that this version does not support, or a
            filter of pyarrow's with a function that has no form here.
        TypeError: `schema` or `filter` is something else.
        ValueError: no path, or a number below 1.

    """
    reader: dict[str, Any] = {
        "schema": None if schema is None else _schema_option(schema),
        "tensor_columns": None if tensor_column_schema is None else _tensors(tensor_column_schema),
        "row_hash": include_row_hash,
    }
    if skip_paths is not None:
        partition_filter = _Skip(skip_paths, partition_filter)
    _check_scan_options(options)
    others: Any = {name: value for name, value in options.items() if name not in _SCAN_OPTIONS}
    files = FileArguments(
        operation="read_parquet",
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
    dataset = files.dataset("parquet", reader, others)
    if filter is not None:
        dataset = dataset.filter(expr=filter)
    if columns is None:
        return dataset
    made = ["row_hash"] if include_row_hash and "row_hash" not in columns else []
    return dataset.select_columns([*columns, *made])


def read_orc(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = HIVE,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read ORC files, stripe by stripe.

    Files whose columns differ are read as one, as by `read_parquet`; its other arguments and errors
    hold here too. Timestamps without a zone are what their writer's clock showed; those with
    one are UTC.
    """
    files = FileArguments(
        operation="read_orc",
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
    return files.dataset("orc", {}, options, columns=columns)


def read_feather(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = HIVE,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read Arrow's IPC files (Feather version 2) and IPC streams, record batch by record batch.

    What a file begins with says which it is; a folder yields `.arrow`, `.arrows`, `.feather` and
    `.ipc`. Feather version 1 is refused, saying how to convert it.

    Files whose columns differ are read as one, as by `read_parquet`; its other arguments and errors
    hold here too.
    """
    files = FileArguments(
        operation="read_feather",
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
    return files.dataset("ipc", {}, options, columns=columns)


def _schema_option(schema: Any) -> list[tuple[str, str]]:
    from penstock.data.datatype import type_text

    names, types = getattr(schema, "names", None), getattr(schema, "types", None)
    if names is None or types is None:
        raise TypeError(f"schema must be a pyarrow.Schema; got: {schema!r}")
    return [(name, type_text(kind)) for name, kind in zip(names, types, strict=True)]


def _tensors(columns: Mapping[str, tuple[Any, Sequence[int]]]) -> dict[str, dict[str, Any]]:
    from penstock.data.datatype import DataType

    return {
        name: {"type": DataType.from_numpy(dtype).text, "shape": [int(size) for size in shape]}
        for name, (dtype, shape) in columns.items()
    }


def _check_scan_options(options: Mapping[str, Any]) -> None:
    for name in ("batch_size", "batch_readahead", "fragment_readahead"):
        if options.get(name) is not None:
            arguments.not_negative(name, options[name])
    for name in ("use_threads", "cache_metadata"):
        if not isinstance(options.get(name), bool | None):
            raise TypeError(f"{name} must be True or False; got: {options[name]!r}")


class _Skip:
    def __init__(self, skipped: Paths, then: PathFilter | None) -> None:
        listed = [skipped] if isinstance(skipped, str | os.PathLike) else skipped
        self._skipped = [_comparable(os.fspath(path)) for path in listed]
        self._then = then

    def __call__(self, paths: list[str]) -> list[str]:
        kept = [path for path in paths if not self._is_skipped(_comparable(path))]
        return kept if self._then is None else self._then(kept)

    def _is_skipped(self, path: str) -> bool:
        return any(path == skip or path.startswith(f"{skip}/") for skip in self._skipped)


def _comparable(path: str) -> str:
    """Return a path as one of this machine's is written in full, without a "/" at its end."""
    if path.startswith("file://"):
        return os.path.normpath(unquote(urlsplit(path).path))
    return path.rstrip("/") if "://" in path else str(Path(path).absolute())
