"""Verbs that bring the rows of several data sets together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.data.base import DatasetBase

if TYPE_CHECKING:
    from penstock.data.dataset import Dataset


class CombineVerbs(DatasetBase):
    """union, zip."""

    def union(self, *other: Dataset) -> Dataset:
        """Return these rows, then those of the others in turn.

        Columns are matched by name and types promoted; a column that a data set lacks is null
        there. Verbs of columns see all of them, unless functions decide what columns a data set
        has: then rows are brought together only where they meet in a batch, a file or a result.
        Without `preserve_order` the rows
        come as they are ready.

        Raises:
            TypeError: something else than a data set.

        """
        return self._combined("union", other)

    def zip(self, *other: Dataset) -> Dataset:
        """Put the columns of the others beside these, row by row, in order.

        A column whose name is taken gets "_1" behind its name, or the next free number.

        Raises:
            TypeError: something else than a data set.
            ValueError: when run, unless all have equally many rows.

        """
        return self._combined("zip", other)

    def _combined(self, kind: str, others: tuple[Dataset, ...]) -> Dataset:
        for other in others:
            if not isinstance(other, DatasetBase):
                raise TypeError(f"{kind} takes data sets; got: {type(other).__name__}: {other!r}")
        if not others:
            return self._derive(self._plan)
        plans = [other._plan for other in others]  # noqa: SLF001 - our own class
        return self._derive(self._plan.combine(kind, plans))
