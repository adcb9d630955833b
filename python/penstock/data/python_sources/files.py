"""Sources that read files one after the other in Python. Workers import this module too."""

from __future__ import annotations

import itertools
import json
import random
from typing import TYPE_CHECKING, Any, ClassVar

from penstock.data.block import BlockMetadata, to_table
from penstock.data.datasource import Datasource, ReadTask
from penstock.data.reading.paths import path_list, without_options
from penstock.exceptions import CorruptDataError, SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from penstock.data.reading.partitioning import Partitioning
    from penstock.data.reading.paths import Paths

_NOT_THE_FILES_FAULT = (ImportError, MemoryError, FileNotFoundError, PermissionError)


class FileBasedDatasource(Datasource):
    """Reads files of one kind; derive from it and define `_read_stream`.

    `_read_stream` gets an open file and its path and yields blocks. Where a class names its
    `FORMAT`, whatever that raises becomes `CorruptDataError` naming the file. Where it reads files
    front to back alone (`_FRONT_TO_BACK`), they may be compressed as a whole.
    """

    FORMAT: ClassVar[str] = ""
    _FRONT_TO_BACK: ClassVar[bool] = False
    _FILE_EXTENSIONS: ClassVar[Sequence[str] | None] = None

    def __init__(
        self,
        paths: Paths,
        *,
        filesystem: Any = None,
        partition_filter: Callable[[list[str]], list[str]] | None = None,
        partitioning: Partitioning | None = None,
        compression: str | None = None,
        ignore_missing_paths: bool = False,
        include_paths: bool = False,
        shuffle: Any = None,
        file_extensions: Sequence[str] | None = None,
    ) -> None:
        if shuffle is not None and shuffle != "files" and not hasattr(shuffle, "seed"):
            raise ValueError(
                f'shuffle must be "files", a FileShuffleConfig or None; got: {shuffle!r}'
            )
        if compression not in (None, "none") and not self._FRONT_TO_BACK:
            raise NotImplementedError(
                f"{self.get_name()} files are read anywhere in them, which files that are "
                f"compressed as a whole cannot be; decompress them first; got: {compression}"
            )
        self._paths = path_list(paths)
        self._filesystem = filesystem
        if filesystem is None:
            from penstock.data.reading.python_files import file_system_of

            self._filesystem = file_system_of(self._paths)
            self._paths = [without_options(path) for path in self._paths]
        self._partition_filter = partition_filter
        self._partitioning = partitioning
        self._partitions: dict[str, str] = {}
        self._compression = compression
        self._ignore_missing_paths = ignore_missing_paths
        self._include_paths = include_paths
        self._shuffle = shuffle
        self._file_extensions = file_extensions or self._FILE_EXTENSIONS

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return tasks of about as many files each; the files are listed here."""
        files = self._list()
        if self._partitioning is not None:
            self._partitions = self._partitioning.types_of(files)
        pieces = max(1, min(parallelism, len(files)))
        borders = [len(files) * place // pieces for place in range(pieces + 1)]
        return [
            ReadTask(
                _ReadFiles(self, files[begin:end]),
                BlockMetadata(input_files=files[begin:end]),
                per_task_row_limit=per_task_row_limit,
            )
            for begin, end in itertools.pairwise(borders)
            if begin < end
        ]

    def _list(self) -> list[str]:
        if self._filesystem is None:
            files = _list_by_engine(
                self._paths, self._file_extensions, ignore_missing=self._ignore_missing_paths
            )
        else:
            from penstock.data.reading.python_files import list_files

            files = list_files(
                self._paths,
                self._filesystem,
                self._file_extensions,
                ignore_missing=self._ignore_missing_paths,
            )
        if self._partition_filter is not None:
            files = list(self._partition_filter(files))
        if self._shuffle is not None:
            random.Random(getattr(self._shuffle, "seed", None)).shuffle(files)  # noqa: S311 - no secret
        return files

    def _read_stream(self, f: pa.NativeFile, path: str) -> Iterator[Any]:
        """Yield the blocks of one file."""
        raise NotImplementedError(f"{type(self).__name__} must define _read_stream")

    def read_file(self, path: str) -> Iterator[Any]:
        """Yield the blocks of one file, with what its path tells where that was asked for."""
        try:
            with self._open(path) as file:
                for block in self._read_stream(file, path):
                    yield self._with_own_columns(block, path)
        except (CorruptDataError, SchemaMismatchError):
            raise
        except Exception as error:
            if not self.FORMAT or isinstance(error, _NOT_THE_FILES_FAULT):
                error.add_note(f"The file is {path}")
                raise
            raise CorruptDataError(
                f"The file cannot be read as {self.FORMAT}: {type(error).__name__}: {error}; "
                f"got: {path}"
            ) from error

    def _open(self, path: str) -> pa.NativeFile:
        from penstock.data.reading.python_files import open_file_system

        system, place = open_file_system(path, self._filesystem)
        if not self._FRONT_TO_BACK:
            return system.open_input_file(place)
        codec = "detect" if self._compression is None else self._compression
        return system.open_input_stream(place, compression=None if codec == "none" else codec)

    def _with_own_columns(self, block: Any, path: str) -> Any:
        """Return the block with the partitions and the path, where they were asked for."""
        if not self._partitions and not self._include_paths:
            return block
        import pyarrow as pa

        table = to_table(block)
        values = {} if self._partitioning is None else self._partitioning.values_of(path)
        for name, kind in self._partitions.items():
            if name in table.column_names or (name == "path" and self._include_paths):
                continue
            scalar = pa.scalar(values.get(name), pa.type_for_alias(kind))
            table = table.append_column(name, pa.repeat(scalar, table.num_rows))
        if self._include_paths:
            table = table.append_column("path", pa.repeat(path, table.num_rows))
        return table


class _ReadFiles:
    def __init__(self, source: FileBasedDatasource, files: list[str]) -> None:
        self._source = source
        self._files = files

    @property
    def reads_files_alone(self) -> bool:
        """Say so of the formats of the library, whose files say all."""
        return bool(self._source.FORMAT)

    def __call__(self) -> Iterator[Any]:
        for path in self._files:
            yield from self._source.read_file(path)


def _list_by_engine(
    paths: list[str], extensions: Sequence[str] | None, *, ignore_missing: bool
) -> list[str]:
    from penstock._core import LogicalPlan

    options = {
        "paths": paths,
        "ignore_missing_paths": ignore_missing,
        "file_extensions": None if extensions is None else list(extensions),
    }
    return LogicalPlan.read("binary_files", json.dumps(options)).files()
