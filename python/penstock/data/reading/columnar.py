"""Data sets of columnar files: `read_parquet`, `read_orc`, `read_feather`.

Reading is lazy: nothing but metadata is touched before the data set is consumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.reading.file_arguments import HIVE, FileArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.data.dataset import Dataset
    from penstock.data.expressions import Expr
    from penstock.data.reading.file_arguments import PathFilter
    from penstock.data.reading.partitioning import Partitioning
    from penstock.data.reading.paths import Paths
    from penstock.data.reading.whole_files import FileShuffleConfig


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
    filter: Expr | str | None = None,
    **options: Any,
) -> Dataset:
    """Read Parquet files.

    Files whose columns differ are read as one: columns by name, in the order of the first file and
    then of those that add some; null where a file lacks a column; integers and floats in the type
    that holds both.

    Args:
        paths: a path, glob or URI, or several; folders are searched through.
        columns: read only these columns, in this order.
        skip_paths: files to leave out.
        filter: read only the rows for which this expression (`penstock.data.col`, or its text) is
            true; row groups that have none are skipped by their statistics.
        filesystem: None: the paths say. This machine's file system of pyarrow or fsspec is
            accepted; others are named by URIs.
        partition_filter: takes the list of files and returns those to read, such as a
            `PathPartitionFilter`.
        partitioning: what columns the folders' names tell; None: none.
        include_paths: add a column "path" with the file that each row came from.
        ignore_missing_paths: leave out paths that do not exist.
        shuffle: "files", or a `FileShuffleConfig`: read the files in an order drawn at random.
        file_extensions: leave out files with other endings; None: leave out those that a folder
            holds besides the format's own.
        parallelism: older name of `override_num_blocks`; -1: not set.
        override_num_blocks: in about how many pieces the input is read, as far as it can be cut.
        options: Ray's other options; only None and False are accepted.

    Raises:
        NotImplementedError: an option or a file system that this version does not support.
        ValueError: no path, or a number below 1.

    """
    if filter is not None and not isinstance(filter, str) and not _is_expression(filter):
        raise NotImplementedError(
            "read_parquet takes a filter made with penstock.data.col, or a text such as 'n > 5'; "
            f"got: {type(filter).__name__}"
        )
    if skip_paths is not None:
        partition_filter = _Skip(frozenset(skip_paths), partition_filter)
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
    dataset = files.dataset("parquet", {}, options)
    if filter is not None:
        dataset = dataset.filter(expr=filter)
    return dataset if columns is None else dataset.select_columns(list(columns))


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
    **options: Any,
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
    **options: Any,
) -> Dataset:
    """Read files of Arrow's IPC format (Feather version 2), record batch by record batch.

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


def _is_expression(value: object) -> bool:
    from penstock.data.expressions import Expr

    return isinstance(value, Expr)


class _Skip:
    def __init__(self, skipped: frozenset[str], then: PathFilter | None) -> None:
        self._skipped = skipped
        self._then = then

    def __call__(self, paths: list[str]) -> list[str]:
        kept = [path for path in paths if path not in self._skipped]
        return kept if self._then is None else self._then(kept)
