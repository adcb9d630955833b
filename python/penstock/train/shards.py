"""The driver's part in giving each worker its rows.

Each data set is run once, before the workers start, and its rows are put into shared memory as
Arrow data, which workers map without a copy and may read as often as they want. So data sets need
no processor while the workers hold theirs, and a training that starts again reads nothing again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from penstock.data import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock._core import Block
    from penstock.data.iterator import DataIterator

_PART_BYTES = 16 << 20


class Shard(NamedTuple):
    """Rows in shared memory: each part is a reference to an Arrow stream, as an array of bytes."""

    parts: list[Any]
    rows: int
    schema: bytes | None  # As an Arrow stream without rows; None: not known.


def place(assigned: Sequence[dict[str, DataIterator]]) -> list[dict[str, Shard]]:
    """Put into shared memory what each worker's iterators yield; equal ones share it.

    Iterators of one data set are taken from in turn, as those of a `streaming_split` must be.
    """
    names = list(dict.fromkeys(name for own in assigned for name in own))
    placed: list[dict[str, Shard]] = [{} for _ in assigned]
    for name in names:
        ranks = [rank for rank, own in enumerate(assigned) if name in own]
        shards = _place_side_by_side(
            {id(assigned[rank][name]): assigned[rank][name] for rank in ranks}
        )
        for rank in ranks:
            placed[rank][name] = shards[id(assigned[rank][name])]
    return placed


def packed_schema(schema: pa.Schema) -> bytes:
    """Return a schema as a stream without rows."""
    data: bytes = _pack(pa.Table.from_batches([], schema)).to_pybytes()
    return data


def table_of(packed: Any) -> pa.Table:
    """Return the rows of a stream, without a copy."""
    with pa.ipc.open_stream(pa.py_buffer(packed)) as stream:
        return stream.read_all()


def _place_side_by_side(iterators: dict[int, DataIterator]) -> dict[int, Shard]:
    writers = {key: _Writer() for key in iterators}
    running: dict[int, Iterator[Block]] = {
        key: iter(iterator._blocks())  # noqa: SLF001 - the two belong together
        for key, iterator in iterators.items()
    }
    while running:
        for key, source in list(running.items()):
            block = next(source, None)
            if block is None:
                del running[key]
            else:
                writers[key].add(block)
    schemas = [writer.schema for writer in writers.values() if writer.schema is not None]
    known = schemas[0] if schemas else _schema_of(next(iter(iterators.values())))
    return {key: writer.finish(known) for key, writer in writers.items()}


def _schema_of(iterator: DataIterator) -> pa.Schema | None:
    schema = iterator.schema()
    return None if schema is None else schema.base_schema


class _Writer:
    """Gathers one shard's blocks into parts, and puts each into shared memory."""

    def __init__(self) -> None:
        self.schema: pa.Schema | None = None
        self._parts: list[Any] = []
        self._rows = 0
        self._pending: list[pa.Table] = []
        self._pending_bytes = 0

    def add(self, block: Block) -> None:
        table = blocks.to_arrow(block)
        self.schema = self.schema or table.schema
        if not block.num_rows:
            return
        if self._pending and self._pending[0].schema != table.schema:
            self._flush()
        self._pending.append(table)
        self._pending_bytes += block.nbytes
        self._rows += block.num_rows
        if self._pending_bytes >= _PART_BYTES:
            self._flush()

    def finish(self, schema: pa.Schema | None) -> Shard:
        self._flush()
        return Shard(self._parts, self._rows, None if schema is None else packed_schema(schema))

    def _flush(self) -> None:
        if not self._pending:
            return
        import numpy as np

        import penstock

        packed = _pack(pa.concat_tables(self._pending))
        self._parts.append(penstock.put(np.frombuffer(packed, dtype=np.uint8)))
        self._pending, self._pending_bytes = [], 0


def _pack(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()
