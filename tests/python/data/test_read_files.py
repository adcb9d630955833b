from __future__ import annotations

import gzip

import numpy as np
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
    with pytest.raises(CorruptDataError, match=r"a\.npy.*pickled"):
        penstock.data.read_numpy(tmp_path).take_all()


def test_unsupported_options_are_named(folder):
    with pytest.raises(NotImplementedError, match="meta_provider"):
        penstock.data.read_binary_files(folder, meta_provider=object())
