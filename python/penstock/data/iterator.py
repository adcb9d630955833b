"""`DataIterator`: the rows of a data set, batch by batch or one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from penstock.data import arguments, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class DataIterator:
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
            prefetch_batches: the engine works ahead as far as its memory allows, whatever this
                says.
            batch_size: rows of a batch, across blocks; None: the blocks as they come. Each batch
                has one schema; where rows differ, it may be another than the next one's.
            batch_format: "numpy" (also "default"), "pandas" or "pyarrow" (also None).
            drop_last: leave out a last batch that is smaller than `batch_size`.
            local_shuffle_buffer_size: not supported yet.
            local_shuffle_seed: not supported yet.

        Raises:
            ValueError: an unknown format, a size below 1.
            NotImplementedError: local shuffling.

        """
        arguments.refuse(
            "iter_batches",
            {
                "local_shuffle_buffer_size": local_shuffle_buffer_size,
                "local_shuffle_seed": local_shuffle_seed,
            },
        )
        arguments.not_negative("prefetch_batches", prefetch_batches)
        rows = arguments.batch_rows(batch_size, gpus=None)
        name = arguments.batch_format_name(batch_format)

        def start() -> Iterator[Any]:
            run = self._dataset._run()  # noqa: SLF001 - the two belong together
            for block in blocks.regroup(run.blocks(), rows, drop_last=drop_last):
                batch = blocks.to_batch(block, name)
                yield batch if _collate_fn is None else _collate_fn(batch)

        return _Restartable(start)

    def iter_rows(self) -> Iterable[Row]:
        """Return an iterable of rows: dicts of plain Python values, tensors as arrays."""

        def start() -> Iterator[Row]:
            for block in self._dataset._run().blocks():  # noqa: SLF001 - the two belong together
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
