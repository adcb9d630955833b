"""Columns of tensors whose shapes vary by row: Arrow's `variable_shape_tensor`.

Vectors whose lengths vary are such tensors too; Python's lists are Arrow's lists.
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
_EXACT_MAX = 1 << 53


def is_ragged(field: pa.Field) -> bool:
    """Say whether the column's tensors may differ in shape."""
    named = (field.metadata or {}).get(_EXTENSION_NAME)
    return named == _NAME or getattr(field.type, "extension_name", "") == _NAME.decode()


def are_tensors(values: Sequence[Any]) -> bool:
    """Say whether the values are arrays of numbers or None, with a dimension or more.

    Raises:
        TypeError: they differ in the number of dimensions, or no type holds all their numbers.

    """
    held = [value for value in values if value is not None]
    if not all(isinstance(value, np.ndarray) for value in held):
        return False
    dimensions = {value.ndim for value in held}
    if not any(dimensions) or any(value.dtype.kind not in "biuf" for value in held):
        return False
    if len(dimensions) > 1:
        found = " and ".join(str(ndim) for ndim in sorted(dimensions))
        raise TypeError(
            "the tensors of a column may differ in shape, but must have equally many dimensions; "
            f"reshape them; these have {found}"
        )
    _common_dtype(held)
    return True


def _common_dtype(held: Sequence[np.ndarray]) -> np.dtype[Any]:
    """Return the type that holds all numbers, in this machine's order of bytes."""
    found = {value.dtype for value in held}
    if len(found) == 1:
        return held[0].dtype.newbyteorder("=")
    common = np.result_type(*found)
    are_numbers = all(dtype.kind != "b" for dtype in found)
    if not are_numbers or (common.kind == "f" and any(_is_beyond_floats(value) for value in held)):
        names = " and ".join(sorted(str(dtype) for dtype in found))
        raise TypeError(
            f"the tensors of a column must have one type; cast them with astype; these are {names}"
        )
    return common


def _is_beyond_floats(value: np.ndarray) -> bool:
    """Say whether there are integers that a float of 64 bits may not hold."""
    if value.dtype.kind not in "iu" or value.size == 0:
        return False
    return int(value.max()) > _EXACT_MAX or int(value.min()) < -_EXACT_MAX


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
    flat = np.concatenate([value.ravel() for value in held], dtype=_common_dtype(held))
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
