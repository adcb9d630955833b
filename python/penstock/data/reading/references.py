"""Data sets from objects of Ray Core: `from_arrow_refs`, `from_pandas_refs`, `from_numpy_refs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.reading.memory import from_arrow, from_numpy, from_pandas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.core.references import ObjectRef
    from penstock.data.dataset import MaterializedDataset


def from_arrow_refs(tables: ObjectRef[Any] | Sequence[ObjectRef[Any]]) -> MaterializedDataset:
    """Wait for Arrow tables and take them, a block of each."""
    return from_arrow(_values(tables))


def from_pandas_refs(dfs: ObjectRef[Any] | Sequence[ObjectRef[Any]]) -> MaterializedDataset:
    """Wait for DataFrames and take them, a block of each."""
    return from_pandas(_values(dfs))


def from_numpy_refs(ndarrays: ObjectRef[Any] | Sequence[ObjectRef[Any]]) -> MaterializedDataset:
    """Wait for arrays and take their first dimension as rows of a column `data`."""
    return from_numpy(_values(ndarrays))


def _values(references: ObjectRef[Any] | Sequence[ObjectRef[Any]]) -> list[Any]:
    from penstock.core.objects import get
    from penstock.core.references import ObjectRef

    wanted = [references] if isinstance(references, ObjectRef) else list(references)
    values: list[Any] = get(wanted)
    return values
