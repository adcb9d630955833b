from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.data import FileShuffleConfig
from penstock.exceptions import CorruptDataError


@pytest.fixture
def folder(tmp_path):
    """Twenty files, each of its number."""
    for number in range(20):
        (tmp_path / f"{number:02}.bin").write_bytes(b"%d" % number)
    return tmp_path


def values(ds):
    return [int(row["bytes"]) for row in ds.take_all()]


def test_files_are_rows_in_the_order_of_their_paths(folder):
    assert values(penstock.data.read_binary_files(folder)) == list(range(20))


def test_counting_opens_no_file(folder):
    (folder / "00.bin").chmod(0)
    assert penstock.data.read_binary_files(folder).count() == 20


def test_paths_come_along(folder):
    row = penstock.data.read_binary_files(folder / "07.bin", include_paths=True).take(1)[0]
    assert row == {"bytes": b"7", "path": str(folder / "07.bin")}


def test_compressed_files_are_decompressed(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"text"))
    assert penstock.data.read_binary_files(tmp_path).take_all() == [{"bytes": b"text"}]


def test_a_compressed_bomb_is_refused(tmp_path):
    with gzip.open(tmp_path / "bomb.gz", "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    with pytest.raises(CorruptDataError, match=r"bomb\.gz"):
        penstock.data.read_binary_files(tmp_path).take_all()


def test_names_may_hold_anything_that_text_may(tmp_path):
    names = sorted(["with space", "new\nline", "größe", "日本", "'quote\"", "100%"])
    for name in names:
        (tmp_path / name).write_text(name)
    ds = penstock.data.read_binary_files(tmp_path, include_paths=True)
    assert sorted(row["path"].rsplit("/", 1)[1] for row in ds.take_all()) == names


def test_a_missing_path_is_named_or_left_out(folder):
    paths = [folder / "00.bin", folder / "none.bin"]
    with pytest.raises(FileNotFoundError, match=r"none\.bin"):
        penstock.data.read_binary_files(paths).take_all()
    assert values(penstock.data.read_binary_files(paths, ignore_missing_paths=True)) == [0]


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="no file to read"):
        penstock.data.read_binary_files(tmp_path).take_all()


def test_extensions_choose_files(folder):
    (folder / "a.txt").write_bytes(b"99")
    assert values(penstock.data.read_binary_files(folder, file_extensions=["txt"])) == [99]


def test_a_filter_chooses_files(folder):
    ds = penstock.data.read_binary_files(folder, partition_filter=lambda paths: paths[3:5])
    assert values(ds) == [3, 4]
    with pytest.raises(ValueError, match="partition_filter left no file"):
        penstock.data.read_binary_files(folder, partition_filter=lambda paths: [])


def test_a_seed_gives_one_order(folder):
    def read(seed):
        return values(penstock.data.read_binary_files(folder, shuffle=FileShuffleConfig(seed)))

    assert read(5) == read(5)
    assert read(5) != read(6)
    assert sorted(read(5)) == list(range(20))


def test_shuffling_without_a_seed_loses_nothing(folder):
    ds = penstock.data.read_binary_files(folder, shuffle="files")
    assert sorted(values(ds)) == list(range(20))
    with pytest.raises(ValueError, match="shuffle"):
        penstock.data.read_binary_files(folder, shuffle="rows")


def test_the_number_of_blocks_can_be_asked_for(folder):
    ds = penstock.data.read_binary_files(folder, override_num_blocks=3)
    assert ds.materialize().num_blocks() == 3
    assert values(ds) == list(range(20))


def test_numpy_rows_are_the_first_dimension(tmp_path):
    rows = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    np.save(tmp_path / "a.npy", rows[:3])
    np.save(tmp_path / "b.npy", np.asfortranarray(rows[3:]))
    (batch,) = penstock.data.read_numpy(tmp_path).iter_batches(batch_size=4)
    np.testing.assert_array_equal(batch["data"], rows)


@pytest.mark.parametrize("dtype", ["bool", "<i2", ">i8", "u1", "<f2", ">f4", "<f8"])
def test_numpy_types_are_kept(tmp_path, dtype):
    written = np.arange(5).astype(dtype)
    np.save(tmp_path / "a.npy", written)
    (batch,) = penstock.data.read_numpy(tmp_path).iter_batches(batch_size=None)
    np.testing.assert_array_equal(batch["data"], written)
    assert batch["data"].dtype == written.dtype.newbyteorder("=")


def test_pickled_arrays_are_never_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(NotImplementedError, match="allow_pickle"):
        penstock.data.read_numpy(tmp_path, allow_pickle=True)
    with pytest.raises(NotImplementedError, match=r"a\.npy.*pickled"):
        penstock.data.read_numpy(tmp_path).take_all()


@pytest.mark.parametrize("order", "<>")
def test_numpy_text_and_bytes_are_read(tmp_path, order):
    texts = np.array(["", "käse", "漢字 \U0001f600"]).astype(f"{order}U8")
    np.save(tmp_path / "a.npy", texts)
    rows = penstock.data.read_numpy([tmp_path / "a.npy"] * 2).take_all()
    assert [row["data"] for row in rows] == [*texts.tolist(), *texts.tolist()]
    np.save(tmp_path / "b.npy", np.array([b"a", b"b\x00c", b""]))
    rows = penstock.data.read_numpy(tmp_path / "b.npy").take_all()
    assert [row["data"] for row in rows] == [b"a", b"b\x00c", b""]


@pytest.mark.parametrize("unit", ["W", "D", "h", "m", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["<M8", ">M8", "<m8"])
def test_numpy_times_are_read(tmp_path, kind, unit):
    times = np.array([1, -2, "NaT"], f"{kind}[{unit}]")
    np.save(tmp_path / "a.npy", times)
    ds = penstock.data.read_numpy(tmp_path)
    (batch,) = ds.iter_batches(batch_size=3)
    assert batch["data"][:2].tolist() == times.astype(batch["data"].dtype)[:2].tolist()
    (table,) = ds.iter_batches(batch_size=3, batch_format="pyarrow")
    assert table.column("data").is_null().to_pylist() == [False, False, True]
    np.save(tmp_path / "a.npy", np.stack([times, times], axis=1))
    (batch,) = penstock.data.read_numpy(tmp_path).iter_batches(batch_size=3)
    assert batch["data"].shape == (3, 2)


@pytest.mark.parametrize(
    "array",
    [np.array(5), np.array([1 + 2j]), np.zeros(2, [("a", "i4")]), np.array(["2020"], "M8[Y]")],
)
def test_other_good_arrays_are_not_supported_rather_than_damaged(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(NotImplementedError, match=r"a\.npy: "):
        penstock.data.read_numpy(tmp_path).take_all()


@pytest.mark.parametrize("suffix", ["gzip", "zstd"])
def test_the_long_suffixes_of_codecs_are_known(tmp_path, suffix):
    packed = pa.compress(b"line\n", codec=suffix, asbytes=True)
    (tmp_path / f"a.txt.{suffix}").write_bytes(packed)
    assert penstock.data.read_text(tmp_path).take_all() == [{"text": "line"}]


def test_a_table_compressed_as_a_whole_says_so(tmp_path):
    for name, read in (("parquet", penstock.data.read_parquet), ("orc", penstock.data.read_orc)):
        (tmp_path / f"a.{name}.gz").write_bytes(gzip.compress(b"PAR1"))
        with pytest.raises(NotImplementedError, match=rf"a\.{name}\.gz: .*compressed as a whole"):
            read(tmp_path / f"a.{name}.gz").take_all()


def test_unsupported_options_are_named(folder):
    with pytest.raises(NotImplementedError, match="meta_provider"):
        penstock.data.read_binary_files(folder, meta_provider=object())
