"""Batches as functions want them, and what functions return as columns.

pyarrow and pandas are imported only where a batch, a format or a result asks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock import _worker
from penstock.worker.failure import BadReturnError
from penstock.worker.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

WANTED = (
    "a dict of arrays, lists or tensors with one value a row, a pandas DataFrame, "
    "a pyarrow Table or another of Arrow's kind, or a list of row dicts"
)
UNCHANGEABLE = frozenset({"pyarrow", "arrow_c", "packed"})  # Formats that nobody writes to.
BAD_NAME = "a column's name must be text"  # How columns.h complains.


def to_numpy(batch: _worker.Batch) -> dict[str, Any]:
    """Return {name: array}; plain columns as views of the batch's memory."""
    arrays: dict[str, Any] = batch.to_numpy()
    if not batch.is_plain:
        from penstock.worker import arrow

        arrays.update(arrow.numpy_columns(batch))
    return arrays


def to_pyarrow(batch: _worker.Batch) -> pa.Table:
    """Return a Table over the batch's memory."""
    import pyarrow as pa

    from penstock.worker import arrow

    return pa.Table.from_batches([arrow.record_batch(batch)])


def to_pandas(batch: _worker.Batch) -> Any:
    """Return a DataFrame; tensors become a column of arrays."""
    from penstock.worker import arrow

    return arrow.to_pandas(batch)


def as_packed(batch: _worker.Batch) -> _worker.Batch:
    """Return the batch as it came, for functions of our own."""
    return batch


_READERS: dict[str, Callable[[_worker.Batch], Any]] = {
    "packed": as_packed,
    "numpy": to_numpy,
    "pandas": to_pandas,
    "pyarrow": to_pyarrow,
}


def reader(batch_format: str, device: str = "cpu") -> Callable[[_worker.Batch], Any]:
    """Return what turns a batch into what a function wants; imports the library for it.

    `device` is where tensors of torch are to be: "cpu" or "cuda".
    """
    if batch_format == "torch":
        from penstock.worker.torch_batches import torch_reader

        return torch_reader(device)
    if batch_format == "arrow_c":
        from penstock.worker.arrow_c import ArrowBatch

        return ArrowBatch
    return _READERS[batch_format]


def other_values(batch: _worker.Batch) -> list[list[Any]]:
    """Return the values of the columns that are not plain, as Python values."""
    if batch.is_plain:
        return []
    from penstock.worker import arrow

    return arrow.row_values(batch)


def encode(result: Any, function: str) -> _worker.Output:
    """Turn what a batch function returned into columns.

    Raises:
        BadReturnError: it cannot become columns; the message says what came and what is wanted.

    """
    if isinstance(result, _worker.Output):
        return result
    if isinstance(result, Mapping):
        return _encode_columns(result, function)
    if isinstance(result, list):
        return encode_rows(result, function)
    frame = _frame_columns(result)
    if frame is not None:
        output = _encode_columns(frame, function)
        output.set_rows(len(result))
        return output
    speaks_arrow = hasattr(result, "__arrow_c_stream__") or hasattr(result, "__arrow_c_array__")
    if speaks_arrow and not hasattr(result, "__array_interface__"):
        from penstock.worker import arrow

        if not arrow.is_single_column(result):
            return arrow.encode_table(result, function)
    raise BadReturnError(
        f"The function {function} returned what cannot become a batch; wanted: {WANTED}; "
        f"got: {type(result).__name__}{_length(result)}: {shown(result)}"
    )


def _length(result: Any) -> str:
    try:
        return f" of length {len(result)}"
    except TypeError:  # Also of arrays without a dimension.
        return ""


def finish(encoded: tuple[_worker.Output, list[tuple[int, Any]]], function: str) -> _worker.Output:
    """Add the columns that are not plain to what C++ encoded."""
    output, others = encoded
    if others:
        _encode_others(output, others, function)
    difference = output.length_difference()
    if difference is not None:
        first, first_rows, second, second_rows = difference
        raise BadReturnError(
            f"The function {function} returned columns that differ in length; wanted: one value "
            f"a row in each; got: {first!r} with {first_rows}, {second!r} with {second_rows}"
        )
    return output


def _encode_columns(columns: Mapping[Any, Any], function: str) -> _worker.Output:
    plain = columns if isinstance(columns, dict) else dict(columns)
    for name in plain:
        if not isinstance(name, str):
            raise BadReturnError(
                f"The function {function} returned a column whose name is no text; "
                f"got: {type(name).__name__}: {shown(name)}"
            )
    try:
        encoded = _worker.encode(plain)
    except ValueError as error:
        if not str(error).startswith(BAD_NAME):
            raise
        raise BadReturnError(f"The function {function} returned a bad column: {error}") from None
    return finish(encoded, function)


def take(batch: _worker.Batch, others: list[list[Any]], mask: bytes) -> _worker.Output:
    """Keep the rows whose byte in `mask` is 1; `others` as of `other_values`."""
    output = batch.take(mask)
    if others:
        from penstock.worker import arrow

        arrow.take_others(batch, output, mask)
    elif batch.schema:  # It has metadata.
        output.set_schema(batch.schema)
    return output


def encode_rows(rows: list[Any], function: str) -> _worker.Output:
    """Turn row dicts into columns.

    Raises:
        BadReturnError: one of them is no dict, or cannot become columns.

    """
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise BadReturnError(
                f"The function {function} returned a list whose item {place} is no row dict; "
                f"wanted: {WANTED}; got: {type(row).__name__}: {shown(row)}"
            )
    try:
        encoded = _worker.encode_rows(rows)
    except (TypeError, ValueError) as error:
        raise BadReturnError(f"The function {function} returned a bad row: {error}") from None
    return finish(encoded, function)


def _frame_columns(result: Any) -> dict[str, Any] | None:
    """Return a DataFrame's columns, NumPy's own as arrays; None for anything else."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(result, pandas.DataFrame):
        return None
    import numpy as np

    columns: dict[str, Any] = {}
    for place, name in enumerate(result.columns):
        series = result.iloc[:, place]
        if str(name) in columns:
            raise BadReturnError(f"A DataFrame has two columns of one name; got: {name!r}")
        numpy_own = isinstance(series.dtype, np.dtype)
        columns[str(name)] = series.to_numpy() if numpy_own else series
    return columns


def _encode_others(output: _worker.Output, others: list[tuple[int, Any]], function: str) -> None:
    names = [column.name for column in output.describe()]
    left = []
    for place, given in others:
        values = _unwrapped(_checked_column(given, names[place], function))
        if not _encode_listed(output, place, values, is_new=values is not given):
            left.append((place, values))
    if left:
        from penstock.worker import arrow

        arrow.encode_columns(output, left, function)


def _unwrapped(values: Any) -> Any:
    """Return tensors of torch and other libraries, one a row, as a list of NumPy's arrays."""
    objects = getattr(getattr(values, "dtype", None), "kind", "") == "O" and values.ndim == 1
    if not objects and not isinstance(values, list | tuple):
        return values
    if not any(_is_tensor(value) for value in values):
        return values
    return [_as_numpy(value) if _is_tensor(value) else value for value in values]


def _is_tensor(value: Any) -> bool:
    """Say whether it is an array of some library's but NumPy's, pandas' and Arrow's."""
    if not hasattr(value, "__array__") or not hasattr(value, "ndim"):
        return False
    return type(value).__module__.partition(".")[0] not in ("numpy", "pandas", "pyarrow")


def _as_numpy(tensor: Any) -> Any:
    import numpy as np

    if hasattr(tensor, "detach") and hasattr(tensor, "cpu"):
        tensor = tensor.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":  # NumPy has no such numbers.
            tensor = tensor.float()
    return np.asarray(tensor)


def _encode_listed(output: _worker.Output, place: int, values: Any, *, is_new: bool) -> bool:
    """Encode what is a list only now, and sequences such as `range`; False: it is not plain."""
    if is_new:
        return output.set_values(place, values)
    if isinstance(values, list | tuple) or hasattr(values, "__array__"):
        return False
    if isinstance(values, Sequence | memoryview) or type(values).__name__ in ("array", "deque"):
        return output.set_values(place, list(values))
    return False


def _checked_column(values: Any, name: str, function: str) -> Any:
    scalar = isinstance(values, str | bytes | bytearray | Mapping | set | frozenset)
    dimensions = getattr(values, "ndim", None)
    if scalar or dimensions == 0 or not hasattr(values, "__len__"):
        raise BadReturnError(
            f"The function {function} returned a column that has no rows; wanted: an array, list "
            f"or tensor with one value a row; got for column {name!r}: "
            f"{type(values).__name__}: {shown(values)}"
        )
    dtype = getattr(values, "dtype", None)
    if getattr(dtype, "names", None) is not None:
        raise BadReturnError(
            f"The function {function} returned a structured array; return one column a field "
            f"instead; got for column {name!r}: {dtype}"
        )
    if getattr(dtype, "kind", "") == "c":
        raise BadReturnError(
            f"The function {function} returned complex numbers; return their real and imaginary "
            f"parts as two columns instead; got for column {name!r}: {dtype}"
        )
    return values
