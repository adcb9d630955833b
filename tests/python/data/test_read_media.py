from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import uuid

import numpy as np
import pytest

from penstock.data import read_audio, read_avro, read_videos
from penstock.exceptions import CorruptDataError

FIELDS = [
    {"name": "i", "type": "int"},
    {"name": "s", "type": ["null", "string"]},
    {"name": "l", "type": {"type": "array", "items": "double"}},
    {"name": "m", "type": {"type": "map", "values": "long"}},
    {"name": "d", "type": {"type": "int", "logicalType": "date"}},
    {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
    {
        "name": "r",
        "type": {"type": "record", "name": "Q", "fields": [{"name": "x", "type": "float"}]},
    },
    {"name": "again", "type": ["null", "Q"]},
    {
        "name": "n",
        "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    },
    {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "f", "type": {"type": "fixed", "name": "F", "size": 2}},
]


def record(number):
    return {
        "i": number,
        "s": None if number % 2 else f"s{number}",
        "l": [number / 2],
        "m": {"k": number},
        "d": dt.date(2020, 1, 1),
        "t": dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        "e": "B",
        "r": {"x": 1.5},
        "again": None,
        "n": decimal.Decimal("1.25"),
        "u": uuid.UUID(int=number),
        "f": b"ab",
    }


def write_avro(path, records, fields=FIELDS):
    fastavro = pytest.importorskip("fastavro")
    with path.open("wb") as file:
        fastavro.writer(
            file,
            {"type": "record", "name": "R", "fields": fields},
            records,
            codec="deflate",
            sync_interval=200,
        )


def test_avro_types_become_columns(tmp_path):
    write_avro(tmp_path / "a.avro", [record(0), record(1)])
    ds = read_avro(tmp_path / "a.avro")
    first, second = ds.take_all()
    assert first == record(0) | {"m": [("k", 0)], "u": str(uuid.UUID(int=0))}
    assert second["s"] is None
    types = [str(kind) for kind in ds.schema().types]
    assert types[:3] == ["int32", "string", "list<item: double>"]


def test_avro_files_of_a_folder_are_read_in_order(tmp_path):
    for number in range(5):
        write_avro(tmp_path / f"{number}.avro", [record(number), record(number + 10)])
    (tmp_path / "other.txt").write_text("not Avro")
    ds = read_avro(tmp_path, include_paths=True, override_num_blocks=2)
    rows = ds.take_all()
    assert [row["i"] for row in rows] == [0, 10, 1, 11, 2, 12, 3, 13, 4, 14]
    assert rows[0]["path"] == str(tmp_path / "0.avro")


def test_avro_files_are_chosen_by_a_function_and_a_file_system(tmp_path):
    import pyarrow.fs as pafs

    for number in range(3):
        write_avro(tmp_path / f"{number}.avro", [record(number)])
    chosen = read_avro(tmp_path, partition_filter=lambda paths: paths[1:2])
    assert [row["i"] for row in chosen.take_all()] == [1]
    system = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())
    assert read_avro("/", filesystem=system).count() == 3
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_avro("/nowhere", filesystem=system)


def test_a_truncated_avro_file_is_refused_wherever_it_ends(tmp_path):
    from penstock.data.python_sources.avro import AvroDatasource

    whole = tmp_path / "whole.avro"
    write_avro(whole, [record(number) for number in range(6)])
    data = whole.read_bytes()
    part = tmp_path / "part.avro"
    source = AvroDatasource([str(part)])
    whole_blocks = []
    for size in range(0, len(data), 7):
        part.write_bytes(data[:size])
        try:
            rows = sum(block.num_rows for block in source.read_file(str(part)))
        except CorruptDataError as error:
            assert str(part) in str(error)  # noqa: PT017 - each size may do either
        else:
            whole_blocks.append(rows)
    assert len(whole_blocks) <= 3  # Avro does not say how many blocks there are to come.


NARROW = [{"name": "i", "type": "long"}, {"name": "s", "type": "string"}]


def rows_of_avro(path):
    from penstock.data.python_sources.avro import AvroDatasource

    return sum(block.num_rows for block in AvroDatasource([str(path)]).read_file(str(path)))


def test_no_bit_that_turns_over_in_an_avro_file_loses_a_row_in_silence(tmp_path):
    path = tmp_path / "a.avro"
    write_avro(path, [{"i": i, "s": "x" * (i % 5)} for i in range(50)], NARROW)
    data = path.read_bytes()
    blocks = data.index(data[-16:]) + 16  # After the header, which ends with the sync marker.
    rows = set()
    for bit in range(blocks * 8, len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with contextlib.suppress(CorruptDataError):
            rows.add(rows_of_avro(path))
    assert rows == {50}


def test_no_avro_file_at_all_is_refused_by_its_name(tmp_path):
    pytest.importorskip("fastavro")
    bad = tmp_path / "bad.avro"
    bad.write_bytes(b"Obj\x01nonsense")
    with pytest.raises(CorruptDataError, match=r"cannot be read as Avro.*bad\.avro"):
        read_avro(bad).take_all()
    with pytest.raises(FileNotFoundError, match=r"gone\.avro"):
        read_avro(tmp_path / "gone.avro")


def test_an_avro_union_of_several_types_is_refused(tmp_path):
    write_avro(tmp_path / "u.avro", [{"x": 1}], [{"name": "x", "type": ["int", "string"]}])
    with pytest.raises(CorruptDataError, match="A union of several types"):
        read_avro(tmp_path / "u.avro").take_all()


def test_unknown_options_are_refused(tmp_path):
    pytest.importorskip("fastavro")
    with pytest.raises(TypeError, match="unexpected keyword argument: speed"):
        read_avro(tmp_path, speed=3)
    with pytest.raises(NotImplementedError, match="label_selector"):
        read_avro(tmp_path, label_selector={"zone": "a"})


def test_audio_is_one_row_a_file(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    samples = np.linspace(-1, 1, 1000).reshape(500, 2)
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "b.flac", np.zeros(300), 16_000)
    first, second = read_audio(tmp_path).take_all()
    assert isinstance(first["amplitude"], np.ndarray)
    assert first["amplitude"].dtype == np.float32
    assert np.allclose(first["amplitude"], samples.T.astype(np.float32))
    assert first["sample_rate"] == 8000
    assert second["amplitude"].shape == (1, 300)
    shapes = read_audio(tmp_path).map_batches(
        lambda batch: {"shape": [list(part.shape) for part in batch["amplitude"]]}, batch_size=2
    )
    assert [row["shape"] for row in shapes.take_all()] == [[2, 500], [1, 300]]


def test_broken_audio_is_refused_by_its_name(tmp_path):
    pytest.importorskip("soundfile")
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFFnonsense")
    with pytest.raises(CorruptDataError, match=r"cannot be read as audio.*bad\.wav"):
        read_audio(bad).take_all()


def write_video(path, frames, width=64, height=48, **options):
    """Write frames, ten a second, each grey of 8 times its number."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            pixels = np.full((height, width, 3), number * 8, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


@pytest.fixture
def video(tmp_path):
    """Return a video of 25 frames."""
    write_video(tmp_path / "a.mp4", 25)
    return tmp_path / "a.mp4"


def test_video_is_one_row_a_frame(video):
    rows = read_videos(video, include_timestamps=True).take_all()
    assert [row["frame_index"] for row in rows] == list(range(25))
    assert rows[0]["frame"].shape == (48, 64, 3)
    assert abs(rows[20]["frame"].mean() - 160) < 8
    assert np.allclose(rows[3]["frame_timestamp"], [0.3, 0.4])


def test_video_frames_are_thinned_out_and_resized(video):
    rows = read_videos(video, fps=5, resize=(20, 30)).take_all()
    assert [row["frame_index"] for row in rows] == list(range(0, 25, 2))
    assert rows[0]["frame"].shape == (20, 30, 3)
    with pytest.raises(ValueError, match="fps must be above 0"):
        read_videos(video, fps=0)


def test_a_broken_video_is_refused_by_its_name(video):
    video.write_bytes(video.read_bytes()[:60])
    with pytest.raises(CorruptDataError, match=r"cannot be read as video.*a\.mp4"):
        read_videos(video).take_all()


def rows_of_video(path):
    from penstock.data.python_sources.video import VideoDatasource

    blocks = VideoDatasource([str(path)]).read_file(str(path))
    return sum(len(block["frame_index"]) for block in blocks)


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}], ids=["last", "first"])
def test_a_video_with_its_index_first_or_last_loses_no_frame_in_silence_when_cut(options, tmp_path):
    path = tmp_path / "a.mp4"
    write_video(path, 3, width=16, height=16, **options)
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        try:
            rows = rows_of_video(path)
        except CorruptDataError as error:
            assert str(path) in str(error)  # noqa: PT017 - each size may do either
        else:
            assert rows == 3, size


def test_a_video_without_an_index_yields_the_frames_before_its_end(tmp_path):
    path = tmp_path / "a.mkv"
    write_video(path, 3, width=16, height=16)
    data = path.read_bytes()
    rows = set()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with contextlib.suppress(CorruptDataError):
            rows.add(rows_of_video(path))
    assert rows == {1, 2, 3}


def test_a_video_whose_frames_are_too_large_is_refused(video, tmp_path, monkeypatch):
    from penstock.data.python_sources import video as module

    monkeypatch.setattr(module, "_PIXELS_MAX", 64 * 48 - 1)
    source = module.VideoDatasource([str(tmp_path / "a.mp4")])
    with pytest.raises(CorruptDataError, match=r"(?s)64 x 48 pixels.*a\.mp4"):
        list(source.read_file(str(tmp_path / "a.mp4")))
