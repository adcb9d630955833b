"""Delta Lake tables, read by their own library. Workers import this module too."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class DeltaFiles:
    """Which of a table's files are read, and in what order."""

    filesystem: Any = None
    partition_filter: Callable[[list[str]], list[str]] | None = None
    file_extensions: Sequence[str] | None = None
    shuffle_seed: int | None = None
    include_paths: bool = False

    def chosen(self, paths: list[str]) -> list[str]:
        """Return the files to read.

        Raises:
            ValueError: none is left.

        """
        chosen = paths
        if self.file_extensions is not None:
            endings = tuple(f".{extension.lower()}" for extension in self.file_extensions)
            chosen = [path for path in chosen if path.lower().endswith(endings)]
            if not chosen:
                raise ValueError(
                    f"There is no file to read in the Delta table: looked for names that end in "
                    f"{', '.join(endings)}; files: {len(paths)}"
                )
        if self.partition_filter is not None:
            chosen = list(self.partition_filter(chosen))
            if not chosen:
                raise ValueError(f"partition_filter left no file to read; files: {len(paths)}")
        if self.shuffle_seed is not None:
            random.Random(self.shuffle_seed).shuffle(chosen)  # noqa: S311 - no secret
        return chosen


class DeltaDatasource(Datasource):
    """One version of a Delta table; a task reads some of its files."""

    def __init__(
        self,
        path: str,
        *,
        version: int | None = None,
        storage_options: Mapping[str, str] | None = None,
        columns: list[str] | None = None,
        files: DeltaFiles | None = None,
    ) -> None:
        self._path = path
        self._files = DeltaFiles() if files is None else files
        self._version = version
        self._storage_options = dict(storage_options) if storage_options else None
        self._columns = columns

    def get_name(self) -> str:
        """Return "Delta"."""
        return "Delta"

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return tasks of about as many files each, of the version that is newest now."""
        import pyarrow as pa

        from penstock.data.reading.custom import even_ranges

        self._version = self.open().version()
        dataset = self._dataset()
        files = [self._shown(fragment.path) for fragment in dataset.get_fragments()]
        files = self._files.chosen(files) if files else files
        schema = dataset.scanner(columns=self._columns).projected_schema
        if self._files.include_paths:
            schema = schema.append(pa.field("path", pa.string()))
        return [
            ReadTask(
                _ReadFiles(self, files[begin:end]),
                BlockMetadata(input_files=files[begin:end]),
                schema=schema,
                per_task_row_limit=per_task_row_limit,
            )
            for begin, end in even_ranges(len(files), parallelism)
        ]

    def open(self) -> Any:
        """Return the table, opened by the library."""
        from deltalake import DeltaTable

        return DeltaTable(self._path, version=self._version, storage_options=self._storage_options)

    def scan(self, files: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some of the table's files, in order."""
        import pyarrow as pa

        dataset = self._dataset()
        fragments = {self._shown(fragment.path): fragment for fragment in dataset.get_fragments()}
        for file in files:
            batches = fragments[file].to_batches(schema=dataset.schema, columns=self._columns)
            for batch in batches:
                if self._files.include_paths:
                    paths = pa.repeat(file, batch.num_rows)
                    yield batch.append_column("path", paths)
                else:
                    yield batch

    def _shown(self, place: str) -> str:
        """Return a file's path from its place in the table."""
        return f"{self._path.rstrip('/')}/{place}"

    def _dataset(self) -> Any:
        if self._files.filesystem is None:
            return self.open().to_pyarrow_dataset()
        import pyarrow.fs as pafs

        from penstock.data.reading.python_files import open_file_system

        system, place = open_file_system(self._path, self._files.filesystem)
        return self.open().to_pyarrow_dataset(filesystem=pafs.SubTreeFileSystem(place, system))


class _ReadFiles:
    def __init__(self, source: DeltaDatasource, files: list[str]) -> None:
        self._source = source
        self._files = files

    def __call__(self) -> Iterator[pa.RecordBatch]:
        return self._source.scan(self._files)
