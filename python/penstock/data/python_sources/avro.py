"""Avro files, read by fastavro. Workers import this module too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from penstock.data.python_sources.avro_types import arrow_schema
from penstock.data.python_sources.files import FileBasedDatasource
from penstock.exceptions import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

AVRO_EXTENSIONS = ("avro", "avro.gz", "avro.zst", "avro.bz2", "avro.lz4", "avro.br")
_ROWS_AT_ONCE = 8192
_BYTES_AT_ONCE = 8 << 20


class AvroDatasource(FileBasedDatasource):
    """The records of Avro container files, whose columns must have types that go together."""

    FORMAT: ClassVar[str] = "Avro"
    _FRONT_TO_BACK: ClassVar[bool] = True
    _FILE_EXTENSIONS: ClassVar[Sequence[str] | None] = AVRO_EXTENSIONS
    _first: str | None = None  # Of the files, whose schema the others are held against.
    _first_schema: pa.Schema | None = None  # Read by each process that needs it.

    def get_name(self) -> str:
        """Return "Avro"."""
        return "Avro"

    def _list(self) -> list[str]:
        files = super()._list()
        self._first = files[0] if files else None
        return files

    def _read_stream(self, f: pa.NativeFile, path: str) -> Iterator[Any]:
        import pyarrow as pa

        blocks = _open(f)
        schema = arrow_schema(blocks.writer_schema)
        self._check(schema, path)
        yield schema.empty_table()
        for rows in _pieces(blocks):
            columns = [_column(field, [row[field.name] for row in rows]) for field in schema]
            yield pa.Table.from_arrays(columns, schema=schema)

    def _check(self, schema: pa.Schema, path: str) -> None:
        """Raise where no type holds both a column's values and those of the first file."""
        if self._first is None or path == self._first:
            return
        import pyarrow as pa

        if self._first_schema is None:
            with self._open(self._first) as file:
                self._first_schema = arrow_schema(_open(file).writer_schema)
        try:
            pa.unify_schemas([self._first_schema, schema], promote_options="permissive")
        except pa.ArrowException as error:
            raise SchemaMismatchError(
                f"{self._first} and {path} cannot be read together; read them apart, or convert "
                f"one: {error}"
            ) from error


def _open(file: pa.NativeFile) -> Any:
    import fastavro

    from penstock.data.python_sources.avro_blocks import UnpackedFile

    unpacked: Any = UnpackedFile(file)
    return fastavro.block_reader(unpacked)


def _pieces(blocks: Any) -> Iterator[list[Any]]:
    """Yield the records of all blocks, each of which must hold no more than it counts."""
    held: list[Any] = []
    nbytes = 0
    for block in blocks:
        for record in block:
            held.append(record)
            if len(held) == _ROWS_AT_ONCE:
                yield held
                held, nbytes = [], 0
        left = block.bytes_.read()
        if left:
            raise ValueError(
                f"the block at byte {block.offset} holds more than the {block.num_records} "
                f"records that it counts; bytes left over: {len(left)}"
            )
        nbytes += block.bytes_.getbuffer().nbytes
        if nbytes >= _BYTES_AT_ONCE and held:
            yield held
            held, nbytes = [], 0
    if held:
        yield held


def _column(field: pa.Field, values: list[Any]) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(field.type):  # A uuid comes as an object of its own.
        values = [
            value if value is None or isinstance(value, str) else str(value) for value in values
        ]
    return pa.array(values, field.type)
