"""Custom sinks that write files: one a row, or one a block."""

from __future__ import annotations

import posixpath
import uuid
from typing import TYPE_CHECKING, Any

from penstock.data.datasink import Datasink, TaskContext, WriteResult
from penstock.data.filename_provider import DefaultFilenameProvider, FilenameProvider
from penstock.data.writing.save_mode import mode_name

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from penstock.data.writing.save_mode import SaveMode


class _FileDatasink(Datasink[list[str]]):
    """Writes into a hidden folder, and moves the files to their places when all are written."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        filesystem: Any = None,
        try_create_dir: bool = True,
        open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: FilenameProvider | None = None,
        dataset_uuid: str | None = None,
        file_format: str | None = None,
        mode: SaveMode | str = "append",
    ) -> None:
        from penstock.data.reading.python_files import open_file_system

        self.filesystem, self.path = open_file_system(path, filesystem)
        self.try_create_dir = try_create_dir
        self.open_stream_args = dict(open_stream_args or {})
        self.filename_provider = filename_provider or DefaultFilenameProvider(
            dataset_uuid, file_format
        )
        self.mode = mode_name(mode)
        self._write_uuid = uuid.uuid4().hex
        self._hidden = posixpath.join(self.path, f".{self._write_uuid}.tmp")
        self._made_folder = False
        self._skips = False

    def on_write_start(self, schema: pa.Schema | None = None) -> None:  # noqa: ARG002 - files need none
        """Check what the folder holds against the mode, and make it where it is not there.

        Raises:
            FileExistsError: it holds files, and the mode is ERROR.

        """
        import pyarrow.fs as pafs

        there = self.filesystem.get_file_info(self.path).type != pafs.FileType.NotFound
        if there and self.mode in ("error", "ignore") and self._old_files():
            if self.mode == "error":
                raise FileExistsError(
                    f"The output folder holds files already; choose another, or another mode; "
                    f"got: {self.path}"
                )
            self._skips = True
            return
        if not there and self.try_create_dir:
            self._made_folder = True
        if self.try_create_dir or there:
            self.filesystem.create_dir(self._hidden, recursive=self.try_create_dir)

    def write(self, blocks: Iterable[pa.Table], ctx: TaskContext) -> list[str]:
        """Write the blocks' files under hidden names and return the names that they will have."""
        if self._skips:
            return []
        names: list[str] = []
        for place, block in enumerate(blocks):
            if block.num_rows:
                names.extend(self._write_files(block, ctx.task_idx, place))
        return names

    def on_write_complete(self, write_result: WriteResult[list[str]]) -> None:
        """Move the files to their places.

        Raises:
            ValueError: two files have one name.

        """
        if self._skips:
            return
        names = [name for written in write_result.write_returns for name in written]
        twice = _first_twice(names)
        if twice is not None:
            raise ValueError(f"The file name provider must name each file once; twice: {twice!r}")
        old = self._old_files() if self.mode == "overwrite" else []
        for name in names:
            place = posixpath.join(self.path, name)
            self.filesystem.create_dir(posixpath.dirname(place), recursive=True)
            self.filesystem.move(posixpath.join(self._hidden, name), place)
        kept = {posixpath.join(self.path, name) for name in names}
        for path in old:
            if path not in kept:
                self.filesystem.delete_file(path)
        self.filesystem.delete_dir(self._hidden)

    def on_write_failed(self, error: BaseException) -> None:  # noqa: ARG002 - whatever it is
        """Remove what was written."""
        import pyarrow.fs as pafs

        if self._skips:
            return
        if self.filesystem.get_file_info(self._hidden).type == pafs.FileType.Directory:
            self.filesystem.delete_dir(self._hidden)
        if self._made_folder and not self.filesystem.get_file_info(
            pafs.FileSelector(self.path, allow_not_found=True)
        ):
            self.filesystem.delete_dir(self.path)

    def _write_files(self, block: pa.Table, task: int, place: int) -> list[str]:
        raise NotImplementedError

    def _open(self, name: str) -> Any:
        path = posixpath.join(self._hidden, name)
        if "/" in name:
            self.filesystem.create_dir(posixpath.dirname(path), recursive=True)
        return self.filesystem.open_output_stream(path, **self.open_stream_args)

    def _old_files(self) -> list[str]:
        import pyarrow.fs as pafs

        selector = pafs.FileSelector(self.path, recursive=True, allow_not_found=True)
        start = len(self.path.rstrip("/")) + 1
        return [
            info.path
            for info in self.filesystem.get_file_info(selector)
            if info.is_file
            and not any(part[:1] in (".", "_") for part in info.path[start:].split("/"))
        ]


class RowBasedFileDatasink(_FileDatasink):
    """Writes one file a row; derive from it and define `write_row_to_file`.

    Args of all file sinks:
        path: the output folder, as a path or URI.
        filesystem: one of pyarrow's or fsspec's; None: what the path says.
        try_create_dir: make the folder where it does not exist.
        open_stream_args: passed to pyarrow's `open_output_stream`.
        filename_provider: names the files; None: numbers in the rows' order.
        dataset_uuid: begins the default names.
        file_format: ends the default names, without the dot.
        mode: a `SaveMode`; the files appear together when all are written.
    """

    def write_row_to_file(self, row: dict[str, Any], file: pa.NativeFile) -> None:
        """Write a row to an open file."""
        raise NotImplementedError(f"{type(self).__name__} must define write_row_to_file")

    def _write_files(self, block: pa.Table, task: int, place: int) -> list[str]:
        from penstock.data.block import BlockAccessor

        names = []
        for number, row in enumerate(BlockAccessor.for_block(block).iter_rows()):
            name = self.filename_provider.get_filename_for_row(
                row, self._write_uuid, task, place, number
            )
            with self._open(name) as file:
                self.write_row_to_file(row, file)
            names.append(name)
        return names


class BlockBasedFileDatasink(_FileDatasink):
    """Writes one file a block; derive from it and define `write_block_to_file`.

    `min_rows_per_file` makes blocks of so many rows, but for the last. For the other arguments see
    `RowBasedFileDatasink`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        min_rows_per_file: int | None = None,
        **file_datasink_kwargs: Any,
    ) -> None:
        super().__init__(path, **file_datasink_kwargs)
        self._min_rows_per_file = min_rows_per_file

    @property
    def min_rows_per_write(self) -> int | None:
        """How many rows a file gets."""
        return self._min_rows_per_file

    def write_block_to_file(self, block: Any, file: pa.NativeFile) -> None:
        """Write a block, given as a `BlockAccessor`, to an open file."""
        raise NotImplementedError(f"{type(self).__name__} must define write_block_to_file")

    def _write_files(self, block: pa.Table, task: int, place: int) -> list[str]:
        from penstock.data.block import BlockAccessor

        name = self.filename_provider.get_filename_for_block(block, self._write_uuid, task, place)
        with self._open(name) as file:
            self.write_block_to_file(BlockAccessor.for_block(block), file)
        return [name]


def _first_twice(names: list[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
