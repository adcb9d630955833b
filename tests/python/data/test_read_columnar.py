from __future__ import annotations

import base64
import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, orc

import penstock
from penstock.exceptions import CorruptDataError

TABLE = pa.table({"n": [1, 2, 3], "t": ["x", None, "z"], "list": [[1], [], None]})
WRITERS = {"orc": orc.write_table, "feather": feather.write_feather, "parquet": pq.write_table}


@pytest.fixture(params=sorted(WRITERS))
def kind(request):
    return request.param


def write(kind, table, path):
    WRITERS[kind](table, str(path))
    return path


def read(kind, *args, **kwargs):
    return getattr(penstock.data, f"read_{kind}")(*args, **kwargs)


def test_what_was_written_is_read(kind, tmp_path):
    write(kind, TABLE, tmp_path / f"a.{kind}")
    ds = read(kind, tmp_path)
    assert ds.take_all() == TABLE.to_pylist()
    assert ds.count() == 3
    assert ds._last_run is None or ds._last_run.snapshot().finished


def test_only_the_wanted_columns_are_there_in_their_order(kind, tmp_path):
    write(kind, TABLE, tmp_path / f"a.{kind}")
    assert read(kind, tmp_path, columns=["t", "n"]).take(1) == [{"t": "x", "n": 1}]
    with pytest.raises(KeyError, match="nothing"):
        read(kind, tmp_path, columns=["nothing"]).take(1)


def test_partitions_and_paths_are_columns(kind, tmp_path):
    (tmp_path / "year=2020").mkdir()
    path = write(kind, TABLE, tmp_path / "year=2020" / f"a.{kind}")
    (row,) = read(kind, tmp_path, include_paths=True, columns=["n", "year", "path"]).take(1)
    assert row == {"n": 1, "year": "2020", "path": str(path)}


def test_a_folder_without_such_files_and_a_missing_path_are_told(kind, tmp_path):
    with pytest.raises(ValueError, match=str(tmp_path)):
        read(kind, tmp_path).take(1)
    with pytest.raises(FileNotFoundError, match="missing"):
        read(kind, tmp_path / f"missing.{kind}").take(1)


@pytest.mark.parametrize("content", [b"", b"x", b"ORC", b"ARROW1\0\0", b"PAR1PAR1", b"\0" * 5000])
def test_what_is_no_such_file_is_corrupt(kind, content, tmp_path):
    (tmp_path / f"a.{kind}").write_bytes(content)
    with pytest.raises(CorruptDataError, match=rf"a\.{kind}"):
        read(kind, tmp_path).take_all()


def test_times_of_orc_keep_what_the_clock_showed(tmp_path):
    naive = dt.datetime(2020, 7, 1, 12, 30, 15)  # noqa: DTZ001 - without a zone
    table = pa.table({"at": pa.array([naive], pa.timestamp("ns"))})
    orc.write_table(table, str(tmp_path / "a.orc"))
    (row,) = penstock.data.read_orc(tmp_path).take_all()
    assert str(row["at"])[:19] == "2020-07-01 12:30:15"


def test_rows_of_parquet_are_filtered_as_they_are_read(tmp_path):
    write("parquet", TABLE, tmp_path / "a.parquet")
    for expression in ("n > 1", penstock.data.col("n") > 1):
        ds = penstock.data.read_parquet(tmp_path, filter=expression, columns=["t"])
        assert ds.take_all() == [{"t": None}, {"t": "z"}]
    with pytest.raises(TypeError, match="expr"):
        penstock.data.read_parquet(tmp_path, filter=3)


def test_paths_of_parquet_can_be_skipped(tmp_path):
    for name in "ab":
        write("parquet", TABLE, tmp_path / f"{name}.parquet")
    ds = penstock.data.read_parquet(tmp_path, skip_paths=[str(tmp_path / "a.parquet")])
    assert ds.count() == 3


@pytest.mark.parametrize("form", ["{}/b", "{}/b/", "file://{}/b"])
def test_folders_of_parquet_can_be_skipped(tmp_path, form):
    for name in ("a/x", "b/x", "b/c/x", "bc/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write("parquet", TABLE, tmp_path / f"{name}.parquet")
    ds = penstock.data.read_parquet(tmp_path, skip_paths=[form.format(tmp_path)])
    assert ds.count() == 6
    assert penstock.data.read_parquet(tmp_path, skip_paths=tmp_path / "b").count() == 6


def test_what_pyarrow_would_be_told_is_taken(tmp_path):
    write("parquet", TABLE, tmp_path / "a.parquet")
    ds = penstock.data.read_parquet(tmp_path, batch_size=2, use_threads=True, memory_pool=None)
    assert ds.count() == 3
    with pytest.raises(TypeError, match="batch_size must be a whole number"):
        penstock.data.read_parquet(tmp_path, batch_size="two")


@pytest.mark.parametrize(
    ("verb", "name", "nearest"),
    [
        ("read_parquet", "column", "columns"),
        ("read_text", "encodingg", "encoding"),
        ("read_images", "include_path", "include_paths"),
        ("read_avro", "concurency", "concurrency"),
    ],
)
def test_a_mistyped_name_is_told_the_nearest(tmp_path, verb, name, nearest):
    pytest.importorskip("fastavro")
    with pytest.raises(TypeError, match=rf"{verb} got .*: {name}; did you mean {nearest}\?"):
        getattr(penstock.data, verb)(tmp_path, **{name: None})


@pytest.mark.parametrize(
    ("verb", "name", "nearest"),
    [
        ("write_parquet", "compresion", "compression"),
        ("write_orc", "stripesize", "stripe_size"),
        ("write_json", "date_unitt", "date_unit"),
        ("write_csv", "write_option", "write_options"),
    ],
)
def test_a_mistyped_name_of_a_writer_is_told_the_nearest(tmp_path, verb, name, nearest):
    with pytest.raises(TypeError, match=rf"{verb} got .*: {name}; did you mean {nearest}\?"):
        getattr(penstock.data.range(1), verb)(tmp_path / "out", **{name: 1})
    with pytest.raises(NotImplementedError, match="flavor"):
        penstock.data.range(1).write_parquet(tmp_path / "out", flavor="spark")


def test_dictionaries_and_nested_columns_of_parquet_are_read(tmp_path):
    table = pa.table(
        {
            "d": pa.array(["a", "b", "a"]).dictionary_encode(),
            "s": [{"x": [{"y": 1}]}, None, {"x": []}],
            "m": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    write("parquet", table, tmp_path / "a.parquet")
    assert [row["d"] for row in penstock.data.read_parquet(tmp_path).take_all()] == ["a", "b", "a"]
    rows = penstock.data.read_parquet(tmp_path, columns=["s"]).take_all()
    assert rows == [{"s": {"x": [{"y": 1}]}}, {"s": None}, {"s": {"x": []}}]


@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_an_encrypted_file_is_refused_by_name(plaintext_footer, tmp_path):
    encryption = pytest.importorskip("pyarrow.parquet.encryption")

    class Keys(encryption.KmsClient):
        def wrap_key(self, key, name):
            return base64.b64encode(key)

    properties = encryption.CryptoFactory(lambda _: Keys()).file_encryption_properties(
        encryption.KmsConnectionConfig(),
        encryption.EncryptionConfiguration(
            footer_key="f", column_keys={"c": ["n"]}, plaintext_footer=plaintext_footer
        ),
    )
    pq.write_table(TABLE, tmp_path / "a.parquet", encryption_properties=properties)
    with pytest.raises(NotImplementedError, match=r"a\.parquet.*encrypted"):
        penstock.data.read_parquet(tmp_path).take(1)
