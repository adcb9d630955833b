"""Blocks of Avro files are unpacked, whatever they are packed with, up to what is honest."""

from __future__ import annotations

import io
import json
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from penstock.data import read_avro
from penstock.exceptions import CorruptDataError

if TYPE_CHECKING:
    from collections.abc import Callable

fastavro = pytest.importorskip("fastavro")

ROWS = [{"n": number, "text": "text " * number} for number in range(300)]
SCHEMA = {
    "type": "record",
    "name": "R",
    "fields": [{"name": "n", "type": "long"}, {"name": "text", "type": "string"}],
}


def varint(number: int) -> bytes:
    value, encoded = number << 1, bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def packed_by_hand(codec: str, pack: Callable[[bytes], bytes]) -> bytes:
    """Return a file whose only block is packed by a codec that fastavro lacks a library for."""
    body = io.BytesIO()
    for row in ROWS:
        fastavro.schemaless_writer(body, fastavro.parse_schema(SCHEMA), row)
    block, sync = pack(body.getvalue()), bytes(range(16))
    head = io.BytesIO()
    metadata = {
        "avro.schema": json.dumps(SCHEMA).encode(),
        "avro.codec": codec.encode(),
    }
    fastavro.schemaless_writer(head, {"type": "map", "values": "bytes"}, metadata)
    return (
        b"Obj\x01" + head.getvalue() + sync + varint(len(ROWS)) + varint(len(block)) + block + sync
    )


def by_arrow(codec: str) -> Callable[[bytes], bytes]:
    return lambda body: pa.compress(body, codec, asbytes=True)


HANDMADE = {
    "snappy": lambda body: by_arrow("snappy")(body) + zlib.crc32(body).to_bytes(4, "big"),
    "zstandard": by_arrow("zstd"),
    "lz4": lambda body: len(body).to_bytes(4, "little") + by_arrow("lz4_raw")(body),
}


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_blocks_of_the_codecs_that_fastavro_writes_are_read(codec, tmp_path):
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, SCHEMA, ROWS, codec=codec, sync_interval=2000)
    assert read_avro(tmp_path / "a.avro").take_all() == ROWS


@pytest.mark.parametrize("codec", HANDMADE)
def test_blocks_of_the_other_codecs_are_read_without_a_further_library(codec, tmp_path):
    (tmp_path / "a.avro").write_bytes(packed_by_hand(codec, HANDMADE[codec]))
    assert read_avro(tmp_path / "a.avro").take_all() == ROWS


@pytest.mark.parametrize("codec", HANDMADE)
def test_a_block_that_is_damaged_is_told_by_file_and_byte(codec, tmp_path):
    content = bytearray(packed_by_hand(codec, HANDMADE[codec]))
    content[-40] ^= 0xFF
    (tmp_path / "bad.avro").write_bytes(content)
    with pytest.raises(CorruptDataError, match=r"(?s)block at byte \d+.*bad\.avro"):
        read_avro(tmp_path / "bad.avro").take_all()


def test_a_codec_that_no_one_knows_is_told_by_its_name(tmp_path):
    (tmp_path / "odd.avro").write_bytes(packed_by_hand("brotli", lambda body: body))
    with pytest.raises(CorruptDataError, match=r"(?s)'brotli'.*known: .*snappy.*odd\.avro"):
        read_avro(tmp_path / "odd.avro").take_all()


def test_large_records_are_handed_on_before_all_are_read(tmp_path):
    from penstock.data.python_sources.avro import AvroDatasource

    rows = [{"n": n, "text": chr(97 + n) * (3 << 20)} for n in range(8)]
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, SCHEMA, rows)
    source = AvroDatasource([str(tmp_path / "a.avro")])
    sizes = [table.num_rows for table in source.read_file(str(tmp_path / "a.avro"))]
    assert sum(sizes) == len(rows)
    assert max(sizes) <= 3


def test_files_whose_columns_go_together_are_read_as_one(tmp_path):
    for name, kind, value in [("1", "int", 1), ("2", "long", 1 << 40), ("3", "double", 0.5)]:
        schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]}
        with (tmp_path / f"{name}.avro").open("wb") as file:
            fastavro.writer(file, schema, [{"a": value}])
    assert [row["a"] for row in read_avro(tmp_path).take_all()] == [1, 1 << 40, 0.5]
    assert np.issubdtype(type(read_avro(tmp_path).take_all()[2]["a"]), float)
