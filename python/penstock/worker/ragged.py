"""Columns of tensors whose shapes vary by row: Arrow's `variable_shape_tensor`.

Tensors have two dimensions or more; vectors whose lengths vary are Arrow's lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

_NAME = b"arrow.variable_shape_tensor"
_EXTENSION_NAME = b"ARROW:extension:name"
# What makes the storage a column of such tensors, in a field's metadata: pyarrow has no such type.
METADATA = {_EXTENSION_NAME: _NAME, b"ARROW:extension:metadata": b"{}"}
_VALUES_MAX = np.iinfo(np.int32).max


def is_ragged(field: pa.Field) -> bool:
    """Say whether the column's tensors may differ in shape."""
    named = (field.metadata or {}).get(_EXTENSION_NAME)
    return named == _NAME or getattr(field.type, "extension_name", "") == _NAME.decode()


def are_tensors(values: Sequence[Any]) -> bool:
    """Say whether the values are arrays of numbers or None, some with several dimensions.

    Raises:
        TypeError: they differ in the number of dimensions, or in their type.

    """
    held = [value for value in values if value is not None]
    if not all(isinstance(value, np.ndarray) for value in held):
        return False
    kinds = {(value.ndim, value.dtype) for value in held}
    if not any(ndim > 1 for ndim, _ in kinds):
        return False
    if any(dtype.kind not in "biuf" for _, dtype in kinds):
        return False
    if len({ndim for ndim, _ in kinds}) > 1:
        found = " and ".join(str(ndim) for ndim in sorted({ndim for ndim, _ in kinds}))
        raise TypeError(
            "the tensors of a column may differ in shape, but must have equally many dimensions; "
            f"reshape them; these have {found}"
        )
    if len({dtype for _, dtype in kinds}) > 1:
        found = " and ".join(sorted(str(dtype) for _, dtype in kinds))
        raise TypeError(
            f"the tensors of a column must have one type; cast them with astype; these are {found}"
        )
    return True


def column(values: Sequence[Any]) -> tuple[pa.Array, dict[bytes, bytes] | None]:
    """Return Python values, one a row, as a column and what its field is to be marked with.

    Arrays are tensors; those within structs and lists are lists.

    Raises:
        TypeError, OverflowError, pa.ArrowException: no column holds them.

    """
    import pyarrow as pa

    if are_tensors(values):
        return encode(values), METADATA
    try:
        return pa.array(values), None
    except (pa.ArrowException, TypeError):
        listed = [as_lists(value) for value in values]
        return pa.array(listed), None


def as_lists(value: Any) -> Any:
    """Return a value with its tensors, however deep in structs and lists, as lists of vectors."""
    if isinstance(value, np.ndarray):
        if value.ndim == 1 and value.dtype != object:
            return value
        return value.item() if value.ndim == 0 else [as_lists(part) for part in value]
    if isinstance(value, dict):
        return {name: as_lists(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_lists(part) for part in value]
    return value


def encode(values: Sequence[np.ndarray | None]) -> pa.Array:
    """Return the storage of what `are_tensors` finds, to be named by METADATA.

    Raises:
        OverflowError: more numbers than a column can hold.

    """
    import pyarrow as pa

    held = [value for value in values if value is not None]
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([0 if value is None else value.size for value in values], out=offsets[1:])
    if offsets[-1] > _VALUES_MAX:
        raise OverflowError(
            f"a batch holds at most {_VALUES_MAX} numbers in tensors whose shapes vary; a smaller "
            f"batch_size helps; there are {offsets[-1]}"
        )
    native = held[0].dtype.newbyteorder("=")
    flat = np.concatenate([value.ravel() for value in held], dtype=native)
    nothing = (0,) * held[0].ndim
    shapes = np.array([nothing if value is None else value.shape for value in values], np.int32)
    data = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(flat))
    shape = pa.FixedSizeListArray.from_arrays(pa.array(shapes.ravel()), shapes.shape[1])
    missing = pa.array([value is None for value in values]) if len(held) < len(values) else None
    return pa.StructArray.from_arrays([data, shape], ["data", "shape"], mask=missing)


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
