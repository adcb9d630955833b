"""`Checkpoint`: a folder that a training has written.

Pickled it is its path, so it may be handed to workers, which read the files where they are. They
import this module for it: pyarrow only serves folders that are elsewhere than on this machine.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow.fs as pafs

_METADATA = ".metadata.json"
_VALUES = "values.pkl"
_PREFIX = "penstock_checkpoint_"


class Checkpoint:
    """A folder of files, on this machine or on one of pyarrow's file systems.

    Its files are not to be changed, since others may read them; metadata may.
    """

    def __init__(
        self, path: str | os.PathLike[str], filesystem: pafs.FileSystem | None = None
    ) -> None:
        """Refer to the folder at `path`: a path, or a URI such as "s3://bucket/folder"."""
        self.path = os.fspath(path)
        self._filesystem = filesystem
        if filesystem is None and "://" in self.path:
            import pyarrow.fs as pafs

            self._filesystem, self.path = pafs.FileSystem.from_uri(self.path)
        if getattr(self._filesystem, "type_name", "local") == "local":
            self._filesystem = None
            self.path = os.path.abspath(os.path.expanduser(self.path))  # noqa: PTH100, PTH111

    @classmethod
    def from_directory(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Refer to a folder on this machine; nothing is copied."""
        return cls(path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Checkpoint:
        """Keep values in a folder, which is deleted when this process ends; `report` copies it."""
        import cloudpickle

        if not hasattr(data, "items"):
            raise TypeError(f"Checkpoint.from_dict needs a dict; got: {data!r}")
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        atexit.register(_delete_if_own, folder, os.getpid())
        (folder / _VALUES).write_bytes(cloudpickle.dumps(dict(data)))
        return cls(folder)

    @property
    def filesystem(self) -> pafs.FileSystem:
        """The file system that `path` is on."""
        import pyarrow.fs as pafs

        return pafs.LocalFileSystem() if self._filesystem is None else self._filesystem

    def to_directory(self, path: str | os.PathLike[str] | None = None) -> str:
        """Copy the files to `path`, or into a new temporary folder, and return where they are."""
        if path is None:
            target = tempfile.mkdtemp(prefix=_PREFIX)
        else:
            target = os.path.abspath(os.path.expanduser(os.fspath(path)))  # noqa: PTH100, PTH111
        if self._filesystem is not None:
            import pyarrow.fs as pafs

            Path(target).mkdir(parents=True, exist_ok=True)
            pafs.copy_files(self.path, target, source_filesystem=self._filesystem)
        elif target != self.path:
            self._check_there()
            shutil.copytree(self.path, target, dirs_exist_ok=True)
        return target

    @contextlib.contextmanager
    def as_directory(self) -> Iterator[str]:
        """Offer the files in a folder of this machine, for the length of a `with` block.

        It is the folder itself where that is on this machine, else a copy that is deleted.
        """
        if self._filesystem is None:
            self._check_there()
            yield self.path
            return
        copied = self.to_directory()
        try:
            yield copied
        finally:
            shutil.rmtree(copied, ignore_errors=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the values that `from_dict` was given. Unpickles them: trust who wrote them.

        Raises:
            ValueError: the checkpoint was not made by `from_dict`.

        """
        with self.as_directory() as folder:
            values = Path(folder) / _VALUES
            if not values.exists():
                raise ValueError(
                    "Only a checkpoint made by Checkpoint.from_dict has values; read the files in "
                    f"its folder: {self.path}"
                )
            data: dict[str, Any] = pickle.loads(values.read_bytes())
            return data

    def get_metadata(self) -> dict[str, Any]:
        """Return the metadata; none was set: an empty dict."""
        try:
            text = self._read(_METADATA)
        except FileNotFoundError:
            return {}
        metadata: dict[str, Any] = json.loads(text)
        return metadata

    def set_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Replace the metadata: values that JSON can hold."""
        self._write(_METADATA, json.dumps(dict(metadata)).encode())

    def update_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add to the metadata; keys that are there get the new values."""
        self.set_metadata({**self.get_metadata(), **metadata})

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Checkpoint)
            and self.path == other.path
            and self._filesystem == other._filesystem
        )

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        kind = "local" if self._filesystem is None else self._filesystem.type_name
        return f"Checkpoint(filesystem={kind}, path={self.path})"

    def _check_there(self) -> None:
        if not os.path.isdir(self.path):  # noqa: PTH112
            raise FileNotFoundError(f"The checkpoint's folder is not there: {self.path}")

    def _read(self, name: str) -> bytes:
        if self._filesystem is None:
            return (Path(self.path) / name).read_bytes()
        with self._filesystem.open_input_stream(f"{self.path}/{name}") as stream:
            data: bytes = stream.read()
            return data

    def _write(self, name: str, data: bytes) -> None:
        if self._filesystem is None:
            self._check_there()
            (Path(self.path) / name).write_bytes(data)
            return
        with self._filesystem.open_output_stream(f"{self.path}/{name}") as stream:
            stream.write(data)


def _delete_if_own(folder: Path, process_id: int) -> None:
    if os.getpid() == process_id:  # A fork has no part in it.
        shutil.rmtree(folder, ignore_errors=True)
