"""How parts of Arrow data travel: alone, without the rest of the memory that they are cut from."""

from __future__ import annotations

import pickle
from typing import Any

_WASTE_BYTES = 4096  # That is not worth a copy.


def reduce_arrow(value: Any) -> Any:
    """Return how to build a slice again; NotImplemented where Arrow's own pickling does as well."""
    import pyarrow as pa

    kinds = (pa.Table, pa.RecordBatch, pa.ChunkedArray, pa.Array)
    if not isinstance(value, kinds):
        return NotImplemented
    if value.get_total_buffer_size() <= 2 * value.nbytes + _WASTE_BYTES:
        return NotImplemented
    kind = next(kind for kind in kinds if isinstance(value, kind))
    table = _to_table(pa, value)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _rebuild, (pickle.PickleBuffer(sink.getvalue()), kind.__name__)


def _to_table(pa: Any, value: Any) -> Any:
    if isinstance(value, pa.Table):
        return value
    if isinstance(value, pa.RecordBatch):
        return pa.Table.from_batches([value])
    return pa.table({"": value})


def _rebuild(memory: Any, kind: str) -> Any:
    import pyarrow as pa

    table = pa.ipc.open_stream(pa.py_buffer(memory)).read_all()
    if kind == "Table":
        return table
    if kind == "RecordBatch":
        (batch,) = table.to_batches() or [
            pa.RecordBatch.from_arrays([[]] * table.num_columns, schema=table.schema)
        ]
        return batch
    column = table.column(0)
    if kind == "ChunkedArray":
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
