"""`streaming_split`: several iterators over one run.

Every block is cut into as many equal pieces as there are iterators; rows that are left over wait
for the next block. So the iterators never differ by more than a row, and which rows each gets does
not depend on how fast they are.

An iterator that is ahead asks the run for more, and leaves the others' pieces in their queues. Once
these hold 128 MiB it waits for the others. An iteration that is left early (its loop ends, or its
iterator is dropped) gives up the rest of its rows: nobody waits for it, nobody else gets them. One
that neither goes on nor ends makes the others fail with TimeoutError after 30 minutes, or after
`DataContext.execution_no_progress_timeout_s`; below 0: never.

Iterating again begins the next epoch, with a new run, as soon as all iterators have ended the last
one; an iterator that was never begun counts as one that is to come.
"""

from __future__ import annotations

import collections
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from penstock.data import blocks
from penstock.data.iterator import DataIterator

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from penstock._core import Block
    from penstock.data.dataset import MaterializedDataset

_QUEUED_BYTES_MAX = 128 << 20
_NO_PROGRESS_S = 1800.0
_POLL_S = 0.1


class SplitIterator(DataIterator):
    """One of several iterators that share out the rows of a data set."""

    def __init__(self, dataset: Any, coordinator: Coordinator, index: int) -> None:
        super().__init__(dataset)
        self._coordinator = coordinator
        self._index = index

    def materialize(self) -> MaterializedDataset:
        """Keep this iterator's rows of the next epoch in memory."""
        from penstock._core import LogicalPlan
        from penstock.data.dataset import MaterializedDataset

        held = blocks.unified(block for block in self._blocks() if block.num_rows)
        if not held:
            held = self._dataset._empty_blocks()  # noqa: SLF001 - the two belong together
        context = self._dataset.context.copy()
        return MaterializedDataset(LogicalPlan.from_blocks(held), context, held)

    def _blocks(self) -> Iterator[Block]:
        return self._coordinator.blocks(self._index)

    def __repr__(self) -> str:
        return f"SplitIterator({self._index} of {self._coordinator.parts}, {self._dataset!r})"


def split_iterators(dataset: Any, parts: int, *, equal: bool) -> list[DataIterator]:
    """Return `parts` iterators over one run of `dataset`."""
    coordinator = Coordinator(dataset, parts, equal=equal)
    iterators: list[DataIterator] = []
    for index in range(parts):
        iterator = SplitIterator(dataset, coordinator, index)
        weakref.finalize(iterator, coordinator.retire, index).atexit = False
        iterators.append(iterator)
    return iterators


class Coordinator:
    """Runs the data set once an epoch and deals its rows out. Called by any thread."""

    def __init__(self, dataset: Any, parts: int, *, equal: bool) -> None:
        self.parts = parts
        self._dataset = dataset
        self._equal = equal
        self._changed = threading.Condition()
        # All that follows is guarded by the condition's lock.
        self._epoch = -1
        self._begun = [0] * parts  # How many epochs each iterator has begun.
        self._iterating = [False] * parts
        self._listening = [False] * parts  # Gets rows of this epoch, or will when it begins.
        self._retired = [False] * parts
        self._queues: list[collections.deque[Block]] = [collections.deque() for _ in range(parts)]
        self._source: Generator[Block, None, None] | None = None
        self._pulling = False
        self._ended = True
        self._failure: BaseException | None = None
        self._left_over: list[Block] = []
        self._moved_s = 0.0

    def blocks(self, index: int) -> Iterator[Block]:
        """Yield the rows of one iterator in its next epoch."""
        self._begin(index)
        try:
            while (block := self._next(index)) is not None:
                yield block
        finally:
            self._leave(index)

    def retire(self, index: int) -> None:
        """Note that an iterator is gone: no later epoch waits for it."""
        with self._changed:
            self._retired[index] = True
            if not self._iterating[index]:
                self._listening[index] = False
                self._queues[index].clear()
            self._changed.notify_all()

    def _begin(self, index: int) -> None:
        with self._changed:
            epoch = self._begun[index]
            if self._iterating[index]:
                raise RuntimeError(
                    f"Iterator {index} of this streaming_split is being iterated already; end "
                    "that loop first"
                )
            self._moved_s = time.monotonic()
            while self._epoch < epoch and not self._all_done(epoch):
                self._wait("to begin the last epoch, or to end it")
            self._iterating[index] = True
            self._begun[index] += 1
            if self._epoch < epoch:
                self._start(epoch)

    def _all_done(self, epoch: int) -> bool:
        """Say whether each iterator has ended all epochs before this one."""
        return all(
            not listening and (begun >= epoch or retired)
            for listening, begun, retired in zip(
                self._listening, self._begun, self._retired, strict=True
            )
        )

    def _start(self, epoch: int) -> None:
        self._epoch = epoch
        self._ended = False
        self._failure = None
        self._left_over = []
        for queue in self._queues:
            queue.clear()
        self._listening = [not retired for retired in self._retired]
        self._source = self._dataset._run().blocks()  # noqa: SLF001 - the two belong together
        self._moved()

    def _next(self, index: int) -> Block | None:
        while True:
            with self._changed:
                if self._queues[index]:
                    self._moved()
                    return self._queues[index].popleft()
                if self._failure is not None:
                    raise self._failure
                if self._ended:
                    return None
                if self._pulling or self._full():
                    self._wait("to take its rows")
                    continue
                self._pulling = True
            self._pull()

    def _pull(self) -> None:
        """Take a block from the run and deal it out. Only one thread at a time is here."""
        block: Block | None = None
        failure: BaseException | None = None
        try:
            block = next(self._source, None)  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 - all iterators are told of it
            failure = error
        with self._changed:
            self._pulling = False
            if failure is None:
                self._deal(block)
            elif isinstance(failure, Exception):
                self._failure = failure
            else:
                self._failure = RuntimeError("The run was stopped by another iterator")
            if block is None:
                self._ended = True
                self._source = None
            self._moved()
        if failure is not None and not isinstance(failure, Exception):
            raise failure

    def _deal(self, block: Block | None) -> None:
        rows = [*self._left_over, *([] if block is None else [block])]
        total = sum(held.num_rows for held in rows)
        each, rest = divmod(total, self.parts)
        shares = [each] * self.parts
        if block is None and not self._equal:
            shares = [each + (index < rest) for index in range(self.parts)]
        offset = 0
        for index, share in enumerate(shares):
            for piece in _pieces(rows, offset, share):
                if self._listening[index]:
                    self._queues[index].append(piece)
            offset += share
        self._left_over = _pieces(rows, offset, total - offset)

    def _full(self) -> bool:
        held = sum(block.nbytes for queue in self._queues for block in queue)
        return held > _QUEUED_BYTES_MAX

    def _leave(self, index: int) -> None:
        with self._changed:
            self._iterating[index] = False
            self._listening[index] = False
            self._queues[index].clear()
            source = None
            if not any(self._listening) and not self._pulling:
                source, self._source = self._source, None
                self._ended = True
            self._moved()
        if source is not None:
            source.close()

    def _moved(self) -> None:
        self._moved_s = time.monotonic()
        self._changed.notify_all()

    def _wait(self, what: str) -> None:
        """Wait for any change, the lock held; so briefly that Ctrl-C is heard."""
        limit = getattr(self._dataset.context, "execution_no_progress_timeout_s", _NO_PROGRESS_S)
        self._changed.wait(_POLL_S)
        if 0 <= limit < time.monotonic() - self._moved_s and not self._pulling:
            raise TimeoutError(
                f"Another iterator of this streaming_split was waited for {what} for {limit:g} s; "
                "iterate all of them at the same time, each in a thread of its own"
            )


def _pieces(rows: list[Block], offset: int, count: int) -> list[Block]:
    """Return rows [offset, offset + count), counted through the blocks, without a copy."""
    found: list[Block] = []
    for block in rows:
        first, last = max(offset, 0), min(offset + count, block.num_rows)
        if first < last:
            found.append(block.slice(first, last - first))
        offset -= block.num_rows
    return found
