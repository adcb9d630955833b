"""The rows as objects of Ray Core: a reference a block, for tasks and actors to take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.base import DatasetBase
from penstock.data.blocks import to_arrow, to_numpy, to_pandas
from penstock.data.optional import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penstock._core import Block
    from penstock.core.references import ObjectRef
    from penstock.data.consuming.ref_bundle import RefBundle


class ReferenceVerbs(DatasetBase):
    """to_arrow_refs, to_pandas_refs, to_numpy_refs, and blocks under Ray's internal names."""

    def to_arrow_refs(self) -> list[ObjectRef[Any]]:
        """Run the data set; return a reference to a `pyarrow.Table` for each block with rows."""
        return self._put_blocks(to_arrow)

    def to_pandas_refs(self) -> list[ObjectRef[Any]]:
        """Run the data set; return a reference to a DataFrame for each block with rows.

        Raises:
            ImportError: pandas is not installed.

        """
        require("pandas", extra="pandas", needed_by="to_pandas_refs")
        return self._put_blocks(to_pandas)

    def to_numpy_refs(self, *, column: str | None = None) -> list[ObjectRef[Any]]:
        """Run the data set; return a reference to {name: array} for each block with rows.

        Args:
            column: only this one, as a bare array. None: all.

        Raises:
            KeyError: there is no such column.

        """
        if column is None:
            return self._put_blocks(to_numpy)
        return self._put_blocks(lambda block: to_numpy(block)[column])

    def get_internal_block_refs(self) -> list[ObjectRef[Any]]:
        """Return the same as `to_arrow_refs`, by its older name."""
        return self.to_arrow_refs()

    def iter_internal_ref_bundles(self) -> Iterator[RefBundle]:
        """Run the data set; yield each block with rows as it comes. Leaving early stops the job."""
        from penstock.data.consuming.ref_bundle import RefBundle

        return (RefBundle(block) for block in self._run().blocks() if block.num_rows)

    def _put_blocks(self, form: Callable[[Block], Any]) -> list[ObjectRef[Any]]:
        from penstock.core.objects import put

        return [put(form(block)) for block in self._run().blocks() if block.num_rows]
