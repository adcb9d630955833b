"""What each reader makes of each kind of bad input: a typed error that names the file, or the rows
that the stated policy promises; never a crash, and never fewer rows in silence.
"""

from __future__ import annotations

import importlib
import io
import os
import random
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from penstock import data
from penstock.data.block import to_table
from penstock.exceptions import CorruptDataError, SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "yy", None]})
CHANGES = 40  # Of one file; each is read by the whole engine.
CHANGES_IN_PROCESS = 1000  # Where this process can read it as a worker would.


def parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    pq.write_table(table, file := io.BytesIO())
    return file.getvalue()


def feather(table: pa.Table) -> bytes:
    import pyarrow.feather

    pyarrow.feather.write_feather(table, file := io.BytesIO(), compression="uncompressed")
    return file.getvalue()


def orc(table: pa.Table) -> bytes:
    import pyarrow.orc

    pyarrow.orc.write_table(table, file := io.BytesIO())
    return file.getvalue()


def numpy(values: Any) -> bytes:
    np.save(file := io.BytesIO(), np.asarray(values))
    return file.getvalue()


def image(form: str) -> bytes:
    from PIL import Image

    pixels = np.arange(60, dtype="u1").reshape(4, 5, 3)
    Image.fromarray(pixels).save(file := io.BytesIO(), form)
    return file.getvalue()


def avro(kind: str, values: list[Any]) -> bytes:
    fastavro = pytest.importorskip("fastavro")
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]}
    fastavro.writer(file := io.BytesIO(), schema, [{"a": value} for value in values])
    return file.getvalue()


def tfrecord(*values: Any) -> bytes:
    """Return what the engine itself writes of such rows."""
    with tempfile.TemporaryDirectory() as folder:
        data.from_items([{"a": value} for value in values]).write_tfrecords(folder)
        return b"".join(path.read_bytes() for path in sorted(Path(folder).glob("*.tfrecords")))


def webdataset(*values: Any) -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode="w") as archive:
        for number, value in enumerate(values):
            member = tarfile.TarInfo(f"{number}.a")
            content = str(value).encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def sound() -> bytes:
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(file := io.BytesIO(), np.zeros(50), 8000, format="WAV")
    return file.getvalue()


def read_videos(path: str) -> data.Dataset:
    pytest.importorskip("av")
    return data.read_videos(path)


def video() -> bytes:
    av = pytest.importorskip("av")
    with av.open(file := io.BytesIO(), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        for shade in (0, 100, 200):
            pixels = np.full((16, 16, 3), shade, "u1")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


@dataclass(frozen=True)
class Format:
    """A kind of file. `cuts` and `flips` say what may be read of a damaged one, besides all rows:
    "nothing"; "the first" rows; "any", where nothing in the format could tell.
    """

    read: Callable[..., data.Dataset]
    make: Callable[[], bytes]
    rows: int = 3
    cuts: str = "nothing"
    flips: str = "nothing"
    other: Callable[[], bytes] | None = None  # The same columns with values of no common type.
    none: Callable[[], bytes] | None = None  # No rows.
    in_worker: str | None = None  # The module and class that read it there.


FORMATS = {
    "parquet": Format(
        data.read_parquet,
        lambda: parquet(TABLE),
        other=lambda: parquet(pa.table({"a": ["x"], "b": ["y"]})),
        none=lambda: parquet(TABLE[:0]),
    ),
    "feather": Format(
        data.read_feather,
        lambda: feather(TABLE),
        other=lambda: feather(pa.table({"a": ["x"], "b": ["y"]})),
        none=lambda: feather(TABLE[:0]),
    ),
    "orc": Format(
        data.read_orc,
        lambda: orc(TABLE),
        other=lambda: orc(pa.table({"a": ["x"], "b": ["y"]})),
        none=lambda: orc(TABLE[:0]),
    ),
    "csv": Format(
        data.read_csv,
        lambda: b"a,b\n1,x\n2,yy\n3,\n",
        cuts="the first",
        flips="any",
        none=lambda: b"a,b\n",
    ),
    "json": Format(
        data.read_json,
        lambda: b'{"a":1,"b":"x"}\n{"a":2,"b":"yy"}\n{"a":3,"b":null}\n',
        cuts="the first",
        other=lambda: b'{"a":"x"}\n',
        none=lambda: b"\n",
    ),
    "json array": Format(
        data.read_json,
        lambda: b'[{"a":1,"b":"x"},\n{"a":2,"b":"yy"},{"a":3,"b":null}]\n',
        other=lambda: b'[{"a":"x"}]\n',
        none=lambda: b"[]",
    ),
    "text": Format(
        data.read_text,
        lambda: b"a\nbb\nccc\n",
        cuts="the first",
        flips="any",
        none=lambda: b"\n",
    ),
    "binary": Format(data.read_binary_files, lambda: b"abc", rows=1, none=None),
    "numpy": Format(
        data.read_numpy,
        lambda: numpy([1, 2, 3]),
        other=lambda: numpy([[1.5, 2.5]]),
        none=lambda: numpy(np.zeros(0, "int64")),
    ),
    "png": Format(data.read_images, lambda: image("PNG"), rows=1),
    "jpeg": Format(data.read_images, lambda: image("JPEG"), rows=1),
    "webp": Format(data.read_images, lambda: image("WEBP"), rows=1),
    "gif": Format(data.read_images, lambda: image("GIF"), rows=1),
    "bmp": Format(data.read_images, lambda: image("BMP"), rows=1),
    "tiff": Format(data.read_images, lambda: image("TIFF"), rows=1),
    "avro": Format(
        data.read_avro,
        lambda: avro("long", [1, 2, 3]),
        cuts="the first",  # At a block's border: no more can be told.
        other=lambda: avro("string", ["x"]),
        none=lambda: avro("long", []),
        in_worker="avro.AvroDatasource",
    ),
    "audio": Format(
        data.read_audio,
        sound,
        rows=1,
        cuts="any",
        flips="any",
        in_worker="audio.AudioDatasource",
    ),
    "tfrecord": Format(
        data.read_tfrecords,
        lambda: tfrecord(1, 2, 3),
        cuts="the first",  # Between two records.
        none=lambda: b"",
    ),
    "webdataset": Format(
        lambda path: data.read_webdataset(path, decoder=False),
        lambda: webdataset("x", "yy", "zzz"),
        cuts="the first",  # Between two members, as archives may end without their last blocks.
        flips="any",  # Only the members' names and lengths have a checksum.
    ),
    "video": Format(read_videos, video, flips="any", in_worker="video.VideoDatasource"),
}
ENDINGS = {
    "text": "txt",
    "binary": "bin",
    "numpy": "npy",
    "json array": "json",
    "audio": "wav",
    "video": "mp4",
    "tfrecord": "tfrecords",
    "webdataset": "tar",
}
TEXTS = ["csv", "json", "json array", "text"]

every_format = pytest.mark.parametrize("name", FORMATS)


def path_of(name: str, folder: Path, stem: str = "bad") -> Path:
    return folder / f"{stem}.{ENDINGS.get(name, name)}"


def changes_of(name: str) -> int:
    return CHANGES_IN_PROCESS if FORMATS[name].in_worker else CHANGES


def is_promised(policy: str, rows: int, whole: int) -> bool:
    return rows == whole or policy == "any" or (policy == "the first" and rows < whole)


def check(name: str, path: Path, content: bytes, policy: str) -> None:
    form = FORMATS[name]
    path.write_bytes(content)
    try:
        rows = form.read(str(path)).count() if name == "binary" else read_damaged(form, path)
    except (CorruptDataError, SchemaMismatchError, MemoryError, NotImplementedError) as error:
        told = "\n".join([str(error), *getattr(error, "__notes__", ())])
        assert path.name in told
    else:
        assert is_promised(policy, rows, form.rows), (rows, content)


def read_damaged(form: Format, path: Path) -> int:
    if form.in_worker is None:
        return len(form.read(str(path)).take_all())
    module, name = form.in_worker.split(".")
    source = getattr(importlib.import_module(f"penstock.data.python_sources.{module}"), name)
    return sum(to_table(block).num_rows for block in source([str(path)]).read_file(str(path)))


@every_format
def test_a_missing_file_is_an_error_that_names_it(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FORMATS[name].read(str(path_of(name, tmp_path, "nowhere"))).take_all()


@every_format
def test_an_empty_file_is_an_error_that_names_it_or_has_no_rows(name, tmp_path):
    path = path_of(name, tmp_path)
    path.write_bytes(b"")
    form = FORMATS[name]
    if name in TEXTS or name == "tfrecord":
        assert form.read(str(path)).take_all() == []
    elif name == "binary":
        assert form.read(str(path)).take_all() == [{"bytes": b""}]
    else:
        with pytest.raises(CorruptDataError, match=path.name):
            form.read(str(path)).take_all()


@every_format
def test_a_truncated_file_is_an_error_that_names_it_or_yields_its_first_rows(name, tmp_path):
    content = FORMATS[name].make()
    for size in range(1, len(content), max(1, len(content) // changes_of(name))):
        check(name, path_of(name, tmp_path), content[:size], FORMATS[name].cuts)


@every_format
def test_a_bit_that_turns_over_is_an_error_that_names_the_file_or_loses_no_row(name, tmp_path):
    content = FORMATS[name].make()
    for bit in random.Random(name).sample(
        range(len(content) * 8), min(len(content) * 8, changes_of(name))
    ):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        check(name, path_of(name, tmp_path), bytes(damaged), FORMATS[name].flips)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.other])
def test_one_file_of_many_with_other_types_is_an_error_that_names_it(name, tmp_path):
    for number in range(20):
        path_of(name, tmp_path, f"{number:02}").write_bytes(FORMATS[name].make())
    odd = path_of(name, tmp_path, "17")
    odd.write_bytes(FORMATS[name].other())
    with pytest.raises((SchemaMismatchError, CorruptDataError), match=odd.name):
        FORMATS[name].read(str(tmp_path)).take_all()


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.none])
def test_files_without_rows_count_for_nothing_among_others(name, tmp_path):
    path_of(name, tmp_path, "1").write_bytes(FORMATS[name].none())
    path_of(name, tmp_path, "2").write_bytes(FORMATS[name].make())
    path_of(name, tmp_path, "3").write_bytes(FORMATS[name].none())
    assert len(FORMATS[name].read(str(tmp_path)).take_all()) == FORMATS[name].rows


WHERE = {"feather": "index 1", "orc": "index 1", "avro": ""}  # Else by the row's number.


@pytest.mark.parametrize("name", [*TEXTS, "parquet", "feather", "orc", "avro"])
def test_text_that_is_not_utf8_is_an_error_that_names_file_and_row(name, tmp_path):
    content = avro("string", ["x", "yy"]) if name == "avro" else FORMATS[name].make()
    assert b"yy" in content or b"bb" in content
    path = path_of(name, tmp_path)
    path.write_bytes(content.replace(b"yy", b"\xff\xfe").replace(b"bb", b"\xff\xfe"))
    where = WHERE.get(name, "row 2")
    with pytest.raises(CorruptDataError, match=rf"(?is)(?=.*{path.name})(?=.*{where}).*UTF-?8"):
        FORMATS[name].read(str(path)).take_all()


@pytest.mark.parametrize("name", ["parquet", "csv", "json"])
def test_text_that_is_not_utf8_is_not_copied_in_silence(name, tmp_path):
    path = path_of("parquet", tmp_path)
    path.write_bytes(parquet(TABLE).replace(b"yy", b"\xff\xfe"))
    write = getattr(data.read_parquet(str(path)), f"write_{name}")
    with pytest.raises(CorruptDataError, match=r"(?s)bad.parquet.*row 2.*UTF-8"):
        write(str(tmp_path / "out"))


NAMES = {
    "a newline": b"new\nline",
    "an emoji": "😀".encode(),
    "bytes that are no text": b"not\xfftext",
    "255 bytes": b"x" * 250,
    "a dash": b"-rf",
    "spaces": b"  a b ",
    "quotes": b"'\"`$(x)",
}


NAMES_ARE_TEXT = ["avro", "audio", "video", "webdataset"]  # Python's, or the rows', that is.


@pytest.mark.parametrize("kind", NAMES)
@every_format
def test_files_in_a_folder_may_have_any_name(name, kind, tmp_path):
    ending = "." + ENDINGS.get(name, name)
    stem = NAMES[kind][: 255 - len(ending)]
    (tmp_path / (os.fsdecode(stem) + ending)).write_bytes(FORMATS[name].make())
    if kind == "bytes that are no text" and name in NAMES_ARE_TEXT:
        with pytest.raises(ValueError, match=r"(?s)(?=.*not(\\udc|\\x)fftext).*UTF-8; rename"):
            FORMATS[name].read(str(tmp_path)).take_all()
        return
    ds = FORMATS[name].read(str(tmp_path))
    assert len(ds.take_all()) == FORMATS[name].rows
    assert [os.fsencode(path) for path in ds.input_files()] == [
        os.fsencode(tmp_path) + b"/" + stem + ending.encode()
    ]


@pytest.mark.parametrize("name", ["csv", "parquet", "binary"])
def test_a_name_that_is_no_text_cannot_be_a_value_and_is_told(name, tmp_path):
    (tmp_path / os.fsdecode(b"not\xfftext." + name.encode())).write_bytes(FORMATS[name].make())
    with pytest.raises(ValueError, match=r"(?s)not\\xfftext.*UTF-8.*include_paths"):
        FORMATS[name].read(str(tmp_path), include_paths=True).take_all()


@pytest.mark.parametrize("stem", [".hidden", "_marked"])
def test_names_that_begin_with_a_dot_or_underscore_are_passed_over_in_folders_alone(stem, tmp_path):
    (tmp_path / f"{stem}.csv").write_bytes(b"a\n1\n")
    (tmp_path / "a.csv").write_bytes(b"a\n2\n")
    assert data.read_csv(str(tmp_path)).take_all() == [{"a": 2}]
    assert data.read_csv(str(tmp_path / f"{stem}.csv")).take_all() == [{"a": 1}]


TWINS = {
    "parquet": lambda: parquet(pa.table([[1], [2]], names=["a", "a"])),
    "feather": lambda: feather(pa.table([[1], [2]], names=["a", "a"])),
    "orc": lambda: orc(pa.table([[1], [2]], names=["a", "a"])),
    "csv": lambda: b"a,a\n1,2\n",
    "json": lambda: b'{"a":1,"a":2}\n',
}


@pytest.mark.parametrize("name", TWINS)
def test_two_columns_of_one_name_are_an_error_that_names_file_and_column(name, tmp_path):
    path = path_of(name, tmp_path)
    path.write_bytes(TWINS[name]())
    with pytest.raises((ValueError, CorruptDataError), match=rf"(?s){path.name}.*\ba\b"):
        FORMATS[name].read(str(path)).take_all()


HUGE = "x" * (40 << 20)  # More than a block, and than a split.
HUGE_ROWS = {
    "parquet": lambda: parquet(pa.table({"a": ["s", HUGE, "s"]})),
    "feather": lambda: feather(pa.table({"a": ["s", HUGE, "s"]})),
    "orc": lambda: orc(pa.table({"a": ["s", HUGE, "s"]})),
    "csv": f"a\ns\n{HUGE}\ns\n".encode,
    "json": f'{{"a":"s"}}\n{{"a":"{HUGE}"}}\n{{"a":"s"}}\n'.encode,
    "text": f"s\n{HUGE}\ns\n".encode,
    "json array": f'[{{"a":"s"}},{{"a":"{HUGE}"}},{{"a":"s"}}]'.encode,
    "avro": lambda: avro("string", ["s", HUGE, "s"]),
    "tfrecord": lambda: tfrecord(b"s", HUGE.encode(), b"s"),
    "webdataset": lambda: webdataset("s", HUGE, "s"),
}


@pytest.mark.parametrize("name", HUGE_ROWS)
def test_one_huge_row_among_small_ones_is_read_as_it_is(name, tmp_path):
    path = path_of(name, tmp_path)
    path.write_bytes(HUGE_ROWS[name]())
    column = "text" if name == "text" else "a"
    lengths = [len(row[column]) for row in FORMATS[name].read(str(path)).take_all()]
    assert lengths == [1, len(HUGE), 1]
