from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock
from penstock.exceptions import CorruptDataError, SchemaMismatchError


def parquet_bytes(path):
    table = pa.table({"a": np.arange(1000), "text": ["words " * 9] * 1000})
    pq.write_table(table, path, row_group_size=100)
    return path.read_bytes()


DAMAGES = {
    "empty": lambda data: b"",
    "only the mark": lambda data: b"PAR1",
    "no footer": lambda data: b"PAR1\0\0\0\0PAR1",
    "cut off": lambda data: data[: len(data) // 2],
    "another format": lambda data: b"just some words, no parquet at all",
    "a footer longer than the file": lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1",
    "zeros in the data": lambda data: data[:10] + bytes(200) + data[210:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_parquet_is_an_error_that_names_the_file(damage, tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(DAMAGES[damage](parquet_bytes(tmp_path / "good.parquet")))
    with pytest.raises(CorruptDataError, match=r"bad\.parquet"):
        penstock.data.read_parquet([tmp_path / "good.parquet", path]).take_all()


TEXTS = {
    "a short row": ("csv", b"a,b\n1,2\n3\n", "row 2"),
    "a long row": ("csv", b"a,b\n1,2\n3,4,5\n", "row 2"),
    "UTF-16": ("csv", "a,b\n1,2\n".encode("utf-16"), "data row 1.*encoding if it is UTF-16"),
    "a cut gzip file": ("csv.gz", gzip.compress(bytes(range(32, 127)) * 99)[:50], "compressed"),
    "an open array": ("json", b'[{"a": 1}, {"a":', "not closed"),
    "an open object": ("json", b'{"a": 1}\n{"a":', "row 2"),
    "an array of numbers": ("json", b"[1, 2]", "objects"),
    "a field twice": ("json", b'{"a": 1, "a": 2}', "row 1"),
    "no text": ("json", bytes(range(256)), "row 3"),
    "random bytes": ("csv", bytes(range(128, 256)) + b"\n1\n", "header row.*not UTF-8"),
    "Latin-1": ("csv", "a,b\n1,x\n2,é\n".encode("latin-1"), 'data row 2.*"b".*not UTF-8'),
    "Latin-1 in JSON": ("json", '{"a": "é"}'.encode("latin-1"), "data row 1.*not UTF-8"),
    "deep lists": ("json", b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "row 1.*60 deep"),
    "deep objects": ("json", b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "row 1.*60 deep"),
}


@pytest.mark.parametrize("text", TEXTS)
def test_damaged_text_is_an_error_that_names_file_and_place(text, tmp_path):
    ending, data, words = TEXTS[text]
    (tmp_path / f"bad.{ending}").write_bytes(data)
    read = penstock.data.read_json if ending == "json" else penstock.data.read_csv
    with pytest.raises(CorruptDataError, match=rf"(?s)bad\.{ending}.*{words}"):
        read(tmp_path / f"bad.{ending}").take_all()


def test_objects_whose_types_differ_are_an_error_that_names_the_row(tmp_path):
    (tmp_path / "mixed.json").write_bytes(b'{"a": 1}\n' * 99 + b'{"a": "x"}\n')
    with pytest.raises(SchemaMismatchError, match=r"mixed\.json, data row 100"):
        penstock.data.read_json(tmp_path / "mixed.json").take_all()


def test_files_whose_types_no_type_holds_are_an_error_that_names_both(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "2.parquet")
    with pytest.raises(SchemaMismatchError, match=r"(?s)1\.parquet.*2\.parquet.*'a'"):
        penstock.data.read_parquet(tmp_path).take_all()


def test_deep_but_legal_objects_go_through_a_worker_and_a_file(tmp_path):
    lists = b'{"a":' + b"[" * 59 + b"1" + b"]" * 59
    objects = b',"b":' + b'{"c":' * 59 + b"1" + b"}" * 59
    (tmp_path / "deep.json").write_bytes((lists + objects + b"}\n") * 3)
    ds = penstock.data.read_json(tmp_path / "deep.json")
    rows = ds.take_all()
    assert str(rows[0]["b"]).count("{") == 59
    ds.map_batches(lambda batch: batch, batch_format="pyarrow").write_parquet(tmp_path / "out")
    assert penstock.data.read_parquet(tmp_path / "out").take_all() == rows


def test_files_may_have_their_columns_in_another_order(tmp_path):
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": [4], "a": [3]}), tmp_path / "2.parquet")
    rows = penstock.data.read_parquet(tmp_path).take_all()
    assert rows == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_a_file_that_goes_after_the_data_set_was_made_is_an_error_that_names_it(tmp_path):
    parquet_bytes(tmp_path / "gone.parquet")
    ds = penstock.data.read_parquet(tmp_path / "gone.parquet")
    (tmp_path / "gone.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"gone\.parquet"):
        ds.take_all()


def test_a_type_that_changes_after_many_rows_is_an_error_that_names_the_row(tmp_path):
    path = tmp_path / "late.jsonl"
    path.write_bytes(b'{"a": 1}\n' * 300_000 + b'{"a": "x"}\n')
    with pytest.raises(ValueError, match=r"late\.jsonl, data row 300001"):
        penstock.data.read_json(str(path)).take_all()
