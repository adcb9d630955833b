from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from part_files import part_files

import penstock
from penstock.exceptions import CorruptDataError, SchemaMismatchError


def write_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def png(array):
    pytest.importorskip("PIL")
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "png")
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_tfrecords_read_back_what_was_written(tmp_path):
    table = pa.table(
        {
            "i": [1, -2, None],
            "f": pa.array([0.5, None, 2.0], pa.float32()),
            "b": [b"x", b"", b"\xff"],
            "list": [[1, 2], [], None],
            "texts": pa.array([[b"a"], [b"b", b"c"], []], pa.list_(pa.binary())),
        }
    )
    penstock.data.from_arrow(table).write_tfrecords(tmp_path)
    back = penstock.data.read_tfrecords(tmp_path).take_all()
    assert back == table.to_pylist()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_tfrecords_read_back_by_their_suffix(tmp_path, compression):
    ds = penstock.data.range(100)
    ds.write_tfrecords(tmp_path, arrow_open_stream_args={"compression": compression})
    assert penstock.data.read_tfrecords(tmp_path).sum("id") == 4950


def test_a_compression_that_is_said_counts_whatever_the_name_says(tmp_path):
    penstock.data.range(3).write_tfrecords(tmp_path)
    (file,) = part_files(tmp_path)
    read = penstock.data.read_tfrecords
    for name in ("a.tfrecords.gz", "a.tfrecords", "a.tfrecords.zst"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(file.read_bytes()))
        assert read(path, arrow_open_stream_args={"compression": "gzip"}).count() == 3


def test_a_tf_schema_makes_lists_and_allows_no_other_features(tmp_path):
    penstock.data.from_items([{"x": 1, "y": b"a"}]).write_tfrecords(tmp_path)

    def schema(**types):
        return SimpleNamespace(
            feature=[SimpleNamespace(name=name, type=kind) for name, kind in types.items()]
        )

    ds = penstock.data.read_tfrecords(tmp_path, tf_schema=schema(x=2, y=1))
    assert ds.take_all() == [{"x": [1], "y": [b"a"]}]
    with pytest.raises(SchemaMismatchError, match=r'"y".*tf_schema'):
        penstock.data.read_tfrecords(tmp_path, tf_schema=schema(x=2)).take_all()
    with pytest.raises(SchemaMismatchError, match="says float; got: int"):
        penstock.data.read_tfrecords(tmp_path, tf_schema=schema(x=3, y=1)).take_all()
    with pytest.raises(ValueError, match=r"BYTES \(1\)"):
        penstock.data.read_tfrecords(tmp_path, tf_schema=schema(x=4))
    with pytest.raises(TypeError, match="tensorflow_metadata"):
        penstock.data.read_tfrecords(tmp_path, tf_schema={"x": 1})


def test_tfrecords_are_chosen_partitioned_and_shuffled_as_other_files(tmp_path):
    for year in (2001, 2002):
        penstock.data.from_items([{"x": year}]).write_tfrecords(tmp_path / f"year={year}")
    ds = penstock.data.read_tfrecords(
        [tmp_path, tmp_path / "missing"],
        partitioning=penstock.data.Partitioning("hive"),
        include_paths=True,
        ignore_missing_paths=True,
        shuffle=penstock.data.FileShuffleConfig(seed=1),
    )
    rows = sorted(ds.take_all(), key=lambda row: row["x"])
    assert [(row["x"], row["year"]) for row in rows] == [(2001, "2001"), (2002, "2002")]
    assert all(row["path"].endswith(".tfrecords") for row in rows)
    with pytest.raises(FileNotFoundError):
        penstock.data.read_tfrecords(tmp_path / "missing").take_all()


def test_a_long_tfrecord_is_read_in_about_as_many_pieces_as_asked_for(tmp_path):
    penstock.data.range(10_000).write_tfrecords(tmp_path)
    ds = penstock.data.read_tfrecords(tmp_path, override_num_blocks=7)
    assert [row["id"] for row in ds.take_all()] == list(range(10_000))
    assert 6 <= len(list(ds.iter_batches(batch_size=None))) <= 8


def test_a_tfrecord_that_lies_about_a_length_is_an_error(tmp_path):
    path = tmp_path / "a.tfrecord"
    penstock.data.range(1).write_tfrecords(tmp_path / "good")
    (good,) = part_files(tmp_path / "good")
    path.write_bytes(struct.pack("<Q", 2**60) + good.read_bytes()[8:])
    with pytest.raises(CorruptDataError, match=r"a\.tfrecord, at byte 0: record 1"):
        penstock.data.read_tfrecords(path).take_all()


def test_samples_are_decoded_by_their_suffixes(tmp_path):
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    path = write_tar(
        tmp_path / "a.tar",
        [
            ("d/0.txt", "ä".encode()),
            ("d/0.cls", b" 7\n"),
            ("d/0.json", b'{"a": [1, 2]}'),
            ("d/0.seg.png", png(image)),
            ("d/0.npy", npy(np.eye(2))),
            ("d/0.pyd", b"raw"),
            ("d/1.txt", b"b"),
        ],
    )
    first, second = penstock.data.read_webdataset(path).take_all()
    np.testing.assert_array_equal(first.pop("seg.png"), image)
    np.testing.assert_array_equal(first.pop("npy"), np.eye(2))
    assert first == {
        "__key__": "d/0",
        "txt": "ä",
        "cls": 7,
        "json": {"a": [1, 2]},
        "pyd": b"raw",
        "__url__": str(path),
    }
    assert second["__key__"] == "d/1"
    assert (second["txt"], second["cls"], second["json"]) == ("b", None, None)


@pytest.mark.parametrize("decoder", [None, False])
def test_without_a_decoder_files_stay_bytes(tmp_path, decoder):
    path = write_tar(tmp_path / "a.tar", [("0.cls", b"1"), ("0.pkl", pickle.dumps(1))])
    (row,) = penstock.data.read_webdataset(path, decoder=decoder).take_all()
    assert (row["cls"], row["pkl"]) == (b"1", pickle.dumps(1))


@pytest.mark.parametrize("ending", ["pkl", "pickle", "pt", "pth"])
def test_what_pickle_loads_is_never_loaded(tmp_path, ending):
    path = write_tar(tmp_path / "a.tar", [(f"0.{ending}", pickle.dumps(1))])
    with pytest.raises(ValueError, match=r"sample 0, file \w+: .*decoder of your own"):
        penstock.data.read_webdataset(path).take_all()


def test_arrays_of_objects_are_never_loaded(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([{}], object), allow_pickle=True)
    path = write_tar(tmp_path / "a.tar", [("0.npy", stream.getvalue())])
    with pytest.raises(ValueError, match=r"a\.tar, sample 0, file npy"):
        penstock.data.read_webdataset(path).take_all()


@pytest.mark.parametrize(("ending", "data"), [("cls", b"x"), ("json", b"{"), ("txt", b"\xff")])
def test_a_file_that_is_not_what_its_suffix_says_is_named(tmp_path, ending, data):
    path = write_tar(tmp_path / "a.tar", [(f"0.{ending}", data)])
    with pytest.raises(ValueError, match=rf"a\.tar, sample 0, file {ending}: it cannot be decoded"):
        penstock.data.read_webdataset(path).take_all()


def test_decoders_of_the_users_take_samples_with_what_they_have(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("0.txt", b"a"), ("0.cls", b"1"), ("1.txt", b"b")])

    def names(sample):
        return {"names": sorted(sample), "text": sample["txt"]}

    ds = penstock.data.read_webdataset(path, decoder=names)
    assert ds.take_all() == [
        {"names": ["__key__", "__url__", "cls", "txt"], "text": b"a"},
        {"names": ["__key__", "__url__", "txt"], "text": b"b"},
    ]
    ds = penstock.data.read_webdataset(path, decoder=[True, lambda sample: {"t": sample["txt"]}])
    assert ds.take_all() == [{"t": "a"}, {"t": "b"}]


def test_images_may_stay_pillows_for_the_next_decoder(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("0.png", png(np.zeros((2, 3), np.uint8)))])
    ds = penstock.data.read_webdataset(
        path, decoder=["PIL", lambda sample: {"size": list(sample["png"].size)}]
    )
    assert ds.take_all() == [{"size": [3, 2]}]
    (row,) = penstock.data.read_webdataset(path, decoder="PIL").take_all()
    assert row["png"].shape == (2, 3)


def test_an_error_of_a_decoder_names_the_sample(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("0.txt", b"a")])

    def fail(sample):
        raise KeyError("no")

    with pytest.raises(KeyError) as raised:
        penstock.data.read_webdataset(path, decoder=fail).take_all()
    assert "a.tar, sample 0" in str(raised.value) + str(getattr(raised.value, "__notes__", ""))


def test_files_and_suffixes_are_chosen_by_patterns_or_functions(tmp_path):
    path = write_tar(
        tmp_path / "a.tar", [("0.txt", b"a"), ("0.cls", b"1"), ("1.cls", b"2"), ("2.txt", b"c")]
    )

    def read(**options):
        return penstock.data.read_webdataset(path, **options).drop_columns(["__url__"]).take_all()

    texts = [{"__key__": "0", "txt": "a"}, {"__key__": "2", "txt": "c"}]
    assert read(fileselect=["*.txt"]) == texts
    assert read(fileselect=lambda name: name.endswith(".txt")) == texts
    with_empty = [texts[0], {"__key__": "1", "txt": None}, texts[1]]
    assert read(suffixes=["txt"]) == with_empty
    assert read(suffixes=lambda suffix: suffix == "txt") == with_empty
    with pytest.raises(TypeError, match="suffixes must be a list of patterns"):
        read(suffixes="txt")


def test_renamed_files_are_grouped_by_their_new_names(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("a_x.txt", b"A"), ("a_y.txt", b"B"), ("b_x.txt", b"C")])
    ds = penstock.data.read_webdataset(
        path,
        filerename=[lambda name: name.replace("_", ".", 1)],
        suffixes=["*.txt"],
        include_paths=True,
    )
    rows = ds.take_all()
    assert [(row["__key__"], row["x.txt"], row["y.txt"]) for row in rows] == [
        ("a", "A", "B"),
        ("b", "C", None),
    ]
    assert rows[0]["path"] == rows[0]["__url__"] == str(path)
    with pytest.raises(ValueError, match=r"a\.tar: a sample has a file twice"):
        penstock.data.read_webdataset(path, filerename=lambda name: "z.txt").take_all()
    with pytest.raises(TypeError, match="filerename must be a function"):
        penstock.data.read_webdataset(path, filerename=[("a", "b")])


def test_json_is_expanded_into_columns(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("0.json", b'{"x": 1, "y": "a"}')])
    for decoder in (True, None):
        (row,) = penstock.data.read_webdataset(path, decoder=decoder, expand_json=True).take_all()
        assert (row["x"], row["y"]) == (1, "a")
    other = write_tar(tmp_path / "b.tar", [("0.txt", b"a")])
    with pytest.raises(ValueError, match=r"b\.tar, sample 0: expand_json"):
        penstock.data.read_webdataset(other, expand_json=True).take_all()


def test_samples_read_back_what_was_written(tmp_path):
    image = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    table = [
        {"__key__": f"k{i}", "txt": f"t{i}", "cls": i, "json": {"a": i}, "png": image[i]}
        for i in range(2)
    ]
    penstock.data.from_items(table).write_webdataset(tmp_path)
    rows = penstock.data.read_webdataset(tmp_path).take_all()
    pytest.importorskip("PIL")
    for row, wanted in zip(rows, table, strict=True):
        np.testing.assert_array_equal(row.pop("png"), wanted.pop("png"))
        row.pop("__url__")
        assert row == wanted


def test_samples_of_msgpack_are_decoded_or_named(tmp_path):
    msgpack = pytest.importorskip("msgpack")
    write_tar(tmp_path / "a.tar", [("0.mp", msgpack.packb({"a": [1, 2], "t": "ü"}))])
    (row,) = penstock.data.read_webdataset(tmp_path / "a.tar").take_all()
    assert row["mp"] == {"a": [1, 2], "t": "ü"}
    write_tar(tmp_path / "bad.tar", [("0.mp", b"\xc1")])
    with pytest.raises(ValueError, match=r"bad\.tar, sample 0, file mp: it cannot be decoded"):
        penstock.data.read_webdataset(tmp_path / "bad.tar").take_all()


def test_compressed_archives_are_read_by_their_suffix(tmp_path):
    path = write_tar(tmp_path / "a.tar", [(f"{i:03}.txt", b"x" * i) for i in range(100)])
    packed = tmp_path / "b.tar.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert penstock.data.read_webdataset(packed).count() == 100


@pytest.mark.parametrize(
    "archive_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_archives_of_every_format_of_python_are_read(tmp_path, archive_format):
    name = "f" * 80 + "/" + "n" * 70 + ".txt"
    with tarfile.open(tmp_path / "a.tar", "w", format=archive_format) as archive:
        folder = tarfile.TarInfo("f" * 80)
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        info = tarfile.TarInfo(name)
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    (row,) = penstock.data.read_webdataset(tmp_path / "a.tar").take_all()
    assert (row["__key__"] + ".txt", row["txt"]) == (name, "abc")


def test_a_cut_archive_is_an_error_that_names_it(tmp_path):
    path = write_tar(tmp_path / "a.tar", [("0.txt", b"a"), ("1.txt", b"b")])
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(CorruptDataError, match=r"a\.tar, at byte 1024: the archive ends without"):
        penstock.data.read_webdataset(path).take_all()


def test_options_of_rays_that_are_not_there_are_refused_by_name(tmp_path):
    for read in (penstock.data.read_tfrecords, penstock.data.read_webdataset):
        with pytest.raises(NotImplementedError, match="label_selector"):
            read(tmp_path, label_selector={"zone": "a"})


def test_opened_archives_are_named_where_that_is_asked_for(tmp_path, capfd):
    path = write_tar(tmp_path / "a.tar", [("0.txt", b"a")])
    penstock.data.read_webdataset(path, verbose_open=True).take_all()
    assert capfd.readouterr().err.count(f"start {path}") == 1
