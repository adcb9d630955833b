"""Tensors as nested lists, for table formats that have no tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from penstock.exceptions import SchemaMismatchError
from penstock.worker import ragged

if TYPE_CHECKING:
    from collections.abc import Iterator


def with_lists(reader: pa.RecordBatchReader, format_name: str) -> pa.RecordBatchReader:
    """Return the same rows; each tensor is a list, of lists where it has several dimensions.

    So are vectors of any length.

    Raises:
        SchemaMismatchError: tensors whose shapes vary, naming the column.

    """
    for field in reader.schema:
        if ragged.is_ragged(field) and not _are_vectors(field):
            raise SchemaMismatchError(
                f"{format_name} has no tensors whose shapes vary; make lists of them (tolist) "
                f"before they are written; got: column {field.name!r}"
            )
    schema = pa.schema([_list_field(field) for field in reader.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = [
                _vectors(column) if _are_vectors(field) else _lists(column)
                for field, column in zip(batch.schema, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _are_vectors(field: pa.Field) -> bool:
    """Say whether the column's arrays have one dimension, and any length."""
    if not ragged.is_ragged(field):
        return False
    stored = getattr(field.type, "storage_type", field.type)
    return bool(stored.field("shape").type.list_size == 1)


def _vectors(column: Any) -> pa.Array:
    storage = getattr(column, "storage", column)
    data = storage.field("data")
    offsets = pa.array(data.offsets.to_numpy())
    return pa.ListArray.from_arrays(offsets, data.values, mask=storage.is_null())


def _list_field(field: pa.Field) -> pa.Field:
    if _are_vectors(field):
        stored = getattr(field.type, "storage_type", field.type)
        return pa.field(field.name, stored.field("data").type, field.nullable)
    if not isinstance(field.type, pa.FixedShapeTensorType):
        return field
    kind = field.type.value_type
    for _ in field.type.shape:
        kind = pa.list_(kind)
    return pa.field(field.name, kind, field.nullable)


def _lists(column: Any) -> Any:
    if not isinstance(column.type, pa.FixedShapeTensorType):
        return column
    storage, shape = column.storage, column.type.shape
    row_values = math.prod(shape)
    values = storage.values.slice(storage.offset * row_values, len(storage) * row_values)
    for size in reversed(shape[1:]):
        values = pa.ListArray.from_arrays(_offsets(len(values), size), values)
    return pa.ListArray.from_arrays(_offsets(len(values), shape[0]), values, mask=storage.is_null())


def _offsets(values: int, size: int) -> pa.Array:
    return pa.array(np.arange(0, values + 1, size), pa.int32())
