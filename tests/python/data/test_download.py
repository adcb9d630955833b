from __future__ import annotations

import http.server
import threading

import pytest

import penstock
from penstock.data.expressions import download
from penstock.data.expressions.guarded_http import PrivateAddressError, check_public


class _Server(http.server.BaseHTTPRequestHandler):
    failures = 0

    def do_GET(self):
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/there")
            self.end_headers()
            return
        if self.path == "/once" and type(self).failures == 0:
            type(self).failures += 1
            self.send_error(503)
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        body = b"x" * 5000 if self.path == "/long" else self.path.encode()
        self.send_response(200)
        if self.path == "/short":
            self.send_header("Content-Length", str(len(body) + 1))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    _Server.failures = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def downloaded(uris, **options):
    ds = penstock.data.from_items([{"uri": uri} for uri in uris])
    return [row["data"] for row in ds.with_column("data", download("uri", **options)).take_all()]


def test_files_are_read_in_order_and_what_cannot_be_read_is_null(tmp_path):
    paths = []
    for i in range(40):
        path = tmp_path / f"{i} ü.bin"
        path.write_bytes(b"%d" % i)
        paths.append(str(path) if i % 2 else path.as_uri())
    expected = [b"%d" % i for i in range(40)]
    bad = [None, str(tmp_path / "none"), str(tmp_path), "nope://x", "/dev/zero", "file://host/x"]
    assert downloaded([*paths, *bad]) == [*expected, *[None] * len(bad)]


def test_the_first_failure_and_their_number_are_told(tmp_path, capfd):
    uris = [str(tmp_path / str(n)) for n in range(20)]
    assert downloaded(uris) == [None] * 20
    told = capfd.readouterr().err
    assert told.count("which gives null") == 1
    assert f"No such file or directory: '{uris[0]}'" in told
    assert "20 of 20 URIs could not be downloaded by this worker" in told


def test_http_is_read_where_private_addresses_are_allowed(server):
    paths = ["/a", "/redirect", "/missing", "/once", "/short"]
    data = downloaded([server + path for path in paths], allow_private_addresses=True)
    assert data == [b"/a", b"/there", None, b"/once", None]


def test_private_addresses_are_refused_unless_allowed(server):
    with pytest.raises(Exception, match=r"127\.0\.0\.1, which is not a public address"):
        downloaded([server + "/a"], on_error="raise")
    assert downloaded([server.replace("127.0.0.1", "localhost")]) == [None]


def test_a_file_longer_than_allowed_is_null(server, tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"x" * 5000)
    uris = [server + "/long", str(path), server + "/a"]
    data = downloaded(uris, allow_private_addresses=True, max_bytes=4999)
    assert data == [None, None, b"/a"]
    assert downloaded([str(path)], max_bytes=5000) == [b"x" * 5000]


def test_a_file_system_reads_all_uris_as_its_paths(tmp_path):
    from pyarrow import fs

    (tmp_path / "a").write_bytes(b"1")
    inner = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    assert downloaded(["a", "b"], filesystem=inner) == [b"1", None]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_addresses_that_are_not_public_are_known(address):
    with pytest.raises(PrivateAddressError, match="not a public address"):
        check_public("host", address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111"])
def test_public_addresses_pass(address):
    check_public("host", address)


def test_a_column_of_numbers_holds_no_uris():
    with pytest.raises(Exception, match="needs a column of text; got: int64"):
        penstock.data.range(2).with_column("data", download("id")).take_all()


def test_options_are_checked():
    for options in ({"max_bytes": 0}, {"connections": 0}, {"timeout_s": 0}, {"on_error": "skip"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            download("uri", **options)
    with pytest.raises(TypeError, match="column's name"):
        download(3)
