"""The columns that only pyarrow knows: nested, decimal, zoned, and what it makes of odd values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from penstock import _worker
from penstock.worker import ragged
from penstock.worker.failure import BadReturnError
from penstock.worker.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


OFFSET_MAX = np.iinfo(np.int32).max  # How far the offsets of text and binary reach.
_LARGE_TYPES = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}


class _Exported:
    """A batch with the schema that it is to be read by, for Arrow's import."""

    def __init__(self, batch: _worker.Batch, schema: pa.Schema) -> None:
        self._batch = batch
        self._schema = schema

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        capsule = self._schema.__arrow_c_schema__()
        return capsule, self._batch.to_arrow(capsule)


def record_batch(batch: _worker.Batch) -> pa.RecordBatch:
    """Return the batch's columns over its own memory."""
    if batch.schema:
        schema = pa.ipc.read_schema(pa.py_buffer(batch.schema))
    else:
        schema = pa.schema([(column.name, _plain_type(column)) for column in batch.describe()])
    return pa.record_batch(_Exported(batch, schema))


def numpy_columns(batch: _worker.Batch) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, array) of the columns that are not plain, in order."""
    for field, values in _other_columns(batch):
        yield field.name, ragged.to_numpy(values) if ragged.is_ragged(field) else _to_numpy(values)


def row_values(batch: _worker.Batch) -> list[list[Any]]:
    """Return the values of each column that is not plain, in order; tensors as arrays."""
    return [
        ragged.tensors(values) if ragged.is_ragged(field) else values.to_pylist()
        for field, values in _other_columns(batch)
    ]


def _other_columns(batch: _worker.Batch) -> Iterator[tuple[pa.Field, pa.Array]]:
    whole = record_batch(batch)
    for place, column in enumerate(batch.describe()):
        if not column.type_name:
            yield whole.schema.field(place), whole.column(place)


def _to_numpy(values: pa.Array) -> np.ndarray:
    """Return the values as Ray Data's "numpy" batch format has them."""
    try:
        array: np.ndarray = values.to_numpy(zero_copy_only=False)
    except (pa.ArrowException, TypeError):
        array = np.empty(len(values), dtype=object)
        array[:] = values.to_pylist()
    return array if array.flags.writeable else array.copy()


def to_pandas(batch: _worker.Batch) -> Any:
    """Return a DataFrame; tensors become a column of arrays."""
    import pandas as pd

    tensors = {column.name for column in batch.describe() if column.shape}
    table = pa.Table.from_batches([record_batch(batch)])
    others = {
        field.name: ragged.tensors(values)
        for field, values in _other_columns(batch)
        if ragged.is_ragged(field)
    }
    frame = table.drop_columns([*tensors, *others]).to_pandas(ignore_metadata=True)
    tensors |= others.keys()
    if tensors:
        arrays = batch.to_numpy() | others
        columns = {
            name: pd.Series(list(arrays[name]), dtype=object) if name in tensors else frame[name]
            for name in table.column_names
        }
        frame = pd.DataFrame(columns)
    return frame


def is_single_column(result: Any) -> bool:
    """Say whether the result is one column, such as a pyarrow Array or a pandas Series."""
    if isinstance(result, pa.Array | pa.ChunkedArray):
        return True
    return hasattr(result, "dtype") and not hasattr(result, "columns")


def encode_table(result: Any, function: str) -> _worker.Output:
    """Turn a Table, or whatever exports Arrow's columns, into an output."""
    try:
        table = pa.table(result)
        rows = table.num_rows  # Unifying loses those of a table without columns.
        table = table.unify_dictionaries()
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadReturnError(
            f"The function {function} returned a {type(result).__name__} that pyarrow cannot take "
            f"as a table: {error}"
        ) from error
    if len(set(table.column_names)) < table.num_columns:
        raise BadReturnError(
            f"The function {function} returned a table with two columns of one name; "
            f"got: {', '.join(table.column_names)}"
        )
    output = _worker.Output()
    output.set_rows(rows)
    columns = list(enumerate(table.columns))
    for name in table.column_names:
        output.add(name)
    encode_columns(output, columns, function, table.schema)
    return output


def encode_columns(
    output: _worker.Output,
    columns: Sequence[tuple[int, Any]],
    function: str,
    schema: pa.Schema | None = None,
) -> None:
    """Add the columns, given as (place, values), that pyarrow holds or makes.

    Metadata of `schema` and its fields is kept, but for what pandas noted there: that speaks of the
    index of this one table.

    Raises:
        BadReturnError: pyarrow cannot make one type of a column's values.

    """
    fields = {}
    for place, values in columns:
        given = schema.field(place) if schema is not None else None
        fields[place] = _encode_column(output, place, values, function, given)
    described = output.describe()
    metadata = dict((schema.metadata if schema is not None else None) or {})
    metadata.pop(b"pandas", None)
    if not metadata and all(
        column.type_name and (place not in fields or not fields[place].metadata)
        for place, column in enumerate(described)
    ):
        return
    whole = [
        fields[place] if place in fields else pa.field(column.name, _plain_type(column))
        for place, column in enumerate(described)
    ]
    output.set_schema(pa.schema(whole, metadata or None).serialize().to_pybytes())


def _encode_column(
    output: _worker.Output, place: int, values: Any, function: str, given: pa.Field | None
) -> pa.Field:
    """Add a column; return its field, with the metadata of the one that it was given as."""
    name = output.describe()[place].name
    metadata = given.metadata if given is not None else None
    try:
        if _is_listed(values) and ragged.are_tensors(values):
            array, metadata = ragged.encode(values), ragged.METADATA
        else:
            array = _array(values)
        output.set_arrow(place, *array.__arrow_c_array__())
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise BadReturnError(
            f"The function {function} returned a column whose values have no common type; wanted: "
            f"an array, list or tensor with one value of one type a row; {error}; "
            f"got for column {name!r}: {shown(values)}"
        ) from error
    return pa.field(name, array.type, metadata=metadata)


def _is_listed(values: Any) -> bool:
    """Say whether the values are Python objects, one a row."""
    return isinstance(values, list | tuple) or (
        type(values) is np.ndarray and values.ndim == 1 and values.dtype == object
    )


def _array(values: Any) -> pa.Array:
    """Return the values as one array, of a type that the layout has."""
    if isinstance(values, pa.ChunkedArray):
        values = _joined(values)
    if hasattr(values, "__arrow_c_array__") or isinstance(values, np.ma.MaskedArray):
        return _in_layout(_joined(pa.array(values)))
    if hasattr(values, "__arrow_c_stream__"):
        return _array(pa.chunked_array(values))
    if hasattr(values, "__array__"):
        values = np.asarray(values)
        if values.ndim == 1 and values.dtype != object:
            return _joined(pa.array(values))
        values = list(values) if values.ndim == 1 else values.tolist()
    try:
        return _joined(pa.array(values))
    except (pa.ArrowException, TypeError):
        listed = [ragged.as_lists(value) for value in values]
    try:
        return _joined(pa.array(listed))
    except (pa.ArrowException, TypeError):
        # NaN and NaT among other things are nulls.
        return _joined(pa.array(listed, from_pandas=True))


def _joined(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return one array; of a large type where the offsets of the chunks' type do not reach."""
    if isinstance(values, pa.Array):
        return values
    if values.num_chunks == 1:
        return values.chunk(0)
    large = _LARGE_TYPES.get(values.type)
    if large is not None and sum(_text_bytes(chunk) for chunk in values.chunks) > OFFSET_MAX:
        values = values.cast(large)
    return values.combine_chunks()


def _text_bytes(chunk: pa.Array) -> int:
    return int(pc.sum(pc.binary_length(chunk)).as_py() or 0)


def _in_layout(array: pa.Array) -> pa.Array:
    if pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_binary_view(array.type):
        return array.cast(pa.binary())
    if pa.types.is_run_end_encoded(array.type):
        return _in_layout(pc.run_end_decode(array))
    return array


def _plain_type(column: _worker.Column) -> pa.DataType:
    values = pa.type_for_alias(column.type_name)
    return pa.fixed_shape_tensor(values, column.shape) if column.shape else values


def take_others(batch: _worker.Batch, output: _worker.Output, mask: bytes) -> None:
    """Give the output the schema, and of the columns that are not plain the rows that are kept."""
    keep = pa.array(np.frombuffer(mask, dtype=np.bool_))
    whole = record_batch(batch)
    for place, column in enumerate(batch.describe()):
        if not column.type_name:
            kept = whole.column(place).filter(keep)
            _encode_column(output, place, kept, "filter", whole.schema.field(place))
    output.set_schema(batch.schema)
