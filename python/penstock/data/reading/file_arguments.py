"""What all readers of tables let the caller say about their files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock._core import LogicalPlan
from penstock.data import arguments
from penstock.data.context import DataContext
from penstock.data.dataset import Dataset
from penstock.data.reading.file_systems import place, retried_errors
from penstock.data.reading.partitioning import Partitioning
from penstock.data.reading.splits import wished_splits
from penstock.data.reading.whole_files import shuffle_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock.data.reading.file_systems import Placed
    from penstock.data.reading.paths import Paths
    from penstock.data.reading.whole_files import FileShuffleConfig

    PathFilter = Callable[[list[str]], list[str]]

HIVE = Partitioning("hive")


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
        options: dict[str, Any],
        *,
        columns: Sequence[str] | None = None,
    ) -> Dataset:
        """Return the data set that a kind of reader makes of the files.

        `options` are Ray's that are not known here: refused unless None or False.

        Raises:
            NotImplementedError: an option or a file system that is not supported.
            ValueError: no path, no file left, or a number below 1.

        """
        arguments.refuse(self.operation, options)
        extensions = None if self.file_extensions is None else list(self.file_extensions)
        partitions = _partitions(self.partitioning)
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
            "partitioning": partitions,
        }
        if self.partition_filter is not None:
            said["paths"] = self._chosen(kind, said, placed, self.partition_filter)
        said["shuffle_seed"] = shuffle_seed(self.shuffle)
        plan = LogicalPlan.read(kind, json.dumps(said), placed.file_system)
        splits = wished_splits(self.parallelism, self.override_num_blocks)
        if splits is not None:
            plan = plan.with_splits(splits)
        dataset = Dataset(plan, DataContext.get_current().copy())
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


def _partitions(partitioning: Partitioning | None) -> dict[str, Any] | None:
    if partitioning is None:
        return None
    if not isinstance(partitioning, Partitioning):
        raise TypeError(
            f'partitioning must be a Partitioning, such as Partitioning("hive"); '
            f"got: {partitioning!r}"
        )
    return partitioning.reader_options()
