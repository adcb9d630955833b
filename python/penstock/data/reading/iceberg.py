"""`read_iceberg`, and what `ds.write_iceberg` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.optional import require
from penstock.data.reading.custom import read_datasource
from penstock.data.writing.save_mode import mode_among
from penstock.data.writing.stream import write_stream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    import pyarrow as pa

    from penstock.data.dataset import Dataset
    from penstock.data.reading.read_options import ReadOptions
    from penstock.data.writing.save_mode import SaveMode

_MODES = ("append", "overwrite", "upsert", "ignore", "error", "create")


def read_iceberg(
    *,
    table_identifier: str | tuple[str, ...],
    row_filter: Any = None,
    selected_fields: tuple[str, ...] = ("*",),
    snapshot_id: int | None = None,
    scan_kwargs: Mapping[str, Any] | None = None,
    catalog_kwargs: Mapping[str, Any] | None = None,
    catalog: Any = None,
    **options: Unpack[ReadOptions],
) -> Dataset:
    """Read an Iceberg table with the library pyiceberg, in worker processes.

    Args:
        table_identifier: the table's name, such as "default.taxi".
        row_filter: an expression of pyiceberg's, or its text.
        selected_fields: read only these columns.
        snapshot_id: a snapshot; None: the newest when this is called.
        scan_kwargs: passed to the table's `scan`.
        catalog_kwargs: passed to `pyiceberg.catalog.load_catalog`.
        catalog: a catalog that is loaded already, instead of `catalog_kwargs`.
        options: those of `read_datasource`, such as `concurrency` and `override_num_blocks`, and
            what one worker takes: `num_cpus`, `num_gpus`, `memory`, `resources`.

    Raises:
        ImportError: pyiceberg is not installed.
        ValueError: `scan_kwargs` has a limit.

    """
    require("pyiceberg", extra="iceberg", needed_by="read_iceberg")
    from penstock.data.python_sources.iceberg import IcebergDatasource

    table = _catalog(catalog, catalog_kwargs).load_table(table_identifier)
    source = IcebergDatasource(
        table,
        row_filter=row_filter,
        selected_fields=tuple(selected_fields),
        snapshot_id=snapshot_id,
        scan_kwargs=scan_kwargs,
    )
    return read_datasource(source, **options)


def write_iceberg(
    dataset: Dataset,
    table_identifier: str | tuple[str, ...],
    *,
    catalog_kwargs: Mapping[str, Any] | None,
    catalog: Any,
    snapshot_properties: Mapping[str, str] | None,
    mode: SaveMode | str,
    overwrite_filter: Any,
    upsert_kwargs: Mapping[str, Any] | None,
    overwrite_kwargs: Mapping[str, Any] | None,
) -> None:
    """Run the data set and write it to an Iceberg table that exists, in one transaction."""
    require("pyiceberg", extra="iceberg", needed_by="write_iceberg")
    name = mode_among("write_iceberg", mode, _MODES)
    _only_with("overwrite", name, "overwrite_filter", overwrite_filter)
    _only_with("overwrite", name, "overwrite_kwargs", overwrite_kwargs)
    _only_with("upsert", name, "upsert_kwargs", upsert_kwargs)
    table = _catalog(catalog, catalog_kwargs).load_table(table_identifier)
    if name in ("error", "create", "ignore") and any(True for _ in table.scan().plan_files()):
        if name == "ignore":
            return
        raise FileExistsError(
            f"The Iceberg table holds rows already; choose another mode; got: {table_identifier}"
        )
    properties = dict(snapshot_properties or {})

    def write(reader: pa.RecordBatchReader) -> None:
        with table.transaction() as transaction:
            if name == "upsert":
                rows = reader.read_all()
                if rows.num_rows:
                    options = dict(upsert_kwargs or {})
                    transaction.upsert(rows, snapshot_properties=properties, **options)
            elif name == "overwrite":
                overwrite = dict(overwrite_kwargs or {})
                if overwrite_filter is not None:
                    overwrite["overwrite_filter"] = overwrite_filter
                transaction.overwrite(reader, snapshot_properties=properties, **overwrite)
            else:
                transaction.append(reader, snapshot_properties=properties)

    write_stream(dataset, write, table.schema().as_arrow())


def _only_with(wanted: str, mode: str, option: str, value: object) -> None:
    if value is not None and mode != wanted:
        raise ValueError(f"{option} is for the mode {wanted}; leave it out; the mode: {mode}")


def _catalog(catalog: Any, catalog_kwargs: Mapping[str, Any] | None) -> Any:
    if catalog is not None:
        return catalog
    from pyiceberg.catalog import load_catalog

    return load_catalog(**dict(catalog_kwargs or {}))
