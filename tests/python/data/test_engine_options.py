"""Options of Ray's that all of the engine's own readers take."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock
from penstock.data import (
    read_avro,
    read_binary_files,
    read_csv,
    read_feather,
    read_images,
    read_json,
    read_numpy,
    read_orc,
    read_parquet,
    read_text,
    read_tfrecords,
    read_webdataset,
)
from penstock.exceptions import CorruptDataError

READERS = [
    read_binary_files,
    read_csv,
    read_feather,
    read_images,
    read_json,
    read_numpy,
    read_orc,
    read_parquet,
    read_text,
    read_tfrecords,
    read_webdataset,
]
every_reader = pytest.mark.parametrize("read", READERS)


def plan_of(ds, capsys):
    ds.explain()
    return capsys.readouterr().out


@every_reader
def test_concurrency_bounds_the_pieces_that_are_read_at_once(tmp_path, read, capsys):
    assert "splits_at_once=3" in plan_of(read(tmp_path, concurrency=3), capsys)
    assert "splits_at_once" not in plan_of(read(tmp_path), capsys)


def test_made_up_numbers_are_bounded_by_concurrency_too(capsys):
    assert "splits_at_once=3" in plan_of(penstock.data.range(9, concurrency=3), capsys)
    ds = penstock.data.range_tensor(9, concurrency=2, override_num_blocks=5)
    assert "splits_at_once=2" in plan_of(ds, capsys)
    assert [int(row["data"][0]) for row in ds.take_all()] == list(range(9))


def test_processors_for_each_piece_bound_the_pieces(tmp_path, capsys, monkeypatch):
    from penstock.data.reading import engine_options

    monkeypatch.setattr(engine_options, "machine_processors", lambda: 8)
    assert "splits_at_once=4" in plan_of(read_csv(tmp_path, num_cpus=2), capsys)
    assert "splits_at_once=1" in plan_of(read_csv(tmp_path, num_cpus=64), capsys)
    assert "splits_at_once=2" in plan_of(read_csv(tmp_path, num_cpus=2, concurrency=2), capsys)
    remote = read_csv(tmp_path, ray_remote_args={"num_cpus": 4})
    assert "splits_at_once=2" in plan_of(remote, capsys)
    named = read_csv(tmp_path, num_cpus=1, ray_remote_args={"num_cpus": 4})
    assert "splits_at_once=8" in plan_of(named, capsys)


def test_the_rows_do_not_depend_on_how_many_pieces_are_read_at_once(tmp_path):
    for number in range(20):
        (tmp_path / f"{number:02}.csv").write_text(f"n\n{number}\n")
    for concurrency in (1, 2, 100):
        ds = read_csv(tmp_path, concurrency=concurrency)
        assert [row["n"] for row in ds.take_all()] == list(range(20))


@every_reader
def test_what_has_no_part_in_reading_here_is_checked_and_accepted(tmp_path, read):
    read(
        tmp_path,
        num_gpus=0,
        memory=1e9,
        resources={"disk": 1},
        runtime_env={"env_vars": {"A": "b"}},
        max_calls=3,
        label_selector=None,
        ray_remote_args={"max_retries": 2},
    )


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"concurrency": 0}, ValueError),
        ({"concurrency": 1.5}, TypeError),
        ({"concurrency": True}, TypeError),
        ({"num_cpus": -1}, ValueError),
        ({"num_gpus": "one"}, TypeError),
        ({"memory": -1}, ValueError),
        ({"resources": {"CPU": 1}}, ValueError),
        ({"runtime_env": ["pip"]}, TypeError),
        ({"max_calls": 0}, ValueError),
        ({"ray_remote_args": 3}, TypeError),
        ({"ray_remote_args": {"speed": 3}}, TypeError),
        ({"ray_remote_args": {"scheduling_strategy": "SPREAD"}}, NotImplementedError),
        ({"label_selector": {"zone": "a"}}, NotImplementedError),
        ({"accelerator_type": "A100"}, NotImplementedError),
        ({"arrow_open_stream_args": "gzip"}, TypeError),
        ({"arrow_open_stream_args": {"compression": "rar"}}, ValueError),
        ({"arrow_open_stream_args": {"buffer_size": -1}}, ValueError),
        ({"arrow_open_stream_args": {"metadata": {}}}, NotImplementedError),
    ],
)
@every_reader
def test_values_that_make_no_sense_are_refused_by_the_options_name(tmp_path, read, option, error):
    (name,) = option
    inner = option[name] if isinstance(option[name], dict) else {}
    names = "|".join([name, *(key for key in inner)])
    with pytest.raises(error, match=names):
        read(tmp_path, **option)


@pytest.mark.parametrize("codec", ["gzip", "gz", "GZIP"])
def test_a_compression_that_is_said_counts_whatever_a_file_is_called(tmp_path, codec):
    said = {"compression": codec, "buffer_size": 1 << 20}
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"n\n1\n2\n"))
    (tmp_path / "a.json").write_bytes(gzip.compress(b'{"n": 1}\n'))
    (tmp_path / "a.txt").write_bytes(gzip.compress(b"line\n"))
    (tmp_path / "a.npy").write_bytes(gzip.compress(numpy_file(np.arange(3))))
    assert read_csv(tmp_path / "a.csv", arrow_open_stream_args=said).sum("n") == 3
    assert read_csv(tmp_path, file_extensions=["csv"], arrow_open_stream_args=said).count() == 2
    assert read_json(tmp_path / "a.json", arrow_open_stream_args=said).take_all() == [{"n": 1}]
    assert read_text(tmp_path / "a.txt", arrow_open_stream_args=said).take_all() == [
        {"text": "line"}
    ]
    assert read_numpy(tmp_path / "a.npy", arrow_open_stream_args=said).count() == 3
    assert read_binary_files(tmp_path / "a.txt", arrow_open_stream_args=said).take_all() == [
        {"bytes": b"line\n"}
    ]


def numpy_file(values):
    import io

    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def test_files_may_be_read_as_they_are_whatever_they_are_called(tmp_path):
    (tmp_path / "a.gz").write_bytes(b"plain")
    as_they_are = read_binary_files(tmp_path, arrow_open_stream_args={"compression": "none"})
    assert as_they_are.take_all() == [{"bytes": b"plain"}]
    for by_name in (None, "detect"):
        by_suffix = read_binary_files(tmp_path, arrow_open_stream_args={"compression": by_name})
        with pytest.raises(CorruptDataError, match=r"a\.gz"):
            by_suffix.take_all()


def test_many_files_of_a_compression_that_is_said_are_decompressed(tmp_path):
    for number in range(40):
        (tmp_path / f"{number:02}").write_bytes(gzip.compress(b"%d" % number))
    ds = read_binary_files(tmp_path, arrow_open_stream_args={"compression": "gzip"})
    assert [int(row["bytes"]) for row in ds.take_all()] == list(range(40))


def test_a_long_file_that_is_said_to_be_compressed_is_not_cut(tmp_path):
    lines = "".join(f"{number}\n" for number in range(100_000))
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"n\n" + lines.encode(), compresslevel=1))
    ds = read_csv(tmp_path, arrow_open_stream_args={"compression": "gzip"}, override_num_blocks=8)
    assert ds.sum("n") == sum(range(100_000))


def test_a_bomb_is_refused_whatever_it_is_called(tmp_path):
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(300 << 20), compresslevel=1))
    said = {"compression": "gzip"}
    with pytest.raises(CorruptDataError, match="bomb"):
        read_binary_files(tmp_path / "bomb", arrow_open_stream_args=said).take_all()


def test_formats_that_are_read_anywhere_refuse_compressed_files_by_name(tmp_path):
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    said = {"compression": "gzip"}
    with pytest.raises(NotImplementedError, match=r"a\.parquet: .*compressed as a whole"):
        read_parquet(tmp_path, arrow_open_stream_args=said).take_all()
    plain = read_parquet(tmp_path, arrow_open_stream_args={"compression": "none"})
    assert plain.take_all() == [{"n": 1}]


def test_images_may_call_it_arrow_open_file_args(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.new("L", (2, 3)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(gzip.compress((tmp_path / "a.png").read_bytes()))
    said = {"compression": "gzip"}
    (row,) = read_images(tmp_path, arrow_open_file_args=said).take_all()
    assert row["image"].shape == (3, 2)
    with pytest.raises(ValueError, match="two names for one thing"):
        read_images(tmp_path, arrow_open_file_args=said, arrow_open_stream_args=said)


def test_avro_files_are_decompressed_by_what_is_said_or_by_their_names(tmp_path):
    fastavro = pytest.importorskip("fastavro")
    schema = {"type": "record", "name": "R", "fields": [{"name": "i", "type": "int"}]}
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, schema, [{"i": number} for number in range(5)])
    packed = gzip.compress((tmp_path / "a.avro").read_bytes())
    (tmp_path / "b.avro").write_bytes(packed)
    (tmp_path / "c.avro.gz").write_bytes(packed)
    said = read_avro(tmp_path / "b.avro", arrow_open_stream_args={"compression": "gzip"})
    assert said.sum("i") == 10
    assert read_avro(tmp_path / "c.avro.gz").sum("i") == 10
    with pytest.raises(CorruptDataError, match=r"b\.avro"):
        read_avro(tmp_path / "b.avro").take_all()


def test_audio_and_video_refuse_compressed_files(tmp_path):
    for library, read in (("soundfile", "read_audio"), ("av", "read_videos")):
        pytest.importorskip(library)
        with pytest.raises(NotImplementedError, match="compressed as a whole"):
            getattr(penstock.data, read)(tmp_path, arrow_open_stream_args={"compression": "gzip"})
