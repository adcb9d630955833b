"""Arrow columns that the engine does not translate itself: nested, ragged, decimal and zoned.

Imports pyarrow; `penstock.data.blocks` imports this module only when it meets such a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from penstock.worker import ragged

if TYPE_CHECKING:
    import pandas as pd

    from penstock._core import Block


def to_table(block: Block) -> pa.Table:
    """Return the block as a table, without a copy."""
    return pa.Table.from_batches([pa.record_batch(block)])


def table_of_frame(frame: pd.DataFrame) -> pa.Table:
    """Return a DataFrame's columns without its index; arrays in their cells as tensors."""
    tensors = {}
    for place, name in enumerate(frame.columns):
        series = frame.iloc[:, place]
        if series.dtype == object and ragged.are_tensors(list(series)):
            tensors[name] = ragged.encode(list(series))
    rest = frame.drop(columns=list(tensors)) if tensors else frame
    table = pa.Table.from_pandas(rest, preserve_index=False).replace_schema_metadata(None)
    if not tensors:
        return table
    others = iter(zip(table.schema, table.columns, strict=True))
    columns = [
        (pa.field(str(name), tensors[name].type, metadata=ragged.METADATA), tensors[name])
        if name in tensors
        else next(others)
        for name in frame.columns
    ]
    return pa.table(
        [values for _, values in columns], schema=pa.schema([field for field, _ in columns])
    )


def numpy_column(table: pa.Table, name: str) -> Any:
    """Return a column as an array: tensors stacked, what NumPy has no type for as objects."""
    index = table.column_names.index(name)
    column = _combined(table, index)
    if isinstance(column.type, pa.FixedShapeTensorType):
        if column.null_count == 0:
            return _stacked(column)
        return _object_array(_tensor_values(column))
    if ragged.is_ragged(table.schema.field(index)):
        return ragged.to_numpy(column)
    return _storage(column).to_numpy(zero_copy_only=False)


def sample_columns(table: pa.Table) -> dict[str, Any]:
    """Return rows as arrays of the kind that others of their schema have at most.

    What may differ in shape is an array of arrays, also where these rows do not differ.
    """
    return {
        field.name: _object_array(ragged.tensors(_combined(table, place)))
        if ragged.is_ragged(field)
        else numpy_column(table, field.name)
        for place, field in enumerate(table.schema)
    }


def row_values(table: pa.Table, name: str) -> list[Any]:
    """Return a column's values as plain Python objects; tensors as arrays."""
    index = table.column_names.index(name)
    column = _combined(table, index)
    if isinstance(column.type, pa.FixedShapeTensorType):
        return _tensor_values(column)
    if ragged.is_ragged(table.schema.field(index)):
        return ragged.tensors(column)
    return list(column.to_pylist())


def pandas_column(table: pa.Table, name: str) -> pd.Series[Any]:
    """Return a column as a Series; tensors as objects."""
    import pandas as pd

    index = table.column_names.index(name)
    kind = table.schema.field(index)
    if isinstance(kind.type, pa.FixedShapeTensorType) or ragged.is_ragged(kind):
        return pd.Series(_object_array(row_values(table, name)), name=name)
    series: pd.Series[Any] = table.column(index).to_pandas()
    return series


def _combined(table: pa.Table, index: int) -> Any:
    column = table.column(index)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _storage(column: Any) -> Any:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _stacked(column: Any) -> Any:
    """Return tensors without nulls as one array; pyarrow does not do it for bools and times."""
    kind = column.type.value_type
    if not pa.types.is_boolean(kind) and not pa.types.is_temporal(kind):
        return column.to_numpy_ndarray()
    values = column.storage.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), *column.type.shape)


def _tensor_values(column: Any) -> list[Any]:
    if column.null_count == 0:
        return list(_stacked(column))
    shape = column.type.shape
    values = column.storage.to_numpy(zero_copy_only=False)
    return [None if value is None else np.asarray(value).reshape(shape) for value in values]


def _object_array(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        array[index] = value
    return array
