"""Small files that claim, or unpack to, more than memory should hold: each is read in a process of
its own, whose peak of memory is looked at and whose address space is limited.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ZEROS_GIB = int(os.environ.get("PENSTOCK_BOMB_GIB", "1"))
MEMORY_MIB = 768  # Beyond what reading a good file takes.

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
    import pyarrow as pa
    import pyarrow.parquet as pq

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
