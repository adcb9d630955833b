"""Iceberg tables, read by their own library. Workers import this module too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa


class IcebergDatasource(Datasource):
    """One snapshot of an Iceberg table; a task reads some of its files, deletions applied."""

    def __init__(
        self,
        table: Any,
        *,
        row_filter: Any = None,
        selected_fields: tuple[str, ...] = ("*",),
        snapshot_id: int | None = None,
        scan_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        options = dict(scan_kwargs or {})
        if options.get("limit") is not None:
            raise ValueError(
                "read_iceberg reads all rows of a scan; use limit() of the data set instead; "
                f"got: limit={options['limit']!r}"
            )
        if row_filter is not None:
            options["row_filter"] = row_filter
        self._scan = table.scan(selected_fields=selected_fields, snapshot_id=snapshot_id, **options)

    def get_name(self) -> str:
        """Return "Iceberg"."""
        return "Iceberg"

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return tasks of about as many files each."""
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        from penstock.data.reading.custom import even_ranges

        scan = self._scan
        files = list(scan.plan_files())
        reader = _Reader(scan.table_metadata, scan.io, scan.projection(), scan.row_filter)
        schema = schema_to_pyarrow(scan.projection(), include_field_ids=False)
        return [
            ReadTask(
                _ReadFiles(reader, files[begin:end]),
                BlockMetadata(input_files=[task.file.file_path for task in files[begin:end]]),
                schema=schema,
                per_task_row_limit=per_task_row_limit,
            )
            for begin, end in even_ranges(len(files), parallelism)
        ]


class _Reader:
    """What all tasks share."""

    def __init__(self, metadata: Any, io: Any, projection: Any, row_filter: Any) -> None:
        self._metadata = metadata
        self._io = io
        self._projection = projection
        self._row_filter = row_filter

    def read(self, files: list[Any]) -> Iterator[pa.RecordBatch]:
        from pyiceberg.io.pyarrow import ArrowScan

        scan = ArrowScan(self._metadata, self._io, self._projection, self._row_filter)
        yield from scan.to_record_batches(files)


class _ReadFiles:
    def __init__(self, reader: _Reader, files: list[Any]) -> None:
        self._reader = reader
        self._files = files

    def __call__(self) -> Iterator[pa.RecordBatch]:
        return self._reader.read(self._files)
