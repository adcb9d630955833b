from __future__ import annotations

import os
import socket
import time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

import penstock.data
from penstock.data.reading.file_systems import engine_file_system, place

fsspec = pytest.importorskip("fsspec")


class Flaky(fs.FileSystemHandler):
    """A folder of this machine that fails as often as a counter in it says."""

    def __init__(self, folder: str) -> None:
        self.inner = fs.SubTreeFileSystem(folder, fs.LocalFileSystem())
        self.counter = os.path.join(folder, ".failures")  # noqa: PTH118 - as pyarrow's paths

    def may_fail(self) -> None:
        with open(self.counter) as file:  # noqa: PTH123
            left = int(file.read())
        if left > 0:
            with open(self.counter, "w") as file:  # noqa: PTH123
                file.write(str(left - 1))
            raise ConnectionResetError("the line is bad")

    def get_type_name(self) -> str:
        return "flaky"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        self.may_fail()
        return self.inner.get_file_info(paths)

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        return self.inner.get_file_info(selector)

    def open_input_file(self, path: str) -> pa.NativeFile:
        self.may_fail()
        return self.inner.open_input_file(path)

    def open_input_stream(self, path: str) -> pa.NativeFile:
        return self.inner.open_input_stream(path)

    def open_output_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        self.may_fail()
        return self.inner.open_output_stream(path, metadata)

    def open_append_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        return self.inner.open_append_stream(path, metadata)

    def create_dir(self, path: str, recursive: bool) -> None:  # noqa: FBT001
        self.inner.create_dir(path, recursive=recursive)

    def delete_dir(self, path: str) -> None:
        self.inner.delete_dir(path)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        self.inner.delete_dir_contents(path, missing_dir_ok=missing_dir_ok)

    def delete_root_dir_contents(self) -> None:
        raise NotImplementedError

    def delete_file(self, path: str) -> None:
        self.inner.delete_file(path)

    def move(self, src: str, dest: str) -> None:
        self.inner.move(src, dest)

    def copy_file(self, src: str, dest: str) -> None:
        self.inner.copy_file(src, dest)


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_a_python_file_system_is_read_and_written_in_a_process_of_its_own(tmp_path):
    (tmp_path / ".failures").write_text("0")
    system = fs.PyFileSystem(Flaky(str(tmp_path)))
    penstock.data.range(1000).write_parquet("out", filesystem=system)
    assert penstock.data.read_parquet("out", filesystem=system).sum("id") == 499_500
    assert pq.read_table(tmp_path / "out").num_rows == 1000
    penstock.data.range(10).write_numpy("arrays", column="id", filesystem=system)
    assert penstock.data.read_numpy("arrays", filesystem=system).sum("data") == 45


def test_what_fails_in_passing_is_tried_again(tmp_path):
    (tmp_path / "a.csv").write_text("n\n1\n2\n")
    (tmp_path / ".failures").write_text("1")
    system = fs.PyFileSystem(Flaky(str(tmp_path)))
    assert penstock.data.read_csv("a.csv", filesystem=system).sum("n") == 3
    (tmp_path / ".failures").write_text("1")
    penstock.data.range(5).write_csv("out", filesystem=system)
    assert penstock.data.read_csv(tmp_path / "out").count() == 5


def test_the_memory_file_system_of_fsspec_is_read_and_written(memory):
    memory.pipe("/in/a.csv", b"n\n1\n2\n")
    memory.pipe("/in/b.csv", b"n\n3\n")
    assert penstock.data.read_csv("/in", filesystem=memory).sum("n") == 6
    assert penstock.data.read_csv("memory://in/*.csv").count() == 3
    penstock.data.range(100).write_parquet("memory://out")
    read = penstock.data.read_parquet("memory://out", include_paths=True)
    assert read.sum("id") == 4950
    assert all(row["path"].startswith("memory://out/") for row in read.take_all())


def test_a_missing_file_is_named(memory):
    with pytest.raises(FileNotFoundError, match="none"):
        penstock.data.read_csv("memory://none.csv").take_all()


def test_errors_that_the_user_names_are_tried_again(tmp_path, context):
    class Odd(Flaky):
        def may_fail(self) -> None:
            try:
                super().may_fail()
            except ConnectionResetError:
                raise ValueError("odd weather") from None

    (tmp_path / "a.csv").write_text("n\n1\n")
    system = fs.PyFileSystem(Odd(str(tmp_path)))
    (tmp_path / ".failures").write_text("1")
    with pytest.raises(OSError, match="odd weather"):
        penstock.data.read_csv("a.csv", filesystem=system).take_all()
    (tmp_path / ".failures").write_text("1")
    context.retried_io_errors.append("odd weather")
    assert penstock.data.read_csv("a.csv", filesystem=system).count() == 1


def test_what_is_no_file_system_or_cannot_travel_is_refused(tmp_path):
    with pytest.raises(TypeError, match="one of pyarrow's or of fsspec's"):
        penstock.data.read_csv("a.csv", filesystem=object())
    handler = Flaky(str(tmp_path))
    handler.lock = socket.socket()  # type: ignore[attr-defined]
    with handler.lock, pytest.raises(TypeError, match="cannot be sent to another process"):  # type: ignore[attr-defined]
        penstock.data.read_csv("a.csv", filesystem=fs.PyFileSystem(handler))


def test_paths_on_several_file_systems_are_refused():
    with pytest.raises(NotImplementedError, match="one file system at a time"):
        place("read_csv", ["http://a/b.csv", "memory://a"], None)


def test_an_unknown_scheme_says_what_to_give():
    with pytest.raises(ValueError, match=r"filesystem=.*got: nowhere://a"):
        place("read_csv", "nowhere://a", None)


def test_the_file_systems_of_the_clouds_keep_their_options():
    google = fs.GcsFileSystem(anonymous=True, endpoint_override="127.0.0.1:1", scheme="http")
    assert engine_file_system(google).type_name == "gcs"
    azure = fs.AzureFileSystem("account", account_key="a2V5")
    assert engine_file_system(azure).type_name == "abfs"
    below = fs.SubTreeFileSystem("container", azure)
    assert engine_file_system(below).type_name == "subtree"


def test_google_storage_that_does_not_answer_is_a_connection_error_in_bounded_time():
    google = fs.GcsFileSystem(anonymous=True, endpoint_override="127.0.0.1:1", scheme="http")
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match=r"network.*got: bucket/a\.csv"):
        penstock.data.read_csv("bucket/a.csv", filesystem=google).take_all()
    assert time.monotonic() - begin < 60
