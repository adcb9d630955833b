"""Sketches of a column that hold a bounded part of its values, whatever its length."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class QuantileSketch:
    """Some of the numbers, each standing for as many as its level says: level i for 2 ** i.

    A level that holds more than `precision` numbers is sorted, and every second of them moves to
    the next, the odd and the even ones in turn. The rank of what a quantile returns is off by a
    few 1 / `precision` of the values at most, mostly by far less.
    """

    def __init__(self, precision: int) -> None:
        self._precision = precision
        self._levels: list[np.ndarray[Any, Any]] = []
        self._odd: list[bool] = []
        self._least: float | None = None
        self._greatest: float | None = None

    def add(self, numbers: np.ndarray[Any, Any]) -> None:
        """Take numbers, none of them NaN."""
        if len(numbers) == 0:
            return
        self._note_extremes(float(numbers.min()), float(numbers.max()))
        self._put(0, numbers)

    def merge(self, other: QuantileSketch) -> None:
        """Take what another sketch of the same precision holds."""
        if other._least is None or other._greatest is None:
            return
        self._note_extremes(other._least, other._greatest)
        for level, numbers in enumerate(other._levels):
            self._put(level, numbers)

    def quantiles(self, wanted: Sequence[float]) -> list[float] | None:
        """Return the number at each quantile; None where there are no numbers."""
        import numpy as np

        if self._least is None or self._greatest is None:
            return None
        numbers = np.concatenate(self._levels)
        weights = np.concatenate(
            [np.full(len(held), 2.0**level) for level, held in enumerate(self._levels)]
        )
        order = np.argsort(numbers, kind="stable")
        ranks = np.cumsum(weights[order])
        places = np.searchsorted(ranks, np.asarray(wanted) * ranks[-1], side="left")
        found = numbers[order][np.minimum(places, len(numbers) - 1)].tolist()
        exact = {0.0: self._least, 1.0: self._greatest}
        return [exact.get(q, number) for q, number in zip(wanted, found, strict=True)]

    def _note_extremes(self, least: float, greatest: float) -> None:
        self._least = least if self._least is None else min(self._least, least)
        self._greatest = greatest if self._greatest is None else max(self._greatest, greatest)

    def _put(self, level: int, numbers: np.ndarray[Any, Any]) -> None:
        import numpy as np

        while len(numbers):
            if level == len(self._levels):
                self._levels.append(np.empty(0))
                self._odd.append(False)
            held = np.concatenate([self._levels[level], numbers])
            if len(held) <= self._precision:
                self._levels[level] = held
                return
            held.sort()
            left = len(held) % 2  # An odd one out stays where it is.
            self._levels[level] = held[len(held) - left :]
            numbers = held[int(self._odd[level]) : len(held) - left : 2]
            self._odd[level] = not self._odd[level]
            level += 1


class FrequentValues:
    """Counts of the values that come most often: at most `capacity` of them.

    Where there are more, all counts are lowered by the same number, and those that reach 0 go
    (Misra and Gries): a count is too low by the rows divided by `capacity`, at most.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._counts: dict[Any, int] = {}
        self._lowered = 0

    def add(self, value: Any, count: int) -> None:
        """Take a value that came `count` times."""
        self._counts[value] = self._counts.get(value, 0) + count
        if len(self._counts) > 2 * self._capacity:
            self._shrink()

    def merge(self, other: FrequentValues) -> None:
        """Take what another sketch of the same capacity holds."""
        self._lowered += other._lowered
        for value, count in other._counts.items():
            self.add(value, count)

    def top(self, count: int) -> list[tuple[Any, int]]:
        """Return the values that come most often, with their counts, in falling order.

        A count is the most that it can be: what it was lowered by is added again.
        """
        found = heapq.nlargest(count, self._counts.items(), key=lambda pair: pair[1])
        return [(value, number + self._lowered) for value, number in found]

    def _shrink(self) -> None:
        lowest = heapq.nlargest(self._capacity + 1, self._counts.values())[-1]
        self._lowered += lowest
        self._counts = {
            value: number - lowest for value, number in self._counts.items() if number > lowest
        }
