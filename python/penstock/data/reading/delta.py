"""`read_delta`, and what `ds.write_delta` does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from penstock.data import arguments
from penstock.data.optional import require
from penstock.data.reading.columnar import read_parquet
from penstock.data.reading.custom import read_datasource
from penstock.data.reading.engine_options import stream_codec
from penstock.data.reading.file_arguments import HIVE
from penstock.data.reading.file_shuffle import shuffle_seed
from penstock.data.reading.partitioning import check_partitioning
from penstock.data.reading.paths import path_text
from penstock.data.writing.save_mode import mode_among
from penstock.data.writing.stream import write_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    import pyarrow as pa
    import pyarrow.compute as pc

    from penstock.data.dataset import Dataset
    from penstock.data.expressions import Expr
    from penstock.data.reading.engine_options import EngineReadOptions
    from penstock.data.reading.file_arguments import PathFilter
    from penstock.data.reading.file_shuffle import FileShuffleConfig
    from penstock.data.reading.partitioning import Partitioning
    from penstock.data.reading.read_options import ReadOptions
    from penstock.data.writing.save_mode import SaveMode

_MODES = ("append", "overwrite", "ignore", "error", "create")
_PLAIN_READER_VERSION = 1  # The table has neither deletion vectors nor mapped columns.


def read_delta(
    path: str | os.PathLike[str],
    version: int | None = None,
    *,
    storage_options: Mapping[str, str] | None = None,
    catalog: Any = None,
    columns: Sequence[str] | None = None,
    filter: Expr | pc.Expression | str | None = None,
    schema: pa.Schema | None = None,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = HIVE,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    arrow_open_stream_args: Mapping[str, Any] | None = None,
    **options: Unpack[ReadOptions],
) -> Dataset:
    """Read a Delta Lake table.

    Its files are read by the engine where they alone are the table: a local one without
    partitions, deletion vectors and changes of its schema. Any other is read by the library
    deltalake, in worker processes.

    Args:
        path: where the table lies.
        version: its number; None: the newest when this is called.
        storage_options: passed to `deltalake.DeltaTable`.
        catalog: not supported yet.
        columns: read only these columns, in this order.
        filter: read only the rows for which this expression is true; see `read_parquet`.
        schema: see `read_parquet`; for tables that the engine reads alone.
        filesystem: one of pyarrow's or fsspec's that the table's files are on; None: the path says.
            The table's log is read by the library in any case.
        partition_filter: takes the list of the table's files and returns those to read.
        partitioning: only None and the default: the table says what its partitions are.
        include_paths: add a column "path" with the file that each row came from.
        ignore_missing_paths: leave out files of the table that are gone; for tables that the engine
            reads alone.
        shuffle: "files", or a `FileShuffleConfig`: read the files in an order drawn at random.
        file_extensions: leave out files with other endings.
        arrow_open_stream_args: checked, without effect: Parquet compresses within its files.
        options: those of `read_datasource`, such as `concurrency` and `override_num_blocks`.

    Raises:
        ImportError: deltalake is not installed.
        NotImplementedError: an option that this table cannot be read with; it is named.
        ValueError: no file is left.

    """
    require("deltalake", extra="delta", needed_by="read_delta")
    from penstock.data.python_sources.delta import DeltaDatasource, DeltaFiles

    arguments.refuse("read_delta", {"catalog": catalog})
    _refuse_others(partitioning, arrow_open_stream_args)
    chosen = None if columns is None else arguments.column_list("columns", columns)
    files = DeltaFiles(
        filesystem=filesystem,
        partition_filter=partition_filter,
        file_extensions=file_extensions,
        shuffle_seed=shuffle_seed(shuffle),
        include_paths=include_paths,
    )
    source = DeltaDatasource(
        path_text(path),
        version=version,
        storage_options=storage_options,
        columns=None if filter is not None or include_paths else chosen,
        files=files,
    )
    paths = _plain_files(source.open())
    if paths is None:
        engine_alone = {"schema": schema, "ignore_missing_paths": ignore_missing_paths}
        for name, value in engine_alone.items():
            if value is not None and value is not False:
                raise NotImplementedError(
                    f"read_delta has the library read this table, which has partitions, deletion "
                    f"vectors or a schema that has changed; leave it out: {name}"
                )
        dataset = read_datasource(source, **options)
    else:
        dataset = read_parquet(
            files.chosen(paths),
            filesystem=filesystem,
            schema=schema,
            partitioning=None,
            include_paths=include_paths,
            ignore_missing_paths=ignore_missing_paths,
            **cast("EngineReadOptions", options),
        )
    if filter is not None:
        dataset = dataset.filter(expr=filter)
    return dataset if chosen is None else dataset.select_columns(chosen)


def _refuse_others(
    partitioning: Partitioning | None, stream_args: Mapping[str, Any] | None
) -> None:
    if check_partitioning(partitioning) not in (None, HIVE):
        raise NotImplementedError(
            "A Delta table says itself what its partitions are; leave it out: partitioning"
        )
    if stream_codec("read_delta", stream_args) not in (None, "none"):
        raise NotImplementedError(
            "A Delta table's files are Parquet, which is not compressed as a whole; leave it out: "
            "arrow_open_stream_args['compression']"
        )


def _plain_files(table: Any) -> list[str] | None:
    """Return the files where they alone are the table's rows; None where they might not be."""
    files = [unquote(file) for file in table.file_uris()]
    if (
        not files
        or table.protocol().min_reader_version > _PLAIN_READER_VERSION
        or table.metadata().partition_columns
        or not all(os.path.isabs(file) for file in files)  # noqa: PTH117 - as text; URIs are not
    ):
        return None
    import pyarrow as pa

    schema = read_parquet(files, partitioning=None).schema()
    if schema is None or pa.schema(schema.base_schema) != pa.schema(table.schema()):
        return None
    return files


def write_delta(
    dataset: Dataset,
    path: str | os.PathLike[str],
    *,
    mode: SaveMode | str,
    partition_by: list[str] | str | None,
    storage_options: Mapping[str, str] | None,
    schema_mode: str | None,
    name: str | None,
    description: str | None,
) -> None:
    """Run the data set and write it as one version of a Delta table."""
    require("deltalake", extra="delta", needed_by="write_delta")
    wanted = mode_among("write_delta", mode, _MODES)
    if wanted == "ignore" and _is_there(path_text(path), storage_options):
        return

    def write(reader: pa.RecordBatchReader) -> None:
        import deltalake

        from penstock.data.writing.tensor_lists import with_lists

        table_writer: Any = deltalake.write_deltalake  # Its overloads know no mode in a variable.
        table_writer(
            path_text(path),
            with_lists(reader, "Delta"),
            mode="error" if wanted == "create" else wanted,
            partition_by=partition_by,
            storage_options=dict(storage_options) if storage_options else None,
            schema_mode=schema_mode if wanted in ("append", "overwrite") else None,
            name=name,
            description=description,
        )

    write_stream(dataset, write)


def _is_there(path: str, storage_options: Mapping[str, str] | None) -> bool:
    from deltalake import DeltaTable

    options = dict(storage_options) if storage_options else None
    return bool(DeltaTable.is_deltatable(path, options))
