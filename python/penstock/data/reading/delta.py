"""`read_delta`, and what `ds.write_delta` does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from penstock.data import arguments
from penstock.data.optional import require
from penstock.data.reading.custom import read_datasource
from penstock.data.reading.paths import path_text
from penstock.data.writing.save_mode import SaveMode
from penstock.data.writing.stream import write_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    import pyarrow as pa

    from penstock.data.dataset import Dataset
    from penstock.data.reading.read_options import ReadOptions

_MODES = ("append", "overwrite", "ignore", "error", "create")
_PLAIN_READER_VERSION = 1  # The table has neither deletion vectors nor mapped columns.


def read_delta(
    path: str | os.PathLike[str],
    version: int | None = None,
    *,
    storage_options: Mapping[str, str] | None = None,
    catalog: Any = None,
    columns: Sequence[str] | None = None,
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
        options: those of `read_datasource`, such as `concurrency` and `override_num_blocks`.

    Raises:
        ImportError: deltalake is not installed.

    """
    require("deltalake", extra="delta", needed_by="read_delta")
    from penstock.data.python_sources.delta import DeltaDatasource

    arguments.refuse("read_delta", {"catalog": catalog})
    chosen = None if columns is None else arguments.column_list("columns", columns)
    source = DeltaDatasource(
        path_text(path), version=version, storage_options=storage_options, columns=chosen
    )
    native = _native(source, options)
    if native is None:
        return read_datasource(source, **options)
    return native if chosen is None else native.select_columns(chosen)


def _native(source: Any, options: ReadOptions) -> Dataset | None:
    """Return the table as Parquet files; None where that might not be the table's rows."""
    table = source.open()
    files = [unquote(file) for file in table.file_uris()]
    if (
        not files
        or table.protocol().min_reader_version > _PLAIN_READER_VERSION
        or table.metadata().partition_columns
        or not all(os.path.isabs(file) for file in files)  # noqa: PTH117 - as text; URIs are not
        or not options.keys() <= {"parallelism", "override_num_blocks", "concurrency"}
    ):
        return None
    import pyarrow as pa

    from penstock.data.reading.columnar import read_parquet

    dataset = read_parquet(
        files,
        parallelism=options.get("parallelism", -1),
        override_num_blocks=options.get("override_num_blocks"),
    )
    schema = dataset.schema()
    if schema is None or pa.schema(schema.base_schema) != pa.schema(table.schema()):
        return None
    return dataset


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
    wanted = mode.value if isinstance(mode, SaveMode) else str(mode).lower()
    if wanted not in _MODES:
        raise ValueError(f"write_delta knows the modes {', '.join(_MODES)}; got: {mode!r}")

    if wanted == "ignore" and _is_there(path_text(path), storage_options):
        return

    def write(reader: pa.RecordBatchReader) -> None:
        from deltalake import write_deltalake

        from penstock.data.writing.tensor_lists import with_lists

        write_deltalake(
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
