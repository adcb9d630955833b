"""The keyword arguments that say who runs a function, and what the engine is told of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from penstock.data import arguments
from penstock.data.context import DataContext
from penstock.data.retries import retry_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.data.arguments import Concurrency
    from penstock.data.retries import Retries

_MAX_RESTARTS = -1
_MAX_TASK_RETRIES = 3
_POLICIES = ("raise", "dead_letter", "drop")
_MACHINE = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}


class RayOnly(TypedDict, total=False):
    """Options of Ray's that are known but not supported: None, or NotImplementedError."""

    accelerator_type: Any
    fallback_strategy: Any
    label_selector: Any
    num_returns: Any
    object_store_memory: Any
    placement_group: Any
    ray_remote_args: Any
    ray_remote_args_fn: Any
    scheduling_strategy: Any


class WorkerArguments(RayOnly, total=False):
    """Who runs a function, on what, and what becomes of workers that fail or grow old.

    None is the same as leaving an argument out.

    Keys:
        compute: `ActorPoolStrategy` for a class, `TaskPoolStrategy` for a function,
            `ThreadPoolStrategy` for either. Wins over `concurrency`.
        concurrency: workers, as a number, or for a class (min, max) or (min, max, initial).
        num_cpus: processors that one worker takes; a fraction is welcome.
        num_gpus: GPUs that one worker takes; with a fraction, several share one.
        memory: bytes that one worker takes of the machine's memory.
        resources: {name: amount} that one worker takes of what `penstock.init` named.
        runtime_env: {"env_vars": {name: text}}, environment variables of the workers.
        max_restarts: how often workers of the stage that died are replaced; -1 (the default): no
            limit. Workers that somebody kills while they are built count too; where this is left
            out, a hundred in a row end the job.
        max_task_retries: how often a batch whose worker died is given to another, for each cause of
            death (`Retries`); 3 by default, -1: no limit.
        max_retries: the same, as Ray calls it for functions without state.
        retries: `penstock.data.Retries`, how often a batch is run again by what ended it: also
            after exceptions, which end the job otherwise.
        retry_exceptions: Ray's way to say that: exceptions after which a batch is run again as
            often as after a death; True: all.
        max_concurrency: for a class, Ray's number of batches that one worker takes at once: twice
            as many are on their way to it, and it is called with one at a time, as in Ray. See
            `ThreadPoolStrategy` for several calls at once.
        max_calls: batches after which a fresh worker takes a worker's place; none by default.
        max_batches_per_worker: the same, by its own name.
        worker_memory_limit: bytes; a worker that holds more after a batch is replaced likewise.
        batch_timeout_s: seconds; a worker busy with one batch for longer is killed. That is all the
            time from when it begins with the batch, but not that in which a generator is held back
            because there is no room for what it yields next.
        on_error: what becomes of rows for which the function fails, kills its worker or takes
            longer than `batch_timeout_s`. "raise" (the default) ends the job. "dead_letter" leaves
            them out and puts them on record beside the output, see `penstock.dead_letters`; "drop"
            only leaves them out. A batch that fails is run again in halves until the rows that
            fail stand alone; `max_task_retries` has no part in it. What a batch yields is held
            until all of it has come. Not with `group_by_length`, nor before a `zip`.
        max_errors: how many rows may be left out: a number, or a share of the stage's rows as a
            float below 1 or a text such as "0.1 %". Beyond it the job ends with the last error.
            None: no limit.
        share_model: True builds the class once and forks the workers from that, so that they share
            its memory, where that is safe.
    """

    compute: object
    concurrency: Concurrency | None
    num_cpus: float | None
    num_gpus: float | None
    memory: float | None
    resources: Mapping[str, float] | None
    runtime_env: Mapping[str, Any] | None
    max_restarts: int | None
    max_task_retries: int | None
    max_retries: int | None
    retries: Retries | None
    retry_exceptions: bool | Sequence[type[BaseException]] | None
    max_concurrency: int | None
    max_calls: int | None
    max_batches_per_worker: int | None
    worker_memory_limit: int | None
    batch_timeout_s: float | None
    on_error: Literal["raise", "dead_letter", "drop"] | None
    max_errors: float | str | None
    share_model: bool | None


class FunctionArguments(WorkerArguments, total=False):
    """What a function is called with, and who runs it.

    Keys:
        fn_args: passed to each call after the batch or row.
        fn_kwargs: passed to each call by name.
        fn_constructor_args: passed to a class when a worker builds it.
        fn_constructor_kwargs: passed to a class by name when a worker builds it.
    """

    fn_args: Iterable[Any] | None
    fn_kwargs: Mapping[str, Any] | None
    fn_constructor_args: Iterable[Any] | None
    fn_constructor_kwargs: Mapping[str, Any] | None


def check_names(operation: str, given: Mapping[str, object], known: type) -> None:
    """Refuse names that are not keys of `known`, and options that are not supported.

    Raises:
        TypeError: a name that nobody knows.
        NotImplementedError: an option of Ray's that is not supported is set.

    """
    for name in given:
        if name not in known.__annotations__:
            raise arguments.unknown(operation, name, known.__annotations__)
    arguments.refuse(operation, {name: given.get(name) for name in RayOnly.__annotations__})


def check_unused(operation: str, given: WorkerArguments) -> None:
    """Accept the arguments, checked, where no worker takes part in the work.

    Raises:
        TypeError, ValueError, NotImplementedError: as where one does.

    """
    check_names(operation, given, WorkerArguments)
    compute, concurrency = given.get("compute"), given.get("concurrency")
    if compute is not None and not hasattr(compute, "__dict__"):
        raise ValueError(f"``compute`` must be a strategy; got: {compute!r}")
    if concurrency is not None:
        arguments.check_concurrency(type, concurrency)
    machine_options(operation, given)
    calls_under_way(operation, given, stateful=True)
    lifetime_options(given, DataContext.get_current(), stateful=False)
    error_options(given)


def calls_under_way(operation: str, given: WorkerArguments, *, stateful: bool) -> int:
    """Return `max_concurrency`, 1 where it is left out.

    Raises:
        TypeError, ValueError: not a number of at least 1, or more than that for a function.

    """
    number = _count(given, "max_concurrency") or 1
    if number > 1 and not stateful:
        raise ValueError(
            f"{operation}: max_concurrency belongs to classes; leave it out, and ask for more "
            f"workers by concurrency; got: {number}"
        )
    return number


def check_threads(given: WorkerArguments) -> None:
    """Check that nothing is asked of the threads of one process that only processes can do.

    Raises:
        ValueError: it is; the message names the argument.

    """
    if given.get("share_model"):
        raise ValueError("Threads share their model already; leave out share_model")
    for name in ("max_calls", "max_batches_per_worker", "worker_memory_limit"):
        if given.get(name) is not None:
            raise ValueError(
                f"Threads live as long as the process that they share, so none is replaced by a "
                f"fresh one; leave out {name}, or ask for processes (ActorPoolStrategy); "
                f"got: {given.get(name)}"
            )


def machine_options(operation: str, given: WorkerArguments) -> dict[str, Any]:
    """Return what one worker asks for of the machine, by the names of the engine's options.

    Raises:
        TypeError, ValueError: a value that makes no sense.
        NotImplementedError: more than environment variables in `runtime_env`.

    """
    return {
        "processors": arguments.amount("num_cpus", given.get("num_cpus")),
        "gpus": arguments.amount("num_gpus", given.get("num_gpus")) or 0.0,
        "memory_bytes": math.ceil(arguments.amount("memory", given.get("memory")) or 0),
        "resources": _resources(given.get("resources") or {}),
        "environment": _environment(operation, given.get("runtime_env") or {}),
        "shares_model": _yes_or_no("share_model", given.get("share_model")),
    }


def lifetime_options(
    given: WorkerArguments, context: DataContext, *, stateful: bool
) -> dict[str, Any]:
    """Return what becomes of workers that fail or grow old, by the names of the engine's options.

    Where the call says nothing of exceptions, `context` does for classes, as Ray's.

    Raises:
        TypeError, ValueError: a value that makes no sense, or two names for one thing.

    """
    calls = _one_of(given, "max_calls", "max_batches_per_worker")
    retries = _one_of(given, "max_task_retries", "max_retries")
    limit = given.get("worker_memory_limit")
    timeout_s = arguments.amount("batch_timeout_s", given.get("batch_timeout_s"))
    if timeout_s == 0:
        raise ValueError("batch_timeout_s must be more than 0; leave it out for no limit; got: 0")
    of_deaths = _count_or_no_limit(given, retries, _MAX_TASK_RETRIES)
    by_cause = retry_options(given, context, stateful=stateful, of_deaths=of_deaths)
    if given.get("max_restarts") is not None:
        by_cause["max_build_kills"] = -1
    return {
        "max_restarts": _count_or_no_limit(given, "max_restarts", _MAX_RESTARTS),
        "max_task_retries": of_deaths,
        "retries": by_cause,
        "max_batches_per_worker": _count(given, calls),
        "max_worker_bytes": 0
        if limit is None
        else arguments.at_least_one("worker_memory_limit", limit),
        "batch_timeout_ms": math.ceil((timeout_s or 0) * 1000),
    }


def error_options(given: WorkerArguments) -> dict[str, Any]:
    """Return what becomes of rows that fail, by the names of the engine's options.

    Raises:
        TypeError, ValueError: a value that makes no sense, or a budget for errors that end the job.

    """
    policy = given.get("on_error") or "raise"
    if policy not in _POLICIES:
        raise ValueError(f"on_error must be one of {', '.join(_POLICIES)}; got: {policy!r}")
    budget = given.get("max_errors")
    if budget is None:
        return {"on_error": policy}
    if policy == "raise":
        raise ValueError('max_errors needs on_error="dead_letter" or "drop"')
    return {"on_error": policy, **_error_budget(budget)}


def _error_budget(budget: object) -> dict[str, Any]:
    if isinstance(budget, str):
        try:
            share = float(budget.removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        if not budget.endswith("%") or not 0 <= share <= 1:
            raise ValueError(f'max_errors as a text is a share such as "0.1 %"; got: {budget!r}')
        return {"max_error_share": share}
    if isinstance(budget, float) and 0 < budget < 1:
        return {"max_error_share": budget}
    number = arguments.whole_number("max_errors", budget)
    if number < -1:
        raise ValueError(f"max_errors must be at least 0, or -1 for no limit; got: {number}")
    return {"max_errors": number}


def _yes_or_no(name: str, value: object) -> bool:
    if not isinstance(value, bool | None):
        raise TypeError(f"{name} must be True or False; got: {value!r}")
    return bool(value)


def _one_of(given: WorkerArguments, first: str, second: str) -> str:
    """Return which of two names for one thing was used."""
    if given.get(first) is not None and given.get(second) is not None:
        raise ValueError(f"{first} and {second} are two names for one thing; give one of them")
    return first if given.get(second) is None else second


def _count(given: WorkerArguments, name: str) -> int:
    value = given.get(name)
    return 0 if value is None else arguments.at_least_one(name, value)


def _count_or_no_limit(given: WorkerArguments, name: str, default: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    number = arguments.whole_number(name, value)
    if number < -1:
        raise ValueError(f"{name} must be at least 0, or -1 for no limit; got: {number}")
    return number


def _resources(resources: Mapping[str, float]) -> dict[str, float]:
    _check_mapping("resources", resources, "{name: amount}")
    amounts = {}
    for name, value in resources.items():
        if name in _MACHINE:
            raise ValueError(f"Use the argument {_MACHINE[name]} instead of resources: {name!r}")
        amounts[name] = arguments.amount(f"resources[{name!r}]", value) or 0.0
    return amounts


def _environment(operation: str, runtime_env: Mapping[str, Any]) -> list[str]:
    _check_mapping("runtime_env", runtime_env, '{"env_vars": {name: text}}')
    others = {name: value for name, value in runtime_env.items() if name != "env_vars"}
    arguments.refuse(operation, {f"runtime_env[{name!r}]": value for name, value in others.items()})
    variables = runtime_env.get("env_vars") or {}
    _check_mapping("env_vars", variables, "{name: text}")
    for name, value in variables.items():
        if not isinstance(value, str):
            raise TypeError(f"env_vars must hold texts; got: {value!r} for {name!r}")
        if not name or "=" in name or "\0" in name + value or not arguments.is_utf8(name + value):
            raise ValueError(f"env_vars holds what no environment can; got: {name!r}: {value!r}")
    return [f"{name}={value}" for name, value in variables.items()]


def _check_mapping(name: str, value: object, wanted: str) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TypeError(f"{name} must be {wanted}; got: {value!r}")
