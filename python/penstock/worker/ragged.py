"""Columns of tensors whose shapes vary by row: Arrow's `variable_shape_tensor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = b"arrow.variable_shape_tensor"
_EXTENSION_NAME = b"ARROW:extension:name"


def is_ragged(field: pa.Field) -> bool:
    """Say whether the column's tensors may differ in shape."""
    named = (field.metadata or {}).get(_EXTENSION_NAME)
    return named == _NAME or getattr(field.type, "extension_name", "") == _NAME.decode()


def tensors(column: pa.Array) -> list[Any]:
    """Return each row's tensor as a view of the column; None for nulls."""
    storage = getattr(column, "storage", column)
    data = storage.field("data")
    values = data.values.to_numpy(zero_copy_only=False)
    offsets = data.offsets.to_numpy()
    shapes = storage.field("shape").to_pylist()
    valid = storage.is_valid().to_pylist()
    return [
        values[begin:end].reshape(shape) if ok else None
        for begin, end, shape, ok in zip(offsets, offsets[1:], shapes, valid, strict=False)
    ]


def to_numpy(column: pa.Array) -> Any:
    """Return the tensors stacked where all have one shape, else as an array of arrays."""
    rows = tensors(column)
    if rows and all(row is not None and row.shape == rows[0].shape for row in rows):
        return np.stack(rows)
    array = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        array[place] = row
    return array
