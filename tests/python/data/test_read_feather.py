from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import feather, ipc

import penstock
from penstock.exceptions import CorruptDataError

TABLE = pa.table({"n": range(100), "t": [None, *"x" * 99], "list": [[1], []] * 50})


def write_stream(path, table, *, rows=30, **options):
    with ipc.new_stream(path, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


@pytest.mark.parametrize("name", ["a.arrows", "a.arrow", "a.feather"])
def test_a_stream_is_read_whatever_its_name_says(name, tmp_path):
    write_stream(tmp_path / name, TABLE)
    ds = penstock.data.read_feather(tmp_path)
    assert ds.take_all() == TABLE.to_pylist()
    assert ds.count() == 100
    assert ds.select_columns(["t"]).take(2) == [{"t": None}, {"t": "x"}]


def test_streams_and_files_are_read_together(tmp_path):
    write_stream(tmp_path / "a.arrows", TABLE)
    feather.write_feather(TABLE, str(tmp_path / "b.feather"))
    assert penstock.data.read_feather(tmp_path).take_all() == TABLE.to_pylist() * 2


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_columns_are_read(codec, tmp_path):
    write_stream(tmp_path / "a.arrows", TABLE, compression=codec)
    feather.write_feather(TABLE, str(tmp_path / "b.feather"), compression=codec)
    assert penstock.data.read_feather(tmp_path).take_all() == TABLE.to_pylist() * 2


def test_a_streams_dictionaries_may_grow_and_change(tmp_path):
    path = tmp_path / "a.arrows"
    values = [["a", "b"], ["a", "b", "c"], ["z"]]
    batches = [
        pa.record_batch({"d": pa.DictionaryArray.from_arrays([len(one) - 1, 0], one)})
        for one in values
    ]
    options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with ipc.new_stream(path, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    rows = penstock.data.read_feather(path).take_all()
    assert [row["d"] for row in rows] == ["b", "a", "c", "a", "z", "z"]


def test_a_stream_of_the_format_before_arrow_0_15_is_read(tmp_path):
    write_stream(tmp_path / "a.arrows", TABLE, use_legacy_format=True)
    assert penstock.data.read_feather(tmp_path).take_all() == TABLE.to_pylist()


@pytest.mark.parametrize("writer", [ipc.new_stream, ipc.new_file])
@pytest.mark.parametrize("batches", [0, 1])
def test_no_rows_have_their_columns(writer, batches, tmp_path):
    with writer(tmp_path / "a.arrow", TABLE.schema) as stream:
        for _ in range(batches):
            stream.write_batch(pa.RecordBatch.from_pylist([], TABLE.schema))
    ds = penstock.data.read_feather(tmp_path)
    assert ds.count() == 0
    assert ds.take_all() == []
    assert ds.schema().names == TABLE.schema.names


def test_a_stream_that_was_cut_off_names_the_file_and_the_batch(tmp_path):
    path = write_stream(tmp_path / "a.arrows", TABLE, rows=30)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(CorruptDataError, match=r"a\.arrows.* ends within record batch 3 "):
        penstock.data.read_feather(path).take_all()


def test_damage_within_a_batch_names_the_file_and_the_batch(tmp_path):
    path = write_stream(tmp_path / "a.arrows", pa.table({"t": ["x" * 40] * 90}), compression="zstd")
    content = path.read_bytes()
    frame = b"\x28\xb5\x2f\xfd"
    place = content.rindex(frame)
    path.write_bytes(content[:place] + b"zzzz" + content[place + len(frame) :])
    with pytest.raises(CorruptDataError, match=r"a\.arrows, record batch 2 "):
        penstock.data.read_feather(path).take_all()


def test_streams_one_after_another_in_a_file_lose_no_rows_silently(tmp_path):
    path = write_stream(tmp_path / "a.arrows", TABLE)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(CorruptDataError, match=r"a\.arrows.*files of their own"):
        penstock.data.read_feather(path).take_all()


def test_feather_version_1_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "a.feather").write_bytes(b"FEA1" + bytes(60) + b"FEA1")
    with pytest.raises(NotImplementedError, match=r"a\.feather.*version 1.*write_feather"):
        penstock.data.read_feather(tmp_path).take_all()
