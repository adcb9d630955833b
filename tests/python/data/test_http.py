from __future__ import annotations

import gzip
import http.server
import io
import threading
from collections import Counter
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock.data
from penstock.data.python_sources.files import FileBasedDatasource

if TYPE_CHECKING:
    from collections.abc import Iterator


class Web(http.server.ThreadingHTTPServer):
    """Serves `files`; the first answers for a path may be told to fail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.statuses: dict[str, list[int]] = {}
        self.cut: dict[str, int] = {}
        self.knows_ranges = True
        self.knows_head = True
        self.gets: Counter[str] = Counter()

    def uri(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def put(self, path: str, data: bytes) -> str:
        self.files[path.partition("?")[0]] = data
        return self.uri(path)


class Answer(http.server.BaseHTTPRequestHandler):
    server: Web
    protocol_version: ClassVar[str] = "HTTP/1.1"

    def do_HEAD(self) -> None:
        if not self.server.knows_head:
            self.send_error(405)
        else:
            self.do_GET()

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        statuses = self.server.statuses.get(path)
        if self.command == "GET":
            self.server.gets[path] += 1
            if statuses:
                self.send_error(statuses.pop(0))
                return
        if path not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[path]
        begin, end = 0, len(data)
        wanted = self.headers.get("Range")
        ranged = wanted is not None and self.server.knows_ranges
        if ranged:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            begin, end = int(first), min(int(last) + 1, len(data))
            if begin >= len(data):
                self.send_error(416)
                return
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        if self.command == "HEAD":
            return
        body = data[begin:end]
        if self.server.cut.get(path, 0) > 0:
            self.server.cut[path] -= 1
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def parquet_bytes(rows: int) -> bytes:
    buffer = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 2**60, rows)
    pq.write_table(pa.table({"n": range(rows), "value": values}), buffer, row_group_size=100_000)
    return buffer.getvalue()


def test_every_kind_of_reader_reads_from_the_web(web):
    array = io.BytesIO()
    np.save(array, np.arange(6).reshape(3, 2))
    text = b"n\n1\n2\n"
    assert penstock.data.read_csv(web.put("/a.csv", text)).take_all() == [{"n": 1}, {"n": 2}]
    packed = web.put("/b.csv.gz?token=1", gzip.compress(text))
    assert penstock.data.read_csv(packed).take_all() == [{"n": 1}, {"n": 2}]
    assert penstock.data.read_json(web.put("/c.jsonl", b'{"n": 3}\n')).take_all() == [{"n": 3}]
    assert penstock.data.read_text(web.put("/d.txt", b"x\ny\n")).count() == 2
    numbers = penstock.data.read_numpy(web.put("/e.npy", array.getvalue())).take_all()
    assert [row["data"].tolist() for row in numbers] == [[0, 1], [2, 3], [4, 5]]
    files = [web.put(f"/{name}", name.encode()) for name in ("f", "g h", "ü")]
    rows = penstock.data.read_binary_files(files, include_paths=True).take_all()
    assert [(row["path"], row["bytes"].decode()) for row in rows] == list(
        zip(files, ("f", "g h", "ü"), strict=True)
    )


def test_only_the_ranges_that_are_needed_are_fetched(web):
    data = parquet_bytes(2_000_000)
    assert len(data) > 16 << 20
    uri = web.put("/a.parquet", data)
    assert penstock.data.read_parquet(uri).sum("n") == sum(range(2_000_000))
    assert penstock.data.read_parquet(uri, columns=["value"]).limit(3).count() == 3
    assert web.gets["/a.parquet"] > 3


def test_a_server_without_ranges_or_head_sends_whole_files(web):
    web.knows_ranges = web.knows_head = False
    uri = web.put("/a.parquet", parquet_bytes(1000))
    assert penstock.data.read_parquet(uri).sum("n") == 499_500


def test_an_empty_file_is_read(web):
    rows = penstock.data.read_binary_files(web.put("/empty", b"")).take_all()
    assert rows == [{"bytes": b""}]


def test_a_missing_file_is_named_at_once(web):
    uri = web.uri("/none.csv")
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        penstock.data.read_csv(uri).take_all()


def test_an_overloaded_server_and_a_cut_connection_are_tried_again(web):
    uri = web.put("/a.csv", b"n\n" + b"7\n" * 1000)
    web.statuses["/a.csv"] = [503]
    web.cut["/a.csv"] = 1
    assert penstock.data.read_csv(uri).sum("n") == 7000
    assert web.gets["/a.csv"] >= 3


def test_what_a_server_forbids_is_a_permission_error_that_says_what_to_do(web):
    uri = web.put("/a.csv", b"n\n1\n")
    web.statuses["/a.csv"] = [403] * 20
    with pytest.raises(PermissionError, match=r"403.*credentials.*a\.csv"):
        penstock.data.read_csv(uri).take_all()
    assert web.gets["/a.csv"] == 1


def test_what_names_no_file_is_refused_with_a_way_out(web):
    with pytest.raises(ValueError, match="not folders"):
        penstock.data.read_csv(web.uri("/folder/"))
    with pytest.raises(NotImplementedError, match="read only"):
        penstock.data.range(3).write_csv(web.uri("/out"))


def test_python_readers_read_from_the_web(web):
    class Lines(FileBasedDatasource):
        def _read_stream(self, f, path):
            yield pa.table({"line": f.readall().decode().split(), "from": [path] * 2})

    uri = web.put("/a.txt", b"one two")
    rows = penstock.data.read_datasource(Lines(uri)).take_all()
    assert rows == [{"line": "one", "from": uri}, {"line": "two", "from": uri}]
