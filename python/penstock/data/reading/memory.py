"""Data sets from what is in memory already: items, NumPy, pandas, Arrow.

Plain values go to the engine directly; pyarrow is imported only for nested, ragged and mixed ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock._core import LogicalPlan
from penstock.data import arguments
from penstock.data.context import DataContext
from penstock.data.dataset import MaterializedDataset
from penstock.data.reading.splits import wished_splits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa

_ITEM = "item"
_DATA = "data"


def from_items(
    items: Sequence[Any], *, parallelism: int = -1, override_num_blocks: int | None = None
) -> MaterializedDataset:
    """Make one row of each item: a dict is a row; anything else a row with the column "item".

    Arrays are tensors, whose shapes may vary; arrays within dicts and lists become lists.

    Raises:
        TypeError: dicts and other items together, or values that no column can hold.

    """
    listed = list(items)
    is_row = [isinstance(item, Mapping) for item in listed]
    if any(is_row) and not all(is_row):
        odd = listed[is_row.index(not is_row[0])]
        raise TypeError(f"Items must be all dicts or none; differs from the first: {odd!r}")
    rows = [dict(item) for item in listed] if any(is_row) else [{_ITEM: item} for item in listed]
    plan = _plain_or(lambda: LogicalPlan.from_rows(rows), lambda: _table_of_rows(rows))
    return _in_memory(plan, wished_splits(parallelism, override_num_blocks))


def from_numpy(
    ndarrays: np.ndarray[Any, Any] | Sequence[np.ndarray[Any, Any]],
) -> MaterializedDataset:
    """Make a row of each item along the first axis, in the column "data"; a block of each array."""
    arrays = ndarrays if isinstance(ndarrays, (list, tuple)) else [ndarrays]
    for array in arrays:
        if getattr(array, "ndim", 1) == 0:
            raise ValueError(f"from_numpy needs arrays with at least one axis; got: {array!r}")
    plan = _plain_or(
        lambda: LogicalPlan.from_columns([{_DATA: array} for array in arrays]),
        lambda: [_table_of_columns({_DATA: list(array)}) for array in arrays],
    )
    return _in_memory(plan, None)


def from_pandas(
    dfs: pd.DataFrame | Sequence[pd.DataFrame], override_num_blocks: int | None = None
) -> MaterializedDataset:
    """Make a block of each DataFrame. The index is left out."""
    frames: list[Any] = list(dfs) if isinstance(dfs, (list, tuple)) else [dfs]
    for frame in frames:
        _check_names(frame.columns)
    plan = _plain_or(
        lambda: LogicalPlan.from_columns([_plain_columns(frame) for frame in frames]),
        lambda: [_table_of_frame(frame) for frame in frames],
    )
    return _in_memory(plan, wished_splits(-1, override_num_blocks))


def from_arrow(
    tables: pa.Table | Sequence[pa.Table], *, override_num_blocks: int | None = None
) -> MaterializedDataset:
    """Take Arrow tables, or whatever offers Arrow's C stream, without a copy."""
    streams: list[Any] = list(tables) if isinstance(tables, (list, tuple)) else [tables]
    for stream in streams:
        if not hasattr(stream, "__arrow_c_stream__"):
            raise TypeError(f"from_arrow needs Arrow tables; got: {type(stream).__name__}")
    return _in_memory(LogicalPlan.from_arrow(streams), wished_splits(-1, override_num_blocks))


def _in_memory(plan: LogicalPlan, splits: int | None) -> MaterializedDataset:
    if splits is not None:
        plan = plan.with_splits(splits)
    return MaterializedDataset(plan, DataContext.get_current().copy())


def _plain_or(
    plain: Callable[[], LogicalPlan], tables: Callable[[], list[pa.Table]]
) -> LogicalPlan:
    try:
        return plain()
    except TypeError:
        return LogicalPlan.from_arrow(tables())


def _plain_columns(frame: pd.DataFrame) -> dict[str, object]:
    """Return the columns as arrays; TypeError for pandas' own types, which Arrow understands."""
    columns: dict[str, object] = {}
    for name, values in frame.items():
        array = values.array
        if type(array).__name__ not in ("NumpyExtensionArray", "DatetimeArray"):
            raise TypeError(f"Not a NumPy column: {name}")
        columns[str(name)] = values.to_numpy()
    if not columns and len(frame):
        raise TypeError("Rows without columns")
    return columns


def _table_of_frame(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    if not len(frame.columns):
        return pa.table({_DATA: pa.nulls(len(frame))}).select([])
    from penstock.data.arrow_columns import table_of_frame

    return table_of_frame(frame)


def _check_names(names: Iterable[object]) -> None:
    seen: dict[str, object] = {}
    for name in names:
        text = str(name)
        arguments.check_column_name(text)
        if text in seen:
            raise ValueError(
                f"Two columns would have one name; rename one of them; got: {seen[text]!r} and "
                f"{name!r}"
            )
        seen[text] = name


def _table_of_rows(rows: list[dict[str, Any]]) -> list[pa.Table]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    _check_names(names)
    return [_table_of_columns({name: [row.get(name) for row in rows] for name in names})]


def _table_of_columns(columns: dict[str, list[Any]]) -> pa.Table:
    import pyarrow as pa

    from penstock.worker import ragged

    arrays: list[Any] = []
    fields: list[pa.Field] = []
    for name, values in columns.items():
        try:
            array, metadata = ragged.column(values)
            arrays.append(array)
            fields.append(pa.field(str(name), array.type, metadata=metadata))
        except UnicodeEncodeError as error:
            raise ValueError(
                f"Column {name!r} holds text that UTF-8 cannot hold (a lone surrogate); replace "
                f"it, or encode the text as bytes: {error}"
            ) from None
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise TypeError(
                f"The values of column {name!r} do not fit one Arrow type; give them one type, "
                f"or encode them as bytes: {error}"
            ) from None
    return pa.table(arrays, pa.schema(fields))
