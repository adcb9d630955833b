"""The blocks of an Avro container file, unpacked. Workers import this module too.

fastavro leaves it to further libraries to unpack the codecs that are used most, and sets no limit
to what a block becomes.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC = b"Obj\x01"
_METADATA = {"type": "map", "values": "bytes"}
_SYNC_BYTES = 16
_UNPACKED_FREELY_BYTES = 128 << 20  # As source/input_files.h has both.
_COMPRESSION_RATIO_MAX = 32
_MORE = 0x80  # Of a varint's byte: others follow.
_VARINT_BYTES_MAX = 10
_PIECE_BYTES = 4 << 20


class UnpackedFile:
    """An Avro container file as it would be without compression; for fastavro to read once.

    A block is unpacked as a whole when the first of its bytes is read.

    Raises:
        ValueError: the file is no Avro container file, a block is damaged, or unpacks to more than
            128 MiB and 32 times its size.

    """

    def __init__(self, file: Any) -> None:
        self._file = _Counted(file)
        if self._file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("it does not begin as an Avro container file")
        stream: Any = self._file  # Which has of files what fastavro asks for.
        metadata: Any = fastavro.schemaless_reader(stream, _METADATA, None)
        codec = metadata.pop("avro.codec", b"null").decode()
        if codec not in _CODECS:
            raise ValueError(
                f"its codec is not known; got: {codec!r}; known: {', '.join(sorted(_CODECS))}"
            )
        self._unpack = _CODECS[codec]
        sync = self._file.read(_SYNC_BYTES)
        head = io.BytesIO()
        head.write(_MAGIC)
        fastavro.schemaless_writer(head, _METADATA, metadata)
        head.write(sync)
        self._held = io.BytesIO(head.getvalue())
        self._offset = 0

    def tell(self) -> int:
        """Return where in the file the block begins that is read now, or is read next."""
        held = self._held.getbuffer().nbytes
        return self._offset if self._held.tell() < held else self._file.tell()

    def read(self, size: int) -> bytes:
        """Return the next bytes; fewer only at the end of the file."""
        found = self._held.read(size)
        if not found and size:
            self._held = io.BytesIO(self._next_block())
            found = self._held.read(size)
        return found

    def _next_block(self) -> bytes:
        self._offset = self._file.tell()
        records = _read_varint(self._file)
        if not records:
            return b""
        try:
            unpacked = self._unpack_next()
        except _DAMAGED as error:
            raise ValueError(f"the block at byte {self._offset} cannot be read: {error}") from error
        sync: bytes = self._file.read(_SYNC_BYTES)
        return records + _varint(len(unpacked)) + unpacked + sync

    def _unpack_next(self) -> bytes:
        size = _zigzag(_read_varint(self._file))
        packed = self._file.read_pieces(size) if size > 0 else b""
        if len(packed) != size:
            raise ValueError(f"the file ends within it; got: {len(packed)} of {size} bytes")
        bytes_max = max(_UNPACKED_FREELY_BYTES, size * _COMPRESSION_RATIO_MAX)
        return self._unpack(packed, bytes_max)


class _Counted:
    """A stream that says how far it was read, as one that is decompressed cannot."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._position = 0

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        found: bytes = self._stream.read(size)
        self._position += len(found)
        return found

    def read_pieces(self, size: int) -> bytes:
        """Read so many bytes, which are not there where the size is a lie, a piece at a time."""
        pieces = []
        while size > 0 and (piece := self.read(min(size, _PIECE_BYTES))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


_DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException)


def _read_varint(file: Any) -> bytes:
    """Return the bytes of a number; none or some at the end of the file."""
    number = b""
    while (byte := file.read(1)) and len(number) < _VARINT_BYTES_MAX:
        number += byte
        if byte[0] < _MORE:
            break
    return number


def _zigzag(number: bytes) -> int:
    value = _unsigned(number)
    return (value >> 1) ^ -(value & 1)


def _unsigned(number: bytes) -> int:
    return sum((byte % _MORE) << 7 * place for place, byte in enumerate(number))


def _varint(number: int) -> bytes:
    value, encoded = number << 1, bytearray()
    while value >= _MORE:
        encoded.append(value % _MORE + _MORE)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _check(size: int, bytes_max: int) -> None:
    if size > bytes_max:
        raise ValueError(
            f"it unpacks to more than {bytes_max >> 20} MiB, as only what was made to fill the "
            "memory does; if it is good, write smaller blocks"
        )


def _by(make: Callable[[], Any]) -> Callable[[bytes, int], bytes]:
    def unpack(packed: bytes, bytes_max: int) -> bytes:
        decompressor = make()
        unpacked: bytes = decompressor.decompress(packed, bytes_max + 1)
        _check(len(unpacked), bytes_max)
        if not decompressor.eof:
            raise ValueError("its compressed bytes end too early")
        return unpacked

    return unpack


def _snappy(packed: bytes, bytes_max: int) -> bytes:
    body, checksum = packed[:-4], packed[-4:]
    size = _unsigned(_read_varint(io.BytesIO(body)))
    _check(size, bytes_max)
    unpacked: bytes = pa.Codec("snappy").decompress(body, size, asbytes=True)
    if zlib.crc32(unpacked).to_bytes(4, "big") != checksum:
        raise ValueError("its checksum is another one")
    return unpacked


def _zstandard(packed: bytes, bytes_max: int) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
        unpacked: bytes = stream.read(bytes_max + 1)
    _check(len(unpacked), bytes_max)
    return unpacked


def _lz4(packed: bytes, bytes_max: int) -> bytes:
    size = int.from_bytes(packed[:4], "little")
    _check(size, bytes_max)
    unpacked: bytes = pa.Codec("lz4_raw").decompress(packed[4:], size, asbytes=True)
    return unpacked


_CODECS: dict[str, Callable[[bytes, int], bytes]] = {
    "null": lambda packed, _: packed,
    "deflate": _by(lambda: zlib.decompressobj(-15)),
    "bzip2": _by(bz2.BZ2Decompressor),
    "xz": _by(lzma.LZMADecompressor),
    "snappy": _snappy,
    "zstandard": _zstandard,
    "lz4": _lz4,
}
