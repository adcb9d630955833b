"""Verbs that part a data set: split, split_at_indices, train_test_split, streaming_split."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.consuming.verbs import ConsumeVerbs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._core import Block
    from penstock.data.dataset import MaterializedDataset
    from penstock.data.iterator import DataIterator


class SplitVerbs(ConsumeVerbs):
    """All but `streaming_split` materialise the data set; the parts share its memory."""

    def split(
        self, n: int, *, equal: bool = False, locality_hints: object = None
    ) -> list[MaterializedDataset]:
        """Return `n` data sets of consecutive rows, whose sizes differ by one row at most.

        Args:
            n: how many.
            equal: give each the same number of rows; at most n - 1 rows at the end go to none.
            locality_hints: has no effect on one machine.

        """
        parts = arguments.at_least_one("n", n)
        _check_hints(parts, locality_hints)
        held = self.materialize()
        rows = held.count()
        small, larger = divmod(rows, parts)
        if equal:
            ends = [small * (i + 1) for i in range(parts)]
            return held.split_at_indices(ends)[:parts] if parts else []
        ends = [small * (i + 1) + min(i + 1, larger) for i in range(parts - 1)]
        return held.split_at_indices(ends) if ends else [held]

    def split_at_indices(self, indices: Sequence[int]) -> list[MaterializedDataset]:
        """Return the rows before the first index, those between two, and those from the last on.

        Raises:
            ValueError: no index, or they fall.

        """
        borders = [arguments.not_negative("indices", index) for index in indices]
        if not borders:
            raise ValueError("indices must hold at least one index")
        if sorted(borders) != borders:
            raise ValueError(f"indices must not fall; got: {borders}")
        held = _blocks_of(self.materialize())
        total = sum(block.num_rows for block in held)
        ends = [min(border, total) for border in [*borders, total]]
        starts = [0, *ends[:-1]]
        return [
            self._materialized(_rows_between(held, start, end))
            for start, end in zip(starts, ends, strict=True)
        ]

    def split_proportionately(self, proportions: Sequence[float]) -> list[MaterializedDataset]:
        """Return parts with these shares of the rows, and one with the rest.

        Raises:
            ValueError: no share, one that is not above 0, all of them together not below 1; or
                too few rows to give each part one.

        """
        shares = list(proportions)
        if not shares:
            raise ValueError("proportions must be at least of length 1")
        if sum(shares) >= 1:
            raise ValueError(f"proportions must sum to less than 1; got: {shares}")
        if any(share <= 0 for share in shares):
            raise ValueError(f"proportions must be bigger than 0; got: {shares}")
        held = self.materialize()
        rows = held.count()
        ends = [int(rows * total) for total in itertools.accumulate(shares)]
        for i in range(len(ends) - 2, -1, -1):  # From the last on, each leaves a row to the next.
            ends[i] = min(ends[i], ends[i + 1] - 1)
        if any(end <= 0 for end in ends):
            raise ValueError(
                "Couldn't create non-empty splits with the given proportions: "
                f"{len(shares) + 1} parts of {rows} rows"
            )
        return held.split_at_indices(ends)

    def train_test_split(
        self,
        test_size: float,
        *,
        shuffle: bool = False,
        seed: int | None = None,
        stratify: str | None = None,
    ) -> tuple[MaterializedDataset, MaterializedDataset]:
        """Return the rows for training, and those for testing: the last ones.

        Args:
            test_size: a share between 0 and 1, or a number of rows.
            shuffle: shuffle the rows in memory first.
            seed: of the shuffling; None: drawn by chance.
            stratify: a column each of whose values is to have the same share in both parts: the
                last rows with each value are for testing, in their order.

        Raises:
            ValueError: a size out of range, or both `shuffle` and `stratify`.
            TypeError: the size is not a number.

        """
        if arguments.is_whole_number(test_size):
            test_size = int(test_size)
        if isinstance(test_size, bool) or not isinstance(test_size, (int, float)):
            raise TypeError(f"`test_size` must be int or float got {type(test_size)}.")
        if shuffle and stratify is not None:
            raise ValueError("Cannot specify both 'shuffle=True' and 'stratify' parameters.")
        if isinstance(test_size, float) and not 0 < test_size < 1:
            raise ValueError(
                "If `test_size` is a float, it must be bigger than 0 and smaller than 1. "
                f"Got {test_size}."
            )
        held = self.materialize()
        rows = held.count()
        if isinstance(test_size, int) and not 0 < test_size < rows:
            raise ValueError(
                "If `test_size` is an int, it must be bigger than 0 and smaller than the size of "
                f"the dataset ({rows}). Got {test_size}."
            )
        if stratify is not None:
            share = test_size / rows if isinstance(test_size, int) else test_size
            return self._stratified(_blocks_of(held), share, stratify)
        if shuffle:
            held = self._shuffled(_blocks_of(held), seed)
        if isinstance(test_size, int):
            train, test = held.split_at_indices([rows - test_size])
        else:
            train, test = held.split_proportionately([1 - test_size])
        return train, test

    def streaming_split(
        self, n: int, *, equal: bool = False, locality_hints: object = None
    ) -> list[DataIterator]:
        """Return `n` iterators that share out the rows of one run; for threads side by side.

        Each row goes to exactly one of them, and which one follows from the data alone: every
        block is cut into `n` equal pieces. Iterating them again runs the data set again, once all
        have ended. See `consuming/streaming_split.py` for what happens when one lags or leaves.

        Args:
            n: how many.
            equal: give each the same number of rows; at most n - 1 rows at the end go to none.
                Otherwise some get one row more.
            locality_hints: has no effect on one machine.

        """
        from penstock.data.consuming.streaming_split import split_iterators

        parts = arguments.at_least_one("n", n)
        _check_hints(parts, locality_hints)
        return split_iterators(self, parts, equal=equal)

    def _stratified(
        self, held: list[Block], share: float, column: str
    ) -> tuple[MaterializedDataset, MaterializedDataset]:
        import numpy as np

        classes = _classes(held, column)
        for_test = np.zeros(len(classes), dtype=bool)
        for value in np.unique(classes):
            (rows,) = np.nonzero(classes == value)
            tested = int(len(rows) * share)
            for_test[rows[len(rows) - tested :]] = True
        return self._taken(held, ~for_test), self._taken(held, for_test)

    def _shuffled(self, held: list[Block], seed: int | None) -> MaterializedDataset:
        import numpy as np

        from penstock._core import Block

        order = np.random.default_rng(seed).permutation(sum(block.num_rows for block in held))
        return self._materialized([Block.take(held, order)])

    def _taken(self, held: list[Block], mask: Any) -> MaterializedDataset:
        import numpy as np

        from penstock._core import Block

        return self._materialized([Block.take(held, np.flatnonzero(mask).astype(np.int64))])

    def _materialized(self, held: list[Block]) -> MaterializedDataset:
        from penstock._core import LogicalPlan
        from penstock.data.dataset import MaterializedDataset

        return MaterializedDataset(LogicalPlan.from_blocks(held), self._context.copy(), held)


def _blocks_of(held: MaterializedDataset) -> list[Block]:
    return held._held_blocks()  # noqa: SLF001 - the two belong together


def _classes(held: list[Block], column: str) -> Any:
    """Return a number for each row: equal ones where the column's values are equal."""
    import pyarrow as pa

    from penstock.data import blocks
    from penstock.exceptions import MissingColumnError

    tables = [blocks.to_arrow(block) for block in held]
    if column not in tables[0].column_names:
        raise MissingColumnError(
            f"There is no column to stratify by; columns: {', '.join(tables[0].column_names)}; "
            f"got: {column}"
        )
    values = pa.concat_tables(tables).column(column).combine_chunks()
    encoded = values.dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy(zero_copy_only=False)


def _rows_between(held: list[Block], start: int, end: int) -> list[Block]:
    """Return rows [start, end) without a copy; one block without rows where there are none."""
    found: list[Block] = []
    offset = 0
    for block in held:
        first, last = max(start - offset, 0), min(end - offset, block.num_rows)
        if first < last:
            whole = last - first == block.num_rows
            found.append(block if whole else block.slice(first, last - first))
        offset += block.num_rows
    return found or [block.slice(0, 0) for block in held[:1]]


def _check_hints(parts: int, hints: object) -> None:
    if hints is not None and len(list(hints)) != parts:  # type: ignore[call-overload]
        raise ValueError(f"locality_hints must name a place for each of the {parts} parts")
