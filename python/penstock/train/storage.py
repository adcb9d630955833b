"""The folder that a training writes to, on this machine or on one of pyarrow's file systems."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.train.checkpoint import Checkpoint

if TYPE_CHECKING:
    import pyarrow.fs as pafs

DEFAULT_PATH = "~/penstock_results"


class Storage:
    """One training's folder. Pickled it is its place: workers copy their checkpoints there."""

    def __init__(self, path: str, filesystem: pafs.FileSystem | None = None) -> None:
        """Refer to the folder at `path`, which need not be there yet."""
        place = Checkpoint(path, filesystem)  # Resolves paths and URIs.
        self.path = place.path.rstrip("/")
        self._remote = place._filesystem  # noqa: SLF001 - the two belong together

    @property
    def filesystem(self) -> pafs.FileSystem:
        """The file system that `path` is on."""
        return Checkpoint(self.path, self._remote).filesystem

    def create(self) -> None:
        """Make the folder, and those above it.

        Raises:
            OSError: it cannot be made.

        """
        if self._remote is None:
            os.makedirs(self.path, exist_ok=True)  # noqa: PTH103
        else:
            self._remote.create_dir(self.path, recursive=True)

    def checkpoint(self, name: str) -> Checkpoint:
        """Refer to a folder in this one."""
        return Checkpoint(f"{self.path}/{name}", self._remote)

    def copy_in(self, checkpoint: Checkpoint, name: str) -> None:
        """Copy a checkpoint's files into a folder in this one, beside those that are there."""
        target = self.checkpoint(name)
        if checkpoint == target:
            return
        with checkpoint.as_directory() as folder:
            if self._remote is None:
                shutil.copytree(folder, target.path, dirs_exist_ok=True)
                return
            import pyarrow.fs as pafs

            self._remote.create_dir(target.path, recursive=True)
            pafs.copy_files(folder, target.path, destination_filesystem=self._remote)

    def delete(self, name: str) -> None:
        """Delete a folder in this one, if it is there."""
        if self._remote is None:
            shutil.rmtree(f"{self.path}/{name}", ignore_errors=True)
            return
        try:
            self._remote.delete_dir(f"{self.path}/{name}")
        except FileNotFoundError:
            return

    def folders(self) -> list[str]:
        """Return the names of the folders in this one."""
        if self._remote is None:
            here = Path(self.path)
            return sorted(found.name for found in here.iterdir() if found.is_dir())
        import pyarrow.fs as pafs

        found: list[Any] = self._remote.get_file_info(pafs.FileSelector(self.path))
        return sorted(info.base_name for info in found if info.type == pafs.FileType.Directory)

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; None where there is none."""
        try:
            if self._remote is None:
                return (Path(self.path) / name).read_bytes()
            with self._remote.open_input_stream(f"{self.path}/{name}") as stream:
                data: bytes = stream.read()
                return data
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Replace a file at once: a reader sees the old one or the new one, whole."""
        if self._remote is None:
            written = Path(self.path) / f".{name}.{os.getpid()}"
            written.write_bytes(data)
            written.replace(Path(self.path) / name)
            return
        with self._remote.open_output_stream(f"{self.path}/{name}") as stream:
            stream.write(data)


def for_run(storage_path: str | None, filesystem: pafs.FileSystem | None, name: str) -> Storage:
    """Return the folder of the training `name`."""
    return Storage(f"{(storage_path or DEFAULT_PATH).rstrip('/')}/{name}", filesystem)
