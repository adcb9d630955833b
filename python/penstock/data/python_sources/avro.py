"""Avro files, read by fastavro. Workers import this module too."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, ClassVar

from penstock.data.python_sources.files import FileBasedDatasource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

AVRO_EXTENSIONS = ("avro", "avro.gz", "avro.zst", "avro.bz2", "avro.lz4", "avro.br")
_ROWS_AT_ONCE = 8192


class AvroDatasource(FileBasedDatasource):
    """The records of Avro container files."""

    FORMAT: ClassVar[str] = "Avro"
    _FRONT_TO_BACK: ClassVar[bool] = True
    _FILE_EXTENSIONS: ClassVar[Sequence[str] | None] = AVRO_EXTENSIONS

    def get_name(self) -> str:
        """Return "Avro"."""
        return "Avro"

    def _read_stream(self, f: pa.NativeFile, path: str) -> Iterator[Any]:  # noqa: ARG002 - the base's
        import fastavro
        import pyarrow as pa

        from penstock.data.python_sources.avro_types import arrow_schema

        blocks: Any = fastavro.block_reader(_Positioned(f))  # type: ignore[arg-type]
        schema = arrow_schema(blocks.writer_schema)
        yield schema.empty_table()
        records = _records(blocks)
        while rows := list(itertools.islice(records, _ROWS_AT_ONCE)):
            columns = [_column(field, [row[field.name] for row in rows]) for field in schema]
            yield pa.Table.from_arrays(columns, schema=schema)


class _Positioned:
    """A stream that says how far it was read, as a stream that is decompressed cannot."""

    def __init__(self, stream: pa.NativeFile) -> None:
        self._stream = stream
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(None if size < 0 else size)
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position


def _records(blocks: Any) -> Iterator[Any]:
    """Yield the records of all blocks, each of which must hold no more than it counts."""
    for block in blocks:
        yield from block
        left = block.bytes_.read()
        if left:
            raise ValueError(
                f"the block at byte {block.offset} holds more than the {block.num_records} "
                f"records that it counts; bytes left over: {len(left)}"
            )


def _column(field: pa.Field, values: list[Any]) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(field.type):  # A uuid comes as an object of its own.
        values = [
            value if value is None or isinstance(value, str) else str(value) for value in values
        ]
    return pa.array(values, field.type)
