"""How much of a batch fits a GPU's memory, as far as that has been learnt."""

from __future__ import annotations

import math

_GOOD_BEFORE_GROWTH = 16
_GOOD_BEFORE_GROWTH_MAX = 1024
_GROWTH = 1.25
_ROUNDING = 1e-6


class MemoryLimit:
    """Learns from calls that fitted and calls that did not.

    Counted in bytes of the batch, so that it holds for rows of other sizes. Half of what did not
    fit is tried next. After 16 calls that fitted within the limit it grows by a quarter; when that
    was too much it goes back to what had fitted, and waits twice as long before it grows again.
    """

    def __init__(self) -> None:
        self._bytes_max: float | None = None  # None: nothing was ever too large.
        self._fitted_bytes = 0.0  # The largest that fitted within the limit.
        self._good = 0
        self._patience = _GOOD_BEFORE_GROWTH

    @property
    def is_known(self) -> bool:
        """Whether anything was ever too large."""
        return self._bytes_max is not None

    def rows_that_fit(self, rows: int, row_bytes: float) -> int:
        """Return how many of so many rows to try at once; the pieces will be about even."""
        if self._bytes_max is None or rows <= 1:
            return rows
        most = max(1, int(self._bytes_max / row_bytes + _ROUNDING))
        return math.ceil(rows / math.ceil(rows / most))

    def fitted(self, rows: int, row_bytes: float) -> None:
        """Take note of a piece of a batch that went well."""
        if self._bytes_max is None:
            return
        self._fitted_bytes = max(self._fitted_bytes, rows * row_bytes)
        self._good += 1
        if self._good >= self._patience:
            self._good = 0
            self._bytes_max = max(self._bytes_max * _GROWTH, self._bytes_max + row_bytes)

    def was_too_large(self, rows: int, row_bytes: float) -> None:
        """Take note of a call that ran out of memory."""
        self._good = 0
        if 0 < self._fitted_bytes <= (rows - 1) * row_bytes:
            self._bytes_max = self._fitted_bytes
            self._patience = min(2 * self._patience, _GOOD_BEFORE_GROWTH_MAX)
            return
        self._fitted_bytes = 0.0
        self._bytes_max = math.ceil(rows / 2) * row_bytes
