"""`DataConfig`: which data sets the workers share out, and which each of them gets whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.data.context import ExecutionOptions
    from penstock.data.dataset import Dataset
    from penstock.data.iterator import DataIterator


class DataConfig:
    """Parts each data set into as many equal shards as there are workers.

    Args:
        datasets_to_split: the names of those that are shared out; "all" of them by default. The
            others every worker gets whole.
        execution_options: for running them: one for all, or by name.
        enable_shard_locality: has no effect on one machine.

    A subclass may part them in its own way: see `configure`.

    """

    def __init__(
        self,
        datasets_to_split: str | Sequence[str] = "all",
        execution_options: ExecutionOptions | Mapping[str, ExecutionOptions] | None = None,
        enable_shard_locality: bool = True,  # noqa: FBT001, FBT002 - Ray's signature
    ) -> None:
        wrong = isinstance(datasets_to_split, str) and datasets_to_split != "all"
        if wrong or not isinstance(datasets_to_split, str | list | tuple):
            raise TypeError(
                "datasets_to_split must be 'all' or a list of data sets' names; "
                f"got: {datasets_to_split!r}"
            )
        self._to_split = datasets_to_split
        self._options = execution_options
        self._enable_shard_locality = enable_shard_locality

    def configure(
        self,
        datasets: dict[str, Dataset],
        world_size: int,
        worker_handles: Sequence[Any] | None,
        worker_node_ids: Sequence[str] | None,
        **_: Any,
    ) -> list[dict[str, DataIterator]]:
        """Return, for each worker, an iterator over its part of each data set.

        Called once a training, before its workers start: there are no handles of them yet.
        """
        del worker_handles, worker_node_ids
        self.check(datasets)
        assigned: list[dict[str, DataIterator]] = [{} for _ in range(world_size)]
        for name, dataset in datasets.items():
            prepared = self._prepared(name, dataset)
            if self._to_split == "all" or name in self._to_split:
                parts = self.split(prepared, world_size)
            else:
                parts = [prepared.iterator()] * world_size
            for own, part in zip(assigned, parts, strict=True):
                own[name] = part
        return assigned

    def check(self, datasets: Mapping[str, Dataset]) -> None:
        """Refuse names of data sets that there are not.

        Raises:
            ValueError: such a name.

        """
        absent = [] if self._to_split == "all" else [n for n in self._to_split if n not in datasets]
        if absent:
            there = ", ".join(sorted(datasets)) or "none"
            raise ValueError(
                f"datasets_to_split names data sets that the trainer was not given; there are: "
                f"{there}; got: {', '.join(absent)}"
            )

    def split(self, dataset: Dataset, world_size: int) -> list[DataIterator]:
        """Return equal parts: loops that work in step must have the same number of batches."""
        return dataset.streaming_split(world_size, equal=True)

    def _prepared(self, name: str, dataset: Dataset) -> Dataset:
        options: Any = self._options
        if hasattr(options, "get"):
            options = options.get(name)
        copied = dataset.copy(dataset)
        if options is not None:
            copied.context.execution_options = options.copy()
        return copied


class EveryRowDataConfig(DataConfig):
    """Parts data sets without leaving out a row: some shards have one more than others."""

    def split(self, dataset: Dataset, world_size: int) -> list[DataIterator]:
        """Return parts that hold all rows together."""
        return dataset.streaming_split(world_size, equal=False)
