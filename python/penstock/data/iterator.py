"""`DataIterator`: the rows of a data set, batch by batch or one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from penstock.data import arguments, blocks
from penstock.data.consuming.tensor_batches import TensorBatchVerbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penstock._core import Block
    from penstock.data.blocks import Batch, Row
    from penstock.data.context import DataContext
    from penstock.data.dataset import Dataset, MaterializedDataset
    from penstock.data.schema import Schema

_Item = TypeVar("_Item")


class _Restartable(Iterable[_Item], Generic[_Item]):
    """Runs the data set anew each time that it is iterated."""

    def __init__(self, start: Callable[[], Iterator[_Item]]) -> None:
        self._start = start

    def __iter__(self) -> Iterator[_Item]:
        return self._start()


class DataIterator(TensorBatchVerbs):
    """Iterates over a data set; each iteration runs it anew. Made by `Dataset.iterator`."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def iter_batches(
        self,
        *,
        prefetch_batches: int = 1,
        batch_size: int | None = 256,
        batch_format: str | None = "default",
        drop_last: bool = False,
        local_shuffle_buffer_size: int | None = None,
        local_shuffle_seed: int | None = None,
        _collate_fn: Callable[[Batch], Any] | None = None,
    ) -> Iterable[Any]:
        """Return an iterable of batches; leaving it early stops the job.

        Args:
            prefetch_batches: how many batches a thread shuffles and collates ahead. Without those
                there is nothing to be won: the engine works ahead in any case, as far as its
                memory allows.
            batch_size: rows of a batch, across blocks; None: the blocks as they come. Each batch
                has one schema; where rows differ, it may be another than the next one's.
            batch_format: "numpy" (also "default"), "pandas" or "pyarrow" (also None).
            drop_last: leave out a last batch that is smaller than `batch_size`.
            local_shuffle_buffer_size: draw each batch at random from at least so many rows, held
                in memory. Each row comes once.
            local_shuffle_seed: the same seed gives the same order each time.

        Raises:
            ValueError: an unknown format, a size below 1, a buffer without a batch size.

        """
        name = arguments.batch_format_name(batch_format)
        ahead = arguments.not_negative("prefetch_batches", prefetch_batches)

        def finish(block: Block) -> Any:
            batch = blocks.to_batch(block, name)
            return batch if _collate_fn is None else _collate_fn(batch)

        return self._batches(
            finish,
            prefetch_batches=ahead if _collate_fn or local_shuffle_buffer_size else 0,
            batch_size=batch_size,
            drop_last=drop_last,
            local_shuffle_buffer_size=local_shuffle_buffer_size,
            local_shuffle_seed=local_shuffle_seed,
        )

    def iter_rows(self) -> Iterable[Row]:
        """Return an iterable of rows: dicts of plain Python values, tensors as arrays."""

        def start() -> Iterator[Row]:
            for block in self._blocks():
                yield from blocks.to_rows(block)

        return _Restartable(start)

    def materialize(self) -> MaterializedDataset:
        """Run the data set and keep its rows in memory."""
        return self._dataset.materialize()

    def schema(self) -> Schema | None:
        """Return the columns' names and types; see `Dataset.schema`."""
        return self._dataset.schema()

    def stats(self) -> str:
        """Return what the last run did; see `Dataset.stats`."""
        return self._dataset.stats()

    def get_context(self) -> DataContext:
        """Return the data set's settings."""
        return self._dataset.context

    def __repr__(self) -> str:
        return f"DataIterator({self._dataset!r})"

    def _sample(self) -> dict[str, Any]:
        from penstock.data.arrow_columns import sample_columns

        return sample_columns(self._dataset.take_batch(1, batch_format="pyarrow"))

    def _blocks(self) -> Iterator[Block]:
        """Run the data set and yield its blocks."""
        return self._dataset._run().blocks()  # noqa: SLF001 - the two belong together

    def _batches(
        self,
        finish: Callable[[Block], _Item],
        *,
        prefetch_batches: int,
        batch_size: int | None,
        drop_last: bool,
        local_shuffle_buffer_size: int | None,
        local_shuffle_seed: int | None,
    ) -> Iterable[_Item]:
        ahead = arguments.not_negative("prefetch_batches", prefetch_batches)
        rows = arguments.batch_rows(batch_size)
        buffer_rows = local_shuffle_buffer_size
        if buffer_rows is not None:
            buffer_rows = arguments.at_least_one("local_shuffle_buffer_size", buffer_rows)
            if rows is None:
                raise ValueError("local_shuffle_buffer_size needs a batch_size, not None")

        def made() -> Iterator[_Item]:
            source = self._blocks()
            if buffer_rows is None:
                regrouped = blocks.regroup(source, rows, drop_last=drop_last)
            else:
                from penstock.data.consuming.local_shuffle import shuffled

                regrouped = shuffled(
                    source,
                    cast("int", rows),
                    buffer_rows=buffer_rows,
                    seed=local_shuffle_seed,
                    drop_last=drop_last,
                )
            for block in regrouped:
                yield finish(block)

        def start() -> Iterator[_Item]:
            if not ahead:
                return made()
            from penstock.data.consuming.prefetch import prefetched

            return prefetched(made(), ahead)

        return _Restartable(start)
