"""Small files that claim, or unpack to, more than memory should hold: each is read in a process of
its own, whose peak of memory is looked at and whose address space is limited.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ZEROS_GIB = int(os.environ.get("PENSTOCK_BOMB_GIB", "1"))
MEMORY_MIB = 768  # Beyond what reading a good file takes.
WORKER_MIB = 1024  # In all.

READ = """
import json, resource, sys
from penstock import data, init

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

reader, good, bomb = sys.argv[1:]
read = getattr(data, reader)
resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
with init(memory=64 << 20, num_cpus=2):
    read(good).take_all()
    before = peak_mib()
    found = {"rows": 0, "error": "", "message": ""}
    try:
        for batch in read(bomb).iter_batches(batch_size=None):
            found["rows"] += len(next(iter(batch.values())))
    except Exception as error:
        found["error"], found["message"] = type(error).__name__, str(error)
    found["mib"] = peak_mib() - before
# Some formats are read by workers, which have ended now.
found["worker_mib"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
print(json.dumps(found))
"""


@pytest.fixture
def read_bomb(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Read a good file and then the bomb in a child; return rows, error, message and memory."""

    def run(reader: str, good: bytes, bomb: Path) -> dict[str, Any]:
        ending = bomb.name.split(".")[1]
        (tmp_path / f"good.{ending}").write_bytes(good)
        done = subprocess.run(
            [sys.executable, "-c", READ, reader, str(tmp_path / f"good.{ending}"), str(bomb)],
            capture_output=True,
            check=False,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert found["mib"] < MEMORY_MIB, found
        assert found["worker_mib"] < WORKER_MIB, found
        return found

    return run


def write_gzip(path: Path, front: bytes, piece: bytes) -> Path:
    """Write `front` and then gibibytes of a piece of 1 MiB, which is never held as a whole."""
    compress = zlib.compressobj(6, zlib.DEFLATED, 31)
    with path.open("wb") as file:
        file.write(compress.compress(front))
        for _ in range(ZEROS_GIB << 10):
            file.write(compress.compress(piece))
        file.write(compress.flush())
    return path


@pytest.fixture(scope="module")
def zeros(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A line, and then one of gibibytes of zeros."""
    return write_gzip(tmp_path_factory.mktemp("zeros") / "zeros.gz", b"n\n", bytes(1 << 20))


@pytest.mark.parametrize(
    ("reader", "ending"),
    [
        ("read_csv", "csv"),
        ("read_json", "json"),
        ("read_text", "txt"),
        ("read_binary_files", "bin"),
    ],
)
def test_a_gigantic_value_in_a_small_gzip_file_is_refused(
    reader, ending, zeros, tmp_path, read_bomb
):
    bomb = tmp_path / f"bomb.{ending}.gz"
    bomb.hardlink_to(zeros)
    found = read_bomb(reader, b'{"n":1}\n', bomb)
    assert found["error"] == "CorruptDataError"
    assert f"bomb.{ending}.gz" in found["message"]


def test_gigabytes_of_short_rows_in_a_small_gzip_file_stream_through(tmp_path, read_bomb):
    lines = (b"0" * 1023 + b"\n") * 1024
    found = read_bomb("read_text", b"n\n", write_gzip(tmp_path / "bomb.txt.gz", b"", lines))
    assert (found["error"], found["rows"]) == ("", ZEROS_GIB << 20)


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        sum_of_both = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + sum_of_both

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))  # Enough for 4 x 4.
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    picture = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return b"GIF89a" + screen + picture + b"\x02\x02\x4c\x01\x00;"


def bmp(width: int, height: int) -> bytes:
    front = b"BM" + struct.pack("<IHHI", 100, 0, 0, 54)
    return front + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6) + bytes(46)


def tiff(width: int, height: int) -> bytes:
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: height, 279: 16}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(204)


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + size


IMAGES = {
    "png": png(60_000, 60_000),
    "gif": gif(60_000, 60_000),
    "bmp": bmp(60_000, 60_000),
    "tiff": tiff(60_000, 60_000),
    "webp": webp(16_384, 16_384),
    "large enough png": png(11_500, 11_600),  # Just below the limit of pixels, with none of them.
    "large enough gif": gif(11_500, 11_600),
    "large enough tiff": tiff(11_500, 11_600),
}


@pytest.mark.parametrize("form", IMAGES)
def test_an_image_that_claims_to_be_gigantic_is_refused(form, tmp_path, read_bomb):
    bomb = tmp_path / f"bomb.{form.split()[-1]}"
    bomb.write_bytes(IMAGES[form])
    found = read_bomb("read_images", png(4, 4), bomb)
    assert found["error"] == "CorruptDataError"
    assert bomb.name in found["message"]


def test_a_parquet_page_that_claims_to_be_gigantic_is_refused(tmp_path, read_bomb):
    bomb = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"a": ["x" * 1000]}), bomb, use_dictionary=False, compression="zstd")
    good = bomb.read_bytes()
    # The page's header begins with its type and its size in varints: 0, and 1010.
    assert good[4:9] == b"\x15\x00\x15\xe4\x0f"
    nearly_2_gib = b"\xfc\xff\xff\xff\x0f"
    bomb.write_bytes(good[:7] + nearly_2_gib + good[9:])
    found = read_bomb("read_parquet", good, bomb)
    assert found["error"] in ("CorruptDataError", "OutOfMemoryError")
    assert bomb.name in found["message"]


def kibibytes_of_zeros(rows: int) -> pa.Table:
    return pa.table({"a": pa.repeat(pa.scalar("0" * 1024, pa.large_string()), rows)})


def orc_of_zeros(path: Path) -> None:
    """Write one stripe."""
    with pyarrow.orc.ORCWriter(path, compression="zstd", stripe_size=64 << 30) as writer:
        for _ in range(ZEROS_GIB << 6):
            writer.write(kibibytes_of_zeros(16 << 10))


def parquet_of_zeros(path: Path) -> None:
    """Write one row group."""
    rows = ZEROS_GIB << 20
    piece = kibibytes_of_zeros(16 << 10).to_batches()[0]
    with pq.ParquetWriter(path, piece.schema, compression="zstd") as writer:
        for _ in range(ZEROS_GIB << 6):
            writer.write_batch(piece, row_group_size=rows)


def small(make: Callable[[Path], None], path: Path) -> bytes:
    make(path)
    return path.read_bytes()


GIGANTIC_PARTS = {
    "orc": (orc_of_zeros, lambda path: pyarrow.orc.write_table(kibibytes_of_zeros(3), path)),
    "parquet": (parquet_of_zeros, lambda path: pq.write_table(kibibytes_of_zeros(3), path)),
}


@pytest.mark.parametrize("name", GIGANTIC_PARTS)
def test_gigabytes_of_zeros_in_one_part_of_a_small_file_stream_through(name, tmp_path, read_bomb):
    write, write_good = GIGANTIC_PARTS[name]
    bomb = tmp_path / f"bomb.{name}"
    write(bomb)
    assert bomb.stat().st_size < ZEROS_GIB << 20
    found = read_bomb(f"read_{name}", small(write_good, tmp_path / "small"), bomb)
    assert (found["error"], found["rows"]) == ("", ZEROS_GIB << 20)


def feather(rows: int, path: Path) -> bytes:
    """Write one record batch; it is made in memory, so that a gibibyte must do."""
    table = kibibytes_of_zeros(rows)
    pyarrow.feather.write_feather(table, path, compression="zstd", chunksize=rows)
    return path.read_bytes()


def test_a_record_batch_that_unpacks_to_a_gigabyte_of_zeros_is_refused(tmp_path, read_bomb):
    bomb = tmp_path / "bomb.feather"
    assert len(feather(1 << 20, bomb)) < 1 << 20
    found = read_bomb("read_feather", feather(3, tmp_path / "small"), bomb)
    assert found["error"] == "CorruptDataError"
    assert bomb.name in found["message"]
    assert "smaller pieces" in found["message"]


def avro(values: int, path: Path) -> bytes:
    """Write blocks of which each unpacks to a quarter of a gibibyte."""
    fastavro = pytest.importorskip("fastavro")
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]}
    with path.open("wb") as file:
        rows = ({"a": "0" * (1 << 20)} for _ in range(values))
        fastavro.writer(file, schema, rows, codec="deflate", sync_interval=256 << 20)
    return path.read_bytes()


def test_an_avro_block_that_unpacks_to_gigabytes_of_zeros_is_refused(tmp_path, read_bomb):
    bomb = tmp_path / "bomb.avro"
    assert len(avro(ZEROS_GIB << 10, bomb)) < ZEROS_GIB << 22
    found = read_bomb("read_avro", avro(3, tmp_path / "small"), bomb)
    assert found["error"] == "RayTaskError(CorruptDataError)"
    assert bomb.name in found["message"]


def flac(path: Path, seconds: int) -> bytes:
    soundfile = pytest.importorskip("soundfile")
    with soundfile.SoundFile(path, "w", 192_000, 8, format="FLAC") as file:
        for _ in range(seconds):
            file.write(np.zeros((192_000, 8), "int16"))
    return path.read_bytes()


def test_hours_of_silence_in_a_small_file_are_refused(tmp_path, read_bomb):
    bomb = tmp_path / "bomb.flac"
    gibibyte = (1 << 30) // (192_000 * 8 * 4)
    assert len(flac(bomb, ZEROS_GIB * gibibyte + 10)) < ZEROS_GIB << 22
    found = read_bomb("read_audio", flac(tmp_path / "small", 1), bomb)
    assert found["error"] == "RayTaskError(CorruptDataError)"
    assert bomb.name in found["message"]
    assert "shorter files" in found["message"]


def npy() -> bytes:
    np.save(file := io.BytesIO(), np.zeros(3, "int64"))
    return file.getvalue()


def tar() -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode="w") as archive:
        member = tarfile.TarInfo("0.txt")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"a"))
    return file.getvalue()


def tar_of_zeros() -> bytes:
    member = tarfile.TarInfo("0.txt")
    member.size = ZEROS_GIB << 30
    return member.tobuf(tarfile.GNU_FORMAT)


def npy_of_zeros() -> bytes:
    shape = f"({ZEROS_GIB << 27},)"
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def masked_crc32c(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record_of_zeros() -> bytes:
    """Begin a TFRecord as long as one may be."""
    length = struct.pack("<Q", (1 << 31) - 1)
    return length + masked_crc32c(length)


GZIPPED = {
    "tfrecords.gz": ("read_tfrecords", lambda: b"", record_of_zeros),
    "npy.gz": ("read_numpy", npy, npy_of_zeros),
    "png.gz": ("read_images", lambda: png(4, 4), lambda: png(4, 4)),
    "tar.gz": ("read_webdataset", tar, tar_of_zeros),
    "json.gz": ("read_json", lambda: b'[{"n":1}]', lambda: b'[{"n":1},{"n":"'),
    "jsonl.gz": ("read_json", lambda: b'{"n":1}\n', lambda: b'{"n":'),
}


@pytest.mark.parametrize("ending", GZIPPED)
def test_a_gigantic_value_of_any_format_in_a_small_gzip_file_is_refused(
    ending, tmp_path, read_bomb
):
    reader, good, front = GZIPPED[ending]
    bomb = write_gzip(tmp_path / f"bomb.{ending}", front(), b"0" * (1 << 20))
    found = read_bomb(reader, good(), bomb)
    assert found["error"] == "CorruptDataError"
    assert bomb.name in found["message"]


def test_a_json_array_of_gigabytes_in_a_small_gzip_file_streams_or_is_refused(tmp_path, read_bomb):
    rows = (b'{"n":"' + b"0" * 1015 + b'"},') * 1024
    found = read_bomb("read_json", b'[{"n":"0"}]', write_gzip(tmp_path / "b.json.gz", b"[", rows))
    assert found["error"] == "CorruptDataError"  # It never ends.
