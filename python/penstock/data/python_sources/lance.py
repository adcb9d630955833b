"""Lance data sets, read by their own library. Workers import this module too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa


class LanceDatasource(Datasource):
    """One version of a Lance data set; a task reads some of its fragments."""

    def __init__(
        self,
        uri: str,
        *,
        version: int | str | None = None,
        storage_options: Mapping[str, str] | None = None,
        scanner_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._uri = uri
        self._version = version
        self._storage_options = dict(storage_options) if storage_options else None
        self._scanner_options = dict(scanner_options or {})

    def get_name(self) -> str:
        """Return "Lance"."""
        return "Lance"

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return tasks of about as many fragments each, of the version that is newest now."""
        from penstock.data.reading.custom import even_ranges

        dataset = self.open()
        self._version = dataset.version
        schema = dataset.scanner(**self._scanner_options).projected_schema
        fragments = [fragment.fragment_id for fragment in dataset.get_fragments()]
        return [
            ReadTask(
                _ReadFragments(self, fragments[begin:end]),
                BlockMetadata(),
                schema=schema,
                per_task_row_limit=per_task_row_limit,
            )
            for begin, end in even_ranges(len(fragments), parallelism)
        ]

    def open(self) -> Any:
        """Return the data set, opened by the library."""
        import lance

        return lance.dataset(
            self._uri, version=self._version, storage_options=self._storage_options
        )

    def scan(self, fragments: list[int]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some fragments, in order."""
        dataset = self.open()
        chosen = [dataset.get_fragment(number) for number in fragments]
        yield from dataset.scanner(fragments=chosen, **self._scanner_options).to_batches()


class _ReadFragments:
    def __init__(self, source: LanceDatasource, fragments: list[int]) -> None:
        self._source = source
        self._fragments = fragments

    def __call__(self) -> Iterator[pa.RecordBatch]:
        return self._source.scan(self._fragments)
