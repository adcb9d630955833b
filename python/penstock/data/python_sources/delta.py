"""Delta Lake tables, read by their own library. Workers import this module too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa


class DeltaDatasource(Datasource):
    """One version of a Delta table; a task reads some of its files."""

    def __init__(
        self,
        path: str,
        *,
        version: int | None = None,
        storage_options: Mapping[str, str] | None = None,
        columns: list[str] | None = None,
    ) -> None:
        self._path = path
        self._version = version
        self._storage_options = dict(storage_options) if storage_options else None
        self._columns = columns

    def get_name(self) -> str:
        """Return "Delta"."""
        return "Delta"

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return tasks of about as many files each, of the version that is newest now."""
        from penstock.data.reading.custom import even_ranges

        self._version = self.open().version()
        dataset = self._dataset()
        files = [fragment.path for fragment in dataset.get_fragments()]
        schema = dataset.scanner(columns=self._columns).projected_schema
        return [
            ReadTask(
                _ReadFiles(self, files[begin:end]),
                BlockMetadata(input_files=files[begin:end]),
                schema=schema,
                per_task_row_limit=per_task_row_limit,
            )
            for begin, end in even_ranges(len(files), parallelism)
        ]

    def open(self) -> Any:
        """Return the table, opened by the library."""
        from deltalake import DeltaTable

        return DeltaTable(self._path, version=self._version, storage_options=self._storage_options)

    def scan(self, files: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some of the table's files, in order."""
        dataset = self._dataset()
        fragments = {fragment.path: fragment for fragment in dataset.get_fragments()}
        for file in files:
            yield from fragments[file].to_batches(schema=dataset.schema, columns=self._columns)

    def _dataset(self) -> Any:
        return self.open().to_pyarrow_dataset()


class _ReadFiles:
    def __init__(self, source: DeltaDatasource, files: list[str]) -> None:
        self._source = source
        self._files = files

    def __call__(self) -> Iterator[pa.RecordBatch]:
        return self._source.scan(self._files)
