"""Verbs that run a data set and hand over what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.data import arguments, blocks
from penstock.data.base import DatasetBase
from penstock.data.optional import require

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from penstock._core import Block
    from penstock.data.blocks import Batch, Row
    from penstock.data.dataset import MaterializedDataset
    from penstock.data.schema import Schema


class ConsumeVerbs(DatasetBase):
    """take, count, schema, to_pandas, materialize, stats.

    Each of them runs the data set anew, and raises the error that ended the job.
    """

    def take(self, limit: int = 20) -> list[Row]:
        """Return the first `limit` rows; the rest is not read."""
        rows: list[Row] = []
        first = self._first_blocks(arguments.not_negative("limit", limit))
        for block in blocks.unified(first):
            rows.extend(blocks.to_rows(block))
        return rows

    def take_batch(self, batch_size: int = 20, *, batch_format: str | None = "default") -> Batch:
        """Return the first `batch_size` rows as one batch; the rest is not read.

        Raises:
            ValueError: no rows, an unknown format, a size below 1.

        """
        name = arguments.batch_format_name(batch_format)
        rows = arguments.at_least_one("batch_size", batch_size)
        first = self._first_blocks(rows)
        for block in blocks.regroup(first, rows, drop_last=False):
            return blocks.to_batch(block, name)
        raise ValueError("take_batch needs at least one row; the data set is empty")

    def take_all(self, limit: int | None = None) -> list[Row]:
        """Return all rows.

        Raises:
            ValueError: there are more than `limit`; the job is stopped as soon as that is known.

        """
        rows: list[Row] = []
        for block in blocks.unified(self._blocks_within(limit, "take_all")):
            rows.extend(blocks.to_rows(block))
        return rows

    def show(self, limit: int = 20) -> None:
        """Print the first `limit` rows, one a line."""
        for row in self.take(limit):
            print(row)  # noqa: T201 - what it is for

    def count(self) -> int:
        """Return the number of rows: from metadata where that is enough, else by running."""
        known = self._plan.count_if_known()
        if known is not None:
            return known
        return sum(block.num_rows for block in self._run(self._plan.project([])).blocks())

    def schema(self, fetch_if_missing: bool = True) -> Schema | None:  # noqa: FBT001, FBT002 - Ray's
        """Return names and types of the columns.

        Runs the first row where a function makes them unknown, unless `fetch_if_missing` is
        False. None: not known, or no rows to tell from.
        """
        if self._known_schema is None:
            from penstock.data.schema import Schema

            found = self._plan.schema_if_known()
            if found is not None:
                self._known_schema = Schema(found)
            elif fetch_if_missing:
                for block in self._first_blocks(1):
                    self._known_schema = Schema(block)
                    break
        return self._known_schema

    def columns(self, fetch_if_missing: bool = True) -> list[str] | None:  # noqa: FBT001, FBT002 - Ray's
        """Return the columns' names; see `schema`."""
        schema = self.schema(fetch_if_missing)
        return None if schema is None else schema.names

    def num_blocks(self) -> int:
        """Return the number of blocks of a materialised data set.

        Raises:
            NotImplementedError: not materialised: how many blocks there will be is not known.

        """
        raise NotImplementedError(
            "The number of blocks is only known of a MaterializedDataset; "
            "call `ds.materialize().num_blocks()`"
        )

    def size_bytes(self) -> int:
        """Return the bytes that the rows take in memory, by running the data set."""
        return sum(block.nbytes for block in self._run().blocks())

    def input_files(self) -> list[str]:
        """Return the files that are read, in order; none for data made in memory."""
        return self._plan.files()

    def to_pandas(self, limit: int | None = None) -> pd.DataFrame:
        """Return all rows as one DataFrame.

        Raises:
            ImportError: pandas is not installed.
            ValueError: there are more than `limit` rows.

        """
        require("pandas", extra="pandas", needed_by="to_pandas")
        import pandas as pd

        held = blocks.unified(self._blocks_within(limit, "to_pandas")) or self._empty_blocks()
        parts = [blocks.to_pandas(block) for block in held]
        filled = [part for part in parts if len(part)] or parts[:1]
        if not filled:
            return pd.DataFrame(columns=self.columns(fetch_if_missing=False))
        return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)

    def materialize(self) -> MaterializedDataset:
        """Run the data set and keep its rows in memory."""
        from penstock._core import LogicalPlan
        from penstock.data.dataset import MaterializedDataset

        run = self._run()
        held = blocks.unified(block for block in run.blocks() if block.num_rows)
        if not held:
            held = self._empty_blocks()
        plan = LogicalPlan.from_blocks(held)
        return MaterializedDataset(plan, self._context.copy(), held, last_run=run)

    def stats(self) -> str:
        """Return what the last run of this data set did: stage by stage, and what held it back."""
        snapshot = self._last_run.snapshot() if self._last_run is not None else None
        if snapshot is None:
            return "This data set has not run yet; consume it first, for example with ds.count().\n"
        from penstock.statistics import stats_text

        return stats_text(snapshot)

    def _empty_blocks(self) -> list[Block]:
        """Return an empty block with the columns, where they are known without running."""
        known = self._plan.schema_if_known()
        return [] if known is None else [known]

    def _first_blocks(self, rows: int) -> Iterable[Block]:
        return self._run(self._plan.limit(rows)).blocks()

    def _blocks_within(self, limit: int | None, operation: str) -> Iterable[Block]:
        """Yield all blocks; at most `limit` rows, else ValueError."""
        if limit is None:
            yield from self._run().blocks()
            return
        seen = 0
        for block in self._first_blocks(arguments.not_negative("limit", limit) + 1):
            seen += block.num_rows
            if seen > limit:
                raise ValueError(
                    f"The data set has more than the given limit of {limit} rows; "
                    f"use ds.limit({limit}).{operation}() to get the first ones"
                )
            yield block

    def _column_names(self) -> list[str]:
        names = self.columns()
        if names is None:
            raise ValueError("The columns' names are not known: the data set has no rows")
        return names
