"""`read_datasource`, and what the readers share that read through Python libraries."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, cast

from penstock._core import LogicalPlan, machine_processors
from penstock.data.context import DataContext
from penstock.data.dataset import Dataset
from penstock.data.execution import resources
from penstock.data.functions import Shape, extend
from penstock.data.reading.paths import path_text
from penstock.data.reading.read_options import RAY_ONLY, refuse_others
from penstock.data.reading.splits import wished_splits
from penstock.worker.read_tasks import TASK_COLUMN, RunTasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.data.datasource import Datasource, ReadTask
    from penstock.data.worker_arguments import FunctionArguments, WorkerArguments

_TASKS_MIN = 200
_TASK_BYTES_MIN = 1 << 20
_TASK_BYTES_MAX = 128 << 20


def read_datasource(
    datasource: Datasource,
    *,
    parallelism: int = -1,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    memory: float | None = None,
    resources: Mapping[str, float] | None = None,
    runtime_env: Mapping[str, Any] | None = None,
    max_calls: int | None = None,
    ray_remote_args: Mapping[str, Any] | None = None,
    concurrency: int | None = None,
    compute: object = None,
    override_num_blocks: int | None = None,
    **read_args: Any,
) -> Dataset:
    """Read from a custom source: worker processes run its read tasks, whose rows keep their order.

    Names and types of the columns, and how many rows there are, are known only by running.

    Args:
        datasource: a `Datasource`, or whatever has its methods.
        parallelism: older name of `override_num_blocks`; -1: not set.
        num_cpus: what one worker takes of the machine.
        num_gpus: what one worker takes of the machine.
        memory: see `WorkerArguments` (`penstock.data.worker_arguments`); so are the next three.
        resources: see there.
        runtime_env: see there.
        max_calls: see there.
        ray_remote_args: other options of `WorkerArguments`; those given by name win.
        concurrency: workers that read at once; None: as many as the machine has processors.
        compute: a `TaskPoolStrategy`, which says the same.
        override_num_blocks: how many read tasks to ask the source for; None: by its size.
        read_args: passed to `datasource.create_reader`, for sources that have it.

    Raises:
        TypeError: no `Datasource`, or its tasks cannot be sent to another process.
        ValueError: a number below 1.

    """
    refused = {name: read_args.pop(name) for name in RAY_ONLY if name in read_args}
    refuse_others("read_datasource", refused)
    if not hasattr(datasource, "get_read_tasks") and not hasattr(datasource, "create_reader"):
        raise TypeError(f"read_datasource needs a Datasource; got: {datasource!r}")
    reader: Any = datasource
    if read_args or not hasattr(datasource, "get_read_tasks"):
        if not hasattr(datasource, "create_reader"):
            raise TypeError(
                f"read_datasource got unexpected keyword arguments: {', '.join(read_args)}"
            )
        reader = datasource.create_reader(**read_args)
    wished = wished_splits(parallelism, override_num_blocks)
    tasks = reader.get_read_tasks(_default_tasks(reader) if wished is None else wished)
    name = datasource.get_name() if hasattr(datasource, "get_name") else type(datasource).__name__
    if not getattr(datasource, "supports_distributed_reads", True):
        concurrency, compute = 1, None
    named = {
        "compute": compute,
        "concurrency": concurrency,
        "num_cpus": num_cpus,
        "num_gpus": num_gpus,
        "memory": memory,
        "resources": resources,
        "runtime_env": runtime_env,
        "max_calls": max_calls,
    }
    given = {key: value for key, value in named.items() if value is not None}
    workers = cast("WorkerArguments", {**(ray_remote_args or {}), **given})
    return read_with_tasks(name, tasks, workers)


def read_with_tasks(name: str, tasks: Sequence[ReadTask], workers: WorkerArguments) -> Dataset:
    """Return a data set of what the tasks yield, one after the other, shown as Read(`name`)."""
    context = DataContext.get_current().copy()
    listed = list(tasks)
    for task in listed:
        if not callable(task):
            raise TypeError(f"get_read_tasks of {name} must return ReadTasks; got: {task!r}")
    options = cast("FunctionArguments", {**workers})
    if workers.get("compute") is None and workers.get("concurrency") is None:
        processors = resources(context).processors or machine_processors()
        options["concurrency"] = max(1, min(len(listed), processors))
    plan = LogicalPlan.from_columns([{TASK_COLUMN: _numbers(len(listed))}], _files(listed))
    if listed:
        plan = plan.with_splits(len(listed))
    plan = extend(
        plan,
        context,
        "read_datasource",
        RunTasks(name, listed, context.target_max_block_size),
        shape=Shape(kind="batches", batch_format="numpy", batch_rows=1),
        given=options,
    )
    return Dataset(plan, context)


def even_ranges(rows: int, pieces: int) -> list[tuple[int, int]]:
    """Cut `rows` into at most `pieces` ranges (begin, end) that differ by one row at most."""
    pieces = max(1, min(pieces, rows))
    borders = [rows * place // pieces for place in range(pieces + 1)]
    return list(itertools.pairwise(borders))


def _files(tasks: Sequence[ReadTask]) -> list[str]:
    """Return the files that the tasks say they read, in order."""
    known = [task.metadata for task in tasks if getattr(task, "metadata", None) is not None]
    return [
        path_text(path) for facts in known for path in getattr(facts, "input_files", None) or ()
    ]


def _numbers(count: int) -> Any:
    import numpy as np

    return np.arange(count)


def _default_tasks(reader: Any) -> int:
    """Return how many tasks to ask for, by Ray's rule."""
    estimate = getattr(reader, "estimate_inmemory_data_size", lambda: None)()
    processors = 2 * machine_processors()
    if estimate is None or estimate < 0:
        return max(processors, _TASKS_MIN)
    by_bytes = min(_TASKS_MIN, estimate // _TASK_BYTES_MIN)
    return int(max(by_bytes, estimate // _TASK_BYTES_MAX, processors, 1))
