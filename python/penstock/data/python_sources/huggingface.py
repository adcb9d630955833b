"""Streams of Hugging Face. Workers import this module too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_ROWS_AT_ONCE = 1000


class HuggingFaceDatasource(Datasource):
    """A `datasets.IterableDataset`; a task reads one or more of its shards, in order."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def get_name(self) -> str:
        """Return "HuggingFace"."""
        return "HuggingFace"

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return at most as many tasks as the data set has shards."""
        tasks = max(1, min(parallelism, self._dataset.num_shards))
        return [
            ReadTask(
                _ReadShard(self._dataset, place, tasks),
                BlockMetadata(),
                per_task_row_limit=per_task_row_limit,
            )
            for place in range(tasks)
        ]


class _ReadShard:
    def __init__(self, dataset: Any, place: int, shards: int) -> None:
        self._dataset = dataset
        self._place = place
        self._shards = shards

    def __call__(self) -> Iterator[pa.Table]:
        shard = self._dataset
        if self._shards > 1:
            shard = shard.shard(num_shards=self._shards, index=self._place)
        for table in shard.with_format("arrow").iter(batch_size=_ROWS_AT_ONCE):
            yield plain_table(table)


def plain_table(table: pa.Table) -> pa.Table:
    """Return the table with the library's own column types as what they are stored as."""
    import pyarrow as pa

    table = table.replace_schema_metadata(None)
    for place, field in enumerate(table.schema):
        if isinstance(field.type, pa.ExtensionType):
            column = table.column(place)
            chunks = [chunk.storage for chunk in column.chunks]
            stored = pa.chunked_array(chunks, type=field.type.storage_type)
            table = table.set_column(place, pa.field(field.name, stored.type), stored)
    return table
