"""Data sets of made-up numbers: `range` and `range_tensor`."""

from __future__ import annotations

import json

from penstock._core import LogicalPlan
from penstock.data import arguments
from penstock.data.context import DataContext
from penstock.data.dataset import Dataset
from penstock.data.reading.splits import wished_splits


def range(
    n: int,
    *,
    parallelism: int = -1,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
) -> Dataset:
    """Make the integers from 0 up to `n` in a column "id".

    Args:
        n: how many.
        parallelism: older name of `override_num_blocks`; -1: not set.
        concurrency: how many pieces are made at once, at most; None: one a processor.
        override_num_blocks: in how many pieces they are made.

    Raises:
        TypeError, ValueError: a number that makes no sense.

    """
    count = arguments.not_negative("n", n)
    plan = LogicalPlan.read("range", json.dumps({"count": count}))
    return _read(plan, parallelism, concurrency, override_num_blocks)


def range_tensor(
    n: int,
    *,
    shape: tuple[int, ...] = (1,),
    parallelism: int = -1,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
) -> Dataset:
    """Make `n` tensors of `shape` in a column "data"; tensor i is filled with i.

    The other arguments and errors are those of `range`.
    """
    reader = {
        "count": arguments.not_negative("n", n),
        "shape": [arguments.at_least_one("shape", size) for size in shape],
    }
    plan = LogicalPlan.read("range_tensor", json.dumps(reader))
    return _read(plan, parallelism, concurrency, override_num_blocks)


def _read(
    plan: LogicalPlan,
    parallelism: int,
    concurrency: int | None,
    override_num_blocks: int | None,
) -> Dataset:
    splits = wished_splits(parallelism, override_num_blocks)
    if splits is not None:
        plan = plan.with_splits(splits)
    if concurrency is not None:
        plan = plan.with_splits_at_once(arguments.at_least_one("concurrency", concurrency))
    return Dataset(plan, DataContext.get_current().copy())
