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

    The outputs of the pieces follow each other; with `joins` they become one. A generator that has
    yielded already is not begun again: its error passes.
    """

    def __init__(
        self, call: Callable[[_worker.Batch], Produced], *, name: str, joins: bool
    ) -> None:
        self._call = call
        self._name = name
        self._joins = joins
        self._limit = MemoryLimit()

    def cuts(self, batch: _worker.Batch) -> bool:
        """Say whether a batch is known to be too large for one call."""
        return self._limit.rows_that_fit(batch.rows, _row_bytes(batch)) < batch.rows

    def run(self, batch: _worker.Batch) -> Produced:
        """Return what the function makes of the batch."""
        if not self.cuts(batch):
            try:
                produced = self._call(batch)
            except Exception as error:  # noqa: BLE001  # It is raised again unless it is known.
                self._shrink(error, batch.rows, _row_bytes(batch))
            else:
                whole = isinstance(produced, _worker.Output)
                return produced if whole else self._outputs(batch, begun=produced)
            empty_caches()  # Only now: the error's frames held what was in memory.
        outputs = self._outputs(batch)
        if not self._joins:
            return outputs
        from penstock.worker import arrow

        return arrow.joined(list(outputs), self._name)

    def _outputs(
        self, batch: _worker.Batch, begun: Produced | None = None
    ) -> Iterator[_worker.Output]:
        """Yield the outputs, piece by piece; `begun` are those of the first."""
        first, row_bytes = 0, _row_bytes(batch)
        while first < batch.rows or begun is not None:
            rows = self._limit.rows_that_fit(batch.rows - first, row_bytes)
            came = False
            try:
                produced = begun or self._call(batch.slice(first, rows))
                begun = None
                for output in [produced] if isinstance(produced, _worker.Output) else produced:
                    came = True
                    yield output
            except Exception as error:
                if came:
                    raise
                self._shrink(error, rows, row_bytes)
            else:
                first += rows
                if rows < batch.rows:
                    self._limit.fitted(rows, row_bytes)
                continue
            empty_caches()

    def _shrink(self, error: Exception, rows: int, row_bytes: float) -> None:
        """Learn that so many rows are too many; raise the error where it does not mean that."""
        if not ran_out_of_memory(error):
            raise error
        if rows <= 1:
            error.add_note("A single row of the batch does not fit the GPU's memory.")
            raise error
        self._limit.was_too_large(rows, row_bytes)
        sys.stderr.write(
            f"penstock: {rows} rows of {self._name} do not fit the GPU's memory; "
            f"going on with {self._limit.rows_that_fit(rows, row_bytes)}\n"
        )


def _row_bytes(batch: _worker.Batch) -> float:
    return max(1.0, batch.nbytes / max(1, batch.rows))
