"""What the engine's own readers let the caller say about their files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock._core import LogicalPlan
from penstock.data import arguments
from penstock.data.context import DataContext
from penstock.data.dataset import Dataset
from penstock.data.reading.engine_options import (
    EngineReadOptions,
    splits_at_once,
    stream_codec,
)
from penstock.data.reading.file_shuffle import shuffle_seed
from penstock.data.reading.file_systems import place, retried_errors
from penstock.data.reading.partitioning import Partitioning, check_partitioning
from penstock.data.reading.splits import wished_splits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock.data.reading.file_shuffle import FileShuffleConfig
    from penstock.data.reading.file_systems import Placed
    from penstock.data.reading.paths import Paths

    PathFilter = Callable[[list[str]], list[str]]

HIVE = Partitioning("hive")

# Arguments that Ray's readers pass on to others, and that have no counterpart here.
_OF_ALL_READERS = frozenset({"meta_provider", "catalog"})
_OF_RAY_ALONE = {
    "read_csv": frozenset({"memory_pool"}),
    "read_json": frozenset({"memory_pool"}),
    "read_numpy": frozenset({"mmap_mode", "fix_imports", "encoding", "max_header_size"}),
    "read_parquet": frozenset({"dataset_kwargs", "fragment_scan_options", "_block_udf"}),
    "read_text": frozenset({"errors"}),
}


@dataclass(frozen=True, kw_only=True)
class FileArguments:
    """Which files are read, in what order, and what of them becomes columns."""

    operation: str
    paths: Paths
    filesystem: Any
    partition_filter: PathFilter | None
    partitioning: Partitioning | None
    include_paths: bool
    ignore_missing_paths: bool
    shuffle: str | FileShuffleConfig | None
    file_extensions: Sequence[str] | None
    parallelism: int
    override_num_blocks: int | None

    def dataset(
        self,
        kind: str,
        reader: dict[str, Any],
        options: Mapping[str, Any],
        *,
        columns: Sequence[str] | None = None,
    ) -> Dataset:
        """Return the data set that a kind of reader makes of the files.

        `options` are `EngineReadOptions`; others of Ray's are refused unless None or False.

        Raises:
            NotImplementedError: an option or a file system that is not supported.
            TypeError: an option of another type, or a name that nobody knows.
            ValueError: no path, no file left, or a number below 1.

        """
        context = DataContext.get_current().copy()
        known = {
            name: options[name] for name in EngineReadOptions.__annotations__ if name in options
        }
        others = {name: value for name, value in options.items() if name not in known}
        arguments.refuse_others(
            self.operation, others, _OF_RAY_ALONE.get(self.operation, frozenset()) | _OF_ALL_READERS
        )
        codec = stream_codec(self.operation, known.pop("arrow_open_stream_args", None))
        at_once = splits_at_once(self.operation, known, context)
        extensions = None if self.file_extensions is None else list(self.file_extensions)
        partitioning = check_partitioning(self.partitioning)
        placed = place(
            self.operation,
            self.paths,
            self.filesystem,
            comes_back=self.partition_filter is not None,
        )
        said = {
            **reader,
            **retried_errors(),
            "paths": placed.paths,
            "include_paths": self.include_paths,
            "ignore_missing_paths": self.ignore_missing_paths,
            "file_extensions": extensions,
            "compression": codec,
            "partitioning": None if partitioning is None else partitioning.reader_options(),
        }
        if self.partition_filter is not None:
            said["paths"] = self._chosen(kind, said, placed, self.partition_filter)
        said["shuffle_seed"] = shuffle_seed(self.shuffle)
        plan = LogicalPlan.read(kind, json.dumps(said), placed.file_system)
        splits = wished_splits(self.parallelism, self.override_num_blocks)
        if splits is not None:
            plan = plan.with_splits(splits)
        if at_once is not None:
            plan = plan.with_splits_at_once(at_once)
        dataset = Dataset(plan, context)
        return dataset if columns is None else dataset.select_columns(list(columns))

    @staticmethod
    def _chosen(
        kind: str, said: dict[str, Any], placed: Placed, partition_filter: PathFilter
    ) -> list[str]:
        listed = LogicalPlan.read(kind, json.dumps(said), placed.file_system).files()
        chosen = list(partition_filter(listed))
        if not chosen:
            raise ValueError(f"partition_filter left no file to read; files: {len(listed)}")
        return chosen
