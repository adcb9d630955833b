"""Turns a user's function and its options into the engine's form, and extends a plan by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock._core import Function, machine_processors
from penstock.data import arguments
from penstock.data.execution import resources
from penstock.data.strategy import make_pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock._core import LogicalPlan
    from penstock.data.arguments import Concurrency
    from penstock.data.context import DataContext


class Call(NamedTuple):
    """What a function is called with besides its batch or row, and a class is built with."""

    args: Iterable[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    constructor_args: Iterable[Any] | None = None
    constructor_kwargs: Mapping[str, Any] | None = None


class Workers(NamedTuple):
    """Who runs a function: the strategy, and what each worker asks for."""

    compute: object = None
    concurrency: Concurrency | None = None
    num_cpus: float | None = None
    num_gpus: float | None = None
    remote_options: Mapping[str, object] = {}


class Shape(NamedTuple):
    """What a function sees and returns; `kind` as in `penstock._core.Function`."""

    kind: str
    batch_format: str = "rows"
    batch_rows: int | None = None
    zero_copy: bool = True
    keeps_rows: bool = False


def extend(
    plan: LogicalPlan,
    context: DataContext,
    operation: str,
    function: object,
    *,
    shape: Shape,
    call: Call,
    workers: Workers,
) -> LogicalPlan:
    """Return `plan` followed by `function`.

    Raises:
        TypeError, ValueError, NotImplementedError: see `penstock.data.arguments`; or the function
            cannot be sent to another process.

    """
    from penstock.worker.payload import pack_function

    arguments.check_remote_options(operation, workers.remote_options)
    arguments.check_function(
        operation,
        function,
        constructor_args=call.constructor_args,
        constructor_kwargs=call.constructor_kwargs,
    )
    limits = resources(context)
    pool = make_pool(
        function,
        compute=workers.compute,
        concurrency=workers.concurrency,
        in_flight=context.max_tasks_in_flight_per_actor,
        processors=limits.processors or machine_processors(),
    )
    payload = pack_function(
        function,
        constructor_args=call.constructor_args,
        constructor_kwargs=call.constructor_kwargs,
        args=call.args,
        kwargs=call.kwargs,
        batch_format=shape.batch_format,
        zero_copy=shape.zero_copy,
    )
    name = arguments.function_name(function)
    options = {
        "stateful": pool.stateful,
        "batch_rows": shape.batch_rows,
        "workers_min": pool.workers,
        "workers_max": pool.workers,
        "processors": arguments.amount("num_cpus", workers.num_cpus),
        "gpus": arguments.amount("num_gpus", workers.num_gpus) or 0.0,
        "in_flight_per_worker": pool.in_flight,
    }
    return plan.functions(
        [Function(name, shape.kind, payload, shape.keeps_rows)], json.dumps(options)
    )
