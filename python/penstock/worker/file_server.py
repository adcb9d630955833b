"""Serves a Python file system to the engine: `python -m penstock.worker.file_server SOCKET...`.

The engine's threads must never wait for its process's GIL, so file systems of fsspec and others
that are written in Python live in a process of their own. The pickled file system comes on standard
input. Then each socket has its thread, which answers one request after the other until the engine
closes it; the process ends with the last one.

A frame is two 64-bit numbers (the bytes of the JSON, and of what follows it), the JSON, and bytes:
what is written, or what was read.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import pickle
import signal
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any

from penstock.worker.file_errors import error_kind, error_message

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow.fs as pafs

_SIZES = struct.Struct("<QQ")
_TYPES = ("missing", "other", "file", "folder")  # By pyarrow's numbers.

Answer = tuple[dict[str, Any], Any]


class FileServer:
    """Answers requests on one file system. Threads: any; one at a time on each open file."""

    def __init__(self, filesystem: pafs.FileSystem) -> None:
        self._filesystem = filesystem
        self._numbers = itertools.count()
        self._files: dict[int, tuple[Any, threading.Lock]] = {}
        self._answers: dict[str, Callable[[dict[str, Any], bytes], Answer]] = {
            "abort": self._abort,
            "close": self._close,
            "copy": lambda asked, _: self._do(filesystem.copy_file, asked["path"], asked["to"]),
            "create": self._create,
            "empty_folder": self._empty_folder,
            "list": self._list,
            "look": lambda asked, _: (_told(filesystem.get_file_info(asked["path"])), b""),
            "make_folder": self._make_folder,
            "move": lambda asked, _: self._do(filesystem.move, asked["path"], asked["to"]),
            "open": self._open,
            "read": self._read,
            "remove_file": lambda asked, _: self._do(filesystem.delete_file, asked["path"]),
            "remove_folder": lambda asked, _: self._do(filesystem.delete_dir, asked["path"]),
            "write": self._write,
        }

    def answer(self, asked: dict[str, Any], sent: bytes) -> Answer:
        """Return the answer to a request: its JSON and the bytes that go with it."""
        try:
            return self._answers[asked["ask"]](asked, sent)
        except Exception as error:  # noqa: BLE001 - it becomes the engine's, whatever it is
            return {"error": error_kind(error), "message": error_message(error)}, b""

    def _do(self, function: Callable[..., Any], *arguments: Any) -> Answer:
        function(*arguments)
        return {}, b""

    def _list(self, asked: dict[str, Any], _: bytes) -> Answer:
        import pyarrow.fs as pafs

        selector = pafs.FileSelector(
            asked["path"], allow_not_found=asked["missing_ok"], recursive=asked["recursive"]
        )
        return {"found": [_told(info) for info in self._filesystem.get_file_info(selector)]}, b""

    def _make_folder(self, asked: dict[str, Any], _: bytes) -> Answer:
        self._filesystem.create_dir(asked["path"], recursive=asked["recursive"])
        return {}, b""

    def _empty_folder(self, asked: dict[str, Any], _: bytes) -> Answer:
        self._filesystem.delete_dir_contents(asked["path"], missing_dir_ok=asked["missing_ok"])
        return {}, b""

    def _open(self, asked: dict[str, Any], _: bytes) -> Answer:
        file = self._filesystem.open_input_file(asked["path"])
        return {"file": self._keep(file), "size": file.size()}, b""

    def _create(self, asked: dict[str, Any], _: bytes) -> Answer:
        return {"file": self._keep(self._filesystem.open_output_stream(asked["path"]))}, b""

    def _keep(self, file: Any) -> int:
        number = next(self._numbers)
        self._files[number] = (file, threading.Lock())
        return number

    def _read(self, asked: dict[str, Any], _: bytes) -> Answer:
        file, lock = self._files[asked["file"]]
        with lock:
            return {}, file.read_at(asked["count"], asked["position"])

    def _write(self, asked: dict[str, Any], sent: bytes) -> Answer:
        file, lock = self._files[asked["file"]]
        with lock:
            file.write(sent)
        return {}, b""

    def _close(self, asked: dict[str, Any], _: bytes) -> Answer:
        file, lock = self._files.pop(asked["file"])
        with lock:
            file.close()
        return {}, b""

    def _abort(self, asked: dict[str, Any], _: bytes) -> Answer:
        try:
            return self._close(asked, b"")
        except Exception:  # noqa: BLE001 - what becomes of it is of no interest
            return {}, b""


def serve(server: FileServer, connection: socket.socket) -> None:
    """Answer what comes on a connection until the other side closes it."""
    with connection, contextlib.suppress(ConnectionError):  # It may close in the middle.
        while sizes := _receive(connection, _SIZES.size):
            asked_bytes, sent_bytes = _SIZES.unpack(sizes)
            asked = json.loads(_receive(connection, asked_bytes))
            answer, bytes_read = server.answer(asked, _receive(connection, sent_bytes))
            text = json.dumps(answer).encode()
            connection.sendall(_SIZES.pack(len(text), len(bytes_read)) + text)
            if bytes_read:
                connection.sendall(bytes_read)


def main() -> None:
    """Unpickle the file system and serve it on every socket that the command line names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to hear.
    folders, packed = pickle.loads(sys.stdin.buffer.read())
    sys.path[:] = folders
    try:
        server = FileServer(pickle.loads(packed))
    except Exception as error:  # noqa: BLE001 - told to whoever asks first
        server = _Broken(error)
    threads = [
        threading.Thread(target=serve, args=(server, socket.socket(fileno=int(number))))
        for number in sys.argv[1:]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class _Broken(FileServer):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def answer(self, asked: dict[str, Any], sent: bytes) -> Answer:  # noqa: ARG002 - to all the same
        message = (
            f"the file system cannot be opened in another process: {error_message(self._error)}"
        )
        return {"error": "other", "message": message}, b""


def _told(info: pafs.FileInfo) -> dict[str, Any]:
    size = -1 if info.size is None else info.size
    return {"path": info.path, "type": _TYPES[int(info.type)], "size": size}


def _receive(connection: socket.socket, count: int) -> bytes:
    """Return so many bytes; none where the other side has closed."""
    room = bytearray(count)
    view = memoryview(room)
    while view:
        came = connection.recv_into(view)
        if came == 0:
            return b""
        view = view[came:]
    return bytes(room)


if __name__ == "__main__":
    main()
