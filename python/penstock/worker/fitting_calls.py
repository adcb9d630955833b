"""Calls a function with as much of a batch as fits the GPU's memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from penstock import _worker
from penstock.worker.device_errors import empty_caches, ran_out_of_memory
from penstock.worker.memory_limit import MemoryLimit

Produced = _worker.Output | Iterator[_worker.Output]


class FittingCalls:
    """Cuts a batch when a call runs out of memory, and later batches before they do.

    The outputs of the pieces follow each other. A generator that has yielded already is not begun
    again: its error passes.

    A call that runs out of memory may have changed its batch in place before, so the next one gets
    it as it was: each batch is copied before its first call. `changes` says of a batch whether the
    function can change it at all; where it cannot, nothing is copied. Without `keeps_copies` a
    batch that can be changed is not tried again.
    """

    def __init__(
        self,
        call: Callable[[_worker.Batch], Produced],
        *,
        name: str,
        changes: Callable[[_worker.Batch], bool],
        keeps_copies: bool,
    ) -> None:
        self._call = call
        self._name = name
        self._changes = changes
        self._keeps_copies = keeps_copies
        self._limit = MemoryLimit()

    def cuts(self, batch: _worker.Batch) -> bool:
        """Say whether a batch is known to be too large for one call."""
        return self._limit.rows_that_fit(batch.rows, _row_bytes(batch)) < batch.rows

    def run(self, batch: _worker.Batch) -> Produced:
        """Return what the function makes of the batch."""
        original = batch.copy() if self._keeps_copies and self._changes(batch) else None
        if self._limit.is_known and self.cuts(batch):
            return self._outputs(self._given(batch, original))
        try:
            produced = self._call(batch)
        except Exception as error:  # noqa: BLE001  # It is raised again unless it is known.
            given = self._given(batch, original)
            self._shrink(error, given, batch.rows)
        else:
            if isinstance(produced, _worker.Output):
                return produced
            return self._outputs(self._given(batch, original), begun=produced)
        empty_caches()  # Only now: the error's frames held what was in memory.
        return self._outputs(given)

    def _given(self, batch: _worker.Batch, original: _worker.Batch | None) -> _Given:
        return _Given(batch, original, changes=self._changes(batch))

    def _outputs(self, given: _Given, begun: Produced | None = None) -> Iterator[_worker.Output]:
        """Yield the outputs, piece by piece; `begun` are those of the first."""
        first, whole, row_bytes = 0, given.batch.rows, _row_bytes(given.batch)
        while first < whole or begun is not None:
            rows = self._limit.rows_that_fit(whole - first, row_bytes)
            came = False
            try:
                produced = begun or self._call(given.batch.slice(first, rows))
                begun = None
                for output in [produced] if isinstance(produced, _worker.Output) else produced:
                    came = True
                    yield output
            except Exception as error:
                if came:
                    raise
                self._shrink(error, given, rows)
            else:
                first += rows
                if rows < whole:
                    self._limit.fitted(rows, row_bytes)
                continue
            empty_caches()

    def _shrink(self, error: Exception, given: _Given, rows: int) -> None:
        """Learn that so many rows are too many; raise the error where it does not mean that."""
        if not ran_out_of_memory(error):
            raise error
        if rows <= 1:
            error.add_note("A single row of the batch does not fit the GPU's memory.")
            raise error
        if not given.restore():
            error.add_note(
                "The function may have changed its batch already, so it was not called again with "
                "halves of it. Say num_gpus, and a copy of each batch is kept for that."
            )
            raise error
        row_bytes = _row_bytes(given.batch)
        self._limit.was_too_large(rows, row_bytes)
        sys.stderr.write(
            f"penstock: {rows} rows of {self._name} do not fit the GPU's memory; "
            f"going on with {self._limit.rows_that_fit(rows, row_bytes)}\n"
        )


class _Given:
    """A batch that a function may change, and how it was, if a copy is kept."""

    def __init__(
        self, batch: _worker.Batch, original: _worker.Batch | None, *, changes: bool
    ) -> None:
        self.batch = batch
        self._changes = changes
        self._original = original

    def restore(self) -> bool:
        """Have `batch` as it was; say whether that was possible."""
        if self._original is not None:
            self.batch = self._original.copy()
        return self._original is not None or not self._changes


def _row_bytes(batch: _worker.Batch) -> float:
    return max(1.0, batch.nbytes / max(1, batch.rows))
