from __future__ import annotations

import io
import socket
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow import fs

import penstock.data

pytest.importorskip("moto")
from s3_server import s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = iter(range(10**6))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with s3_server() as running:
        yield running


@pytest.fixture
def system(address: str) -> fs.S3FileSystem:
    return fs.S3FileSystem(
        access_key="key",
        secret_key="secret",
        endpoint_override=address,
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
    )


@pytest.fixture
def bucket(system: fs.S3FileSystem) -> str:
    name = f"bucket-{next(_numbers)}"
    system.create_dir(name)
    return name


@pytest.fixture
def options(address: str) -> str:
    return f"?scheme=http&region=us-east-1&endpoint_override={address}"


def put(system: fs.S3FileSystem, path: str, data: bytes) -> None:
    with system.open_output_stream(path) as stream:
        stream.write(data)


def names(system: fs.S3FileSystem, folder: str) -> list[str]:
    found = system.get_file_info(fs.FileSelector(folder, recursive=True))
    return sorted(info.path for info in found if info.is_file)


def parquet_bytes(first: int, rows: int) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"n": range(first, first + rows)}), buffer)
    return buffer.getvalue()


def numbers(dataset: penstock.data.Dataset) -> list[int]:
    return [row["n"] for row in dataset.take_all()]


def test_every_kind_of_reader_reads_from_a_bucket(system, bucket):
    array, picture = io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(6).reshape(3, 2))
    Image.new("RGB", (4, 3), "red").save(picture, "png")
    put(system, f"{bucket}/a.parquet", parquet_bytes(0, 3))
    put(system, f"{bucket}/b.csv", b"n\n1\n2\n")
    put(system, f"{bucket}/c.jsonl", b'{"n": 3}\n')
    put(system, f"{bucket}/d.npy", array.getvalue())
    put(system, f"{bucket}/e.png", picture.getvalue())
    put(system, f"{bucket}/f", b"bytes")

    def uri(name: str) -> str:
        return f"s3://{bucket}/{name}"

    assert numbers(penstock.data.read_parquet(uri("a.parquet"), filesystem=system)) == [0, 1, 2]
    assert numbers(penstock.data.read_csv(f"{bucket}/b.csv", filesystem=system)) == [1, 2]
    assert numbers(penstock.data.read_json(uri("c.jsonl"), filesystem=system)) == [3]
    rows = penstock.data.read_numpy(uri("d.npy"), filesystem=system).take_all()
    assert [row["data"].tolist() for row in rows] == [[0, 1], [2, 3], [4, 5]]
    image = penstock.data.read_images(uri("e.png"), filesystem=system).take_all()[0]["image"]
    assert image.shape == (3, 4, 3)
    rows = penstock.data.read_binary_files(
        uri("f"), filesystem=system, include_paths=True
    ).take_all()
    assert rows == [{"bytes": b"bytes", "path": uri("f")}]


def test_folders_globs_and_lists_are_read_in_the_order_of_their_names(system, bucket, options):
    for part in range(5):
        put(system, f"{bucket}/in/{part % 2}/a {part}.parquet", parquet_bytes(part * 10, 2))
    put(system, f"{bucket}/in/_hidden.parquet", b"no parquet")
    folder = penstock.data.read_parquet(f"s3://{bucket}/in{options}", partitioning=None)
    assert numbers(folder) == [0, 1, 20, 21, 40, 41, 10, 11, 30, 31]
    glob = f"{bucket}/in/*/a ?.parquet"
    assert len(numbers(penstock.data.read_parquet(glob, filesystem=system))) == 10
    two = [f"{bucket}/in/1/a 3.parquet", f"{bucket}/in/0/a 0.parquet"]
    assert numbers(penstock.data.read_parquet(two, filesystem=system)) == [30, 31, 0, 1]


def test_folders_names_become_columns(system, bucket, options):
    for year in (2023, 2024):
        put(system, f"{bucket}/t/year={year}/a.parquet", parquet_bytes(year, 1))
    rows = penstock.data.read_parquet(f"s3://{bucket}/t{options}").take_all()
    assert [(row["n"], int(row["year"])) for row in rows] == [(2023, 2023), (2024, 2024)]
    chosen = penstock.data.read_parquet(
        f"s3://{bucket}/t{options}",
        partition_filter=lambda paths: [path for path in paths if "2024" in path],
    )
    assert numbers(chosen) == [2024]


def test_credentials_come_from_the_environment_or_the_uri_and_are_shown_nowhere(
    system, bucket, options, monkeypatch
):
    put(system, f"{bucket}/a.parquet", parquet_bytes(0, 3))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert len(numbers(penstock.data.read_parquet(f"s3://{bucket}/a.parquet{options}"))) == 3
    anonymous = fs.S3FileSystem(
        anonymous=True,
        endpoint_override=options.rpartition("=")[2],
        scheme="http",
        region="us-east-1",
    )
    assert len(numbers(penstock.data.read_parquet(f"{bucket}/a.parquet", filesystem=anonymous)))
    secret = f"s3://key:hidden@{bucket}/a.parquet{options}"
    read = penstock.data.read_parquet(secret, include_paths=True)
    assert {row["path"] for row in read.take_all()} == {f"s3://{bucket}/a.parquet"}
    with pytest.raises(FileNotFoundError) as error:
        penstock.data.read_parquet(secret.replace("/a.", "/none.")).take_all()
    assert "hidden" not in str(error.value)


def test_a_file_system_below_a_folder_is_read(system, bucket):
    put(system, f"{bucket}/in/a.parquet", parquet_bytes(0, 3))
    below = fs.SubTreeFileSystem(f"{bucket}/in", system)
    assert numbers(penstock.data.read_parquet("a.parquet", filesystem=below)) == [0, 1, 2]


@pytest.mark.parametrize("kind", ["parquet", "csv", "json", "numpy"])
def test_what_is_written_to_a_bucket_is_read_back(system, bucket, kind):
    more = {"column": "id"} if kind == "numpy" else {}
    write = getattr(penstock.data.range(1000), f"write_{kind}")
    write(f"{bucket}/out", filesystem=system, **more)
    read = getattr(penstock.data, f"read_{kind}")(f"{bucket}/out", filesystem=system)
    assert read.sum("data" if kind == "numpy" else "id") == 499_500
    assert not [name for name in names(system, bucket) if "/." in name]


def test_modes_decide_over_what_a_bucket_holds(system, bucket, options):
    out = f"s3://{bucket}/out{options}"

    def write(rows: int, mode: str) -> None:
        penstock.data.range(rows).write_csv(out, filesystem=system, mode=mode)

    def count() -> int:
        return penstock.data.read_csv(f"{bucket}/out", filesystem=system).count()

    out = f"s3://{bucket}/out"
    write(10, "append")
    write(5, "append")
    assert count() == 15
    write(7, "ignore")
    assert count() == 15
    with pytest.raises(FileExistsError, match="files already"):
        write(7, "error")
    write(3, "overwrite")
    assert count() == 3


def test_a_job_that_fails_leaves_nothing_in_the_bucket(system, bucket):
    def fail(row: dict[str, int]) -> dict[str, int]:
        if row["id"] == 900:
            raise ValueError("no")
        return row

    with pytest.raises(ValueError, match="no"):
        penstock.data.range(1000).map(fail).write_parquet(f"{bucket}/out", filesystem=system)
    assert names(system, bucket) == []


def test_a_reader_never_sees_half_a_file(system, bucket):
    """Whoever lists the bucket all the time finds whole files alone."""
    seen: dict[str, int] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for path in names(system, bucket):
                if path.endswith(".parquet"):
                    with system.open_input_file(path) as file:
                        seen[path] = pq.read_metadata(file).num_rows

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(3):
            penstock.data.range(50_000, override_num_blocks=5).write_parquet(
                f"{bucket}/out", filesystem=system, max_rows_per_file=10_000
            )
    finally:
        done.set()
        watcher.join()
    assert set(seen.values()) <= {10_000}


def test_a_missing_file_or_bucket_is_named_at_once(system, bucket, options):
    begin = time.monotonic()
    for place in (f"{bucket}/none.csv", "no-such-bucket/a.csv"):
        with pytest.raises(FileNotFoundError, match=place):
            penstock.data.read_csv(f"s3://{place}{options}").take_all()
    with pytest.raises(FileNotFoundError, match="no-such-bucket"):
        penstock.data.range(3).write_csv(f"s3://no-such-bucket/out{options}")
    assert time.monotonic() - begin < 20


def test_a_server_that_refuses_is_a_connection_error_in_bounded_time():
    with socket.socket() as taken:  # Bound, but nobody listens.
        taken.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{taken.getsockname()[1]}"
        system = fs.S3FileSystem(
            anonymous=True, endpoint_override=closed, scheme="http", region="us-east-1"
        )
        begin = time.monotonic()
        with pytest.raises(ConnectionError, match=r"bucket/a\.csv \(.*|tried 6 times.*a\.csv"):
            penstock.data.read_csv("bucket/a.csv", filesystem=system).take_all()
        assert time.monotonic() - begin < 60
