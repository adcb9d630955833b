"""A worker's part of a data set, as the training loop gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from penstock.data.context import DataContext
from penstock.data.iterator import DataIterator
from penstock.train.shards import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from penstock._core import Block
    from penstock.data.dataset import MaterializedDataset
    from penstock.data.schema import Schema
    from penstock.train.shards import Shard


class ShardIterator(DataIterator):
    """Iterates over rows that lie in shared memory, in the same order each time."""

    def __init__(self, name: str, shard: Shard) -> None:
        self._name = name
        self._shard = shard
        self._context = DataContext.get_current().copy()
        self._context.enable_progress_bars = False

    def materialize(self) -> MaterializedDataset:
        """Return the rows as a data set; they stay where they are."""
        tables = [_fetch(part) for part in self._shard.parts]
        return self._dataset_of(tables or self._no_rows())

    def iter_torch_batches(self, *, device: str = "auto", **options: Any) -> Iterable[Any]:
        """Return an iterable of dicts of tensors; "auto" is this worker's GPU, where it has one.

        See `DataIterator.iter_torch_batches`.
        """
        if device == "auto" and options.get("collate_fn") is None:
            from penstock.train.torch.loops import get_device

            device = str(get_device())
        return super().iter_torch_batches(device=device, **options)

    def count(self) -> int:
        """Return the number of rows."""
        return self._shard.rows

    def schema(self) -> Schema | None:
        """Return the columns' names and types; None: not known, for want of rows."""
        if self._shard.schema is None:
            return None
        from penstock.data.schema import Schema

        return Schema(table_of(self._shard.schema).schema)

    def stats(self) -> str:
        """Say how many rows there are: the run that made them was the driver's."""
        return f"{self!r}\n"

    def get_context(self) -> DataContext:
        """Return the settings of this iterator."""
        return self._context

    def __repr__(self) -> str:
        return f"ShardIterator({self._name!r}, rows={self._shard.rows})"

    def _sample(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.materialize().take_batch(1))

    def _blocks(self) -> Iterator[Block]:
        for part in self._shard.parts:  # One at a time: no more than that is mapped, or read back.
            yield from self._dataset_of([_fetch(part)])._run().blocks()  # noqa: SLF001

    def _no_rows(self) -> list[pa.Table]:
        return [] if self._shard.schema is None else [table_of(self._shard.schema)]

    def _dataset_of(self, tables: Sequence[pa.Table]) -> MaterializedDataset:
        from penstock._core import LogicalPlan
        from penstock.data.dataset import MaterializedDataset

        return MaterializedDataset(LogicalPlan.from_arrow(list(tables)), self._context)


def _fetch(part: Any) -> pa.Table:
    import penstock

    return table_of(penstock.get(part))
