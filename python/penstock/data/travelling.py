"""How data sets travel to other processes: as plans, and as Arrow data what lies in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.data.base import DatasetBase
    from penstock.data.context import DataContext


def packed(dataset: DatasetBase) -> tuple[type[DatasetBase], str, list[list[Any]], DataContext]:
    """Return what `unpacked` makes the data set of again, all of which can be pickled.

    Raises:
        NotImplementedError: the plan reads through an open file system, or cannot be written down
            for another reason, which the error names.

    """
    import pyarrow as pa

    text, memory = dataset._plan.to_parts()  # noqa: SLF001  # Of this package.
    batches = [[pa.record_batch(block) for block in blocks] for blocks in memory]
    return type(dataset), text, batches, dataset.context


def unpacked(
    kind: type[DatasetBase], text: str, memory: list[list[Any]], context: DataContext
) -> DatasetBase:
    """Return the data set; lists of the same Arrow data may be views of shared memory."""
    from penstock._core import LogicalPlan

    return kind(LogicalPlan.from_parts(text, memory), context)
