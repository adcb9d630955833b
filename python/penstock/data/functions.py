"""Turns a user's function and its options into the engine's form, and extends a plan by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock._core import Function
from penstock.data import arguments
from penstock.data.identity import files_of, identity_of
from penstock.data.strategy import make_pool
from penstock.data.worker_arguments import (
    FunctionArguments,
    calls_under_way,
    check_names,
    check_threads,
    error_options,
    lifetime_options,
    machine_options,
)
from penstock.worker.callables import BATCHES_AT_ONCE, is_asynchronous, name_of
from penstock.worker.read_tasks import RunTasks

if TYPE_CHECKING:
    from penstock._core import LogicalPlan
    from penstock.data.context import DataContext
    from penstock.data.length_grouping import Grouping


class Shape(NamedTuple):
    """What a function sees and returns; `kind` as in `penstock._core.Function`."""

    kind: str
    batch_format: str = "rows"
    batch_rows: int | None = None
    grows_batches: bool = False
    zero_copy: bool = True
    keeps_rows: bool = False
    by_length: Grouping | None = None


def extend(
    plan: LogicalPlan,
    context: DataContext,
    operation: str,
    function: object,
    *,
    shape: Shape,
    given: FunctionArguments,
) -> LogicalPlan:
    """Return `plan` followed by `function`.

    Raises:
        TypeError, ValueError, NotImplementedError: see `penstock.data.arguments` and
            `penstock.data.worker_arguments`; or the function cannot be sent to another process.

    """
    from penstock.worker.payload import pack_function

    check_names(operation, given, FunctionArguments)
    constructor_args = given.get("fn_constructor_args")
    constructor_kwargs = given.get("fn_constructor_kwargs")
    arguments.check_function(
        operation,
        function,
        constructor_args=constructor_args,
        constructor_kwargs=constructor_kwargs,
    )
    pool = make_pool(
        function,
        compute=given.get("compute"),
        concurrency=given.get("concurrency"),
        in_flight=context.max_tasks_in_flight_per_actor,
        on_gpus=bool(given.get("num_gpus")),
    )
    at_once = calls_under_way(operation, given, stateful=pool.stateful)
    if at_once > 1:  # Ray has as many waiting for each, and calls the class one at a time too.
        pool = pool._replace(in_flight_per_worker=max(pool.in_flight_per_worker, 2 * at_once))
    if shape.kind == "batches" and is_asynchronous(function):
        enough = BATCHES_AT_ONCE + 1  # So that the next is there when one has ended.
        pool = pool._replace(in_flight_per_worker=max(pool.in_flight_per_worker, enough))
    options = {
        **pool._asdict(),
        **machine_options(operation, given),
        **lifetime_options(given, context, stateful=pool.stateful),
        **_errors(given, context),
        "max_build_tries": _build_tries(context),
        "batch_rows": shape.batch_rows,
        "grows_batches": shape.grows_batches,
        "by_length": shape.by_length and shape.by_length._asdict(),
    }
    if shape.by_length and options["on_error"] != "raise":
        raise ValueError(
            "group_by_length puts rows back into their order, so none may be left out; leave out "
            "one of them: group_by_length, on_error"
        )
    if options["threads"]:
        check_threads(given)
    passed: dict[str, Any] = {
        "constructor_args": constructor_args,
        "constructor_kwargs": constructor_kwargs,
        "args": given.get("fn_args"),
        "kwargs": given.get("fn_kwargs"),
    }
    payload = pack_function(
        function,
        **passed,
        batch_format=shape.batch_format,
        device="cuda" if options["gpus"] else "cpu",
        zero_copy=shape.zero_copy,
    )
    identity: dict[str, str] = {}
    if not isinstance(function, RunTasks) or function.reads_files_alone:
        identity = identity_of(function, **passed)
        identity[f"the form of the batches of {name_of(function)}"] = shape.batch_format
    files = files_of(*passed.values())
    described = Function(name_of(function), shape.kind, payload, shape.keeps_rows, identity, files)
    return plan.functions([described], json.dumps(options))


def _errors(given: FunctionArguments, context: DataContext) -> dict[str, Any]:
    """Return what becomes of rows that fail; where the call says nothing, Ray's context does."""
    blocks = arguments.whole_number("max_errored_blocks", context.max_errored_blocks)
    if given.get("on_error") is not None or blocks == 0:
        return error_options(given)
    asked: FunctionArguments = {**given, "on_error": "dead_letter"}
    return {**error_options(asked), "max_errored_batches": blocks}


def _build_tries(context: DataContext) -> int:
    """Return how often a class is built whose constructor raises, as Ray's context says it."""
    if not context.actor_init_retry_on_errors:
        return 1
    retries = arguments.whole_number("actor_init_max_retries", context.actor_init_max_retries)
    return 1 + arguments.not_negative("actor_init_max_retries", retries)
