"""The options of tasks and actors: checked, merged, and as the JSON that the hub reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from penstock.core import checks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


# What each option may be. What means something on many machines alone is taken and does nothing.
_SHARED: dict[str, Callable[[str, Any], None]] = {
    "num_cpus": checks.amount,
    "num_gpus": checks.gpus,
    "memory": checks.amount,
    "resources": checks.resources,
    "accelerator_type": checks.text,
    "name": checks.text,
    "runtime_env": checks.runtime_env,
    "scheduling_strategy": checks.anything,
    "placement_group": checks.anything,
    "placement_group_bundle_index": checks.retries,
    "placement_group_capture_child_tasks": checks.flag,
    "label_selector": checks.anything,
    "enable_task_events": checks.anything,
    "_metadata": checks.anything,
    "object_store_memory": checks.amount,
}
_OF_FUNCTIONS: dict[str, Callable[[str, Any], None]] = {
    **_SHARED,
    "num_returns": checks.returns,
    "max_calls": checks.at_least_zero,
    "max_retries": checks.retries,
    "retry_exceptions": checks.exceptions_to_retry,
}
_OF_ACTORS: dict[str, Callable[[str, Any], None]] = {
    **_SHARED,
    "max_restarts": checks.retries,
    "max_task_retries": checks.retries,
    "max_concurrency": checks.at_least_one,
    "max_pending_calls": checks.limit,
    "concurrency_groups": checks.concurrency_groups,
    "namespace": checks.text,
    "lifetime": checks.lifetime,
    "get_if_exists": checks.flag,
    "allow_out_of_order_execution": checks.flag,
}
_OF_METHODS: dict[str, Callable[[str, Any], None]] = {
    "num_returns": checks.returns,
    "concurrency_group": checks.text,
    "max_task_retries": checks.retries,
    "retry_exceptions": checks.exceptions_to_retry,
    "name": checks.text,
    "enable_task_events": checks.anything,
}

# Passed on under their own names where they are set.
_PASSED_ON = (
    "num_gpus", "memory", "name", "max_retries", "max_calls", "max_restarts", "max_task_retries",
    "max_concurrency", "max_pending_calls", "concurrency_groups", "get_if_exists",
    "concurrency_group",
)  # fmt: skip

STREAMING = -1
DYNAMIC = "dynamic"


def of_function(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function's options, checked.

    Raises:
        ValueError, TypeError: an option is not known, or its value not possible.

    """
    return _checked(options, _OF_FUNCTIONS, "remote functions")


def of_actor(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return an actor's options, checked. Raises as `of_function`."""
    checked = _checked(options, _OF_ACTORS, "actors")
    if checked.get("get_if_exists") and not checked.get("name"):
        raise ValueError("get_if_exists needs a name to look for")
    return checked


def of_method(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an actor's method, checked. Raises as `of_function`."""
    return _checked(options, _OF_METHODS, "methods of actors")


def returns_of(options: Mapping[str, Any], *, is_generator: bool) -> int:
    """Return how many values a call returns; STREAMING: as many as it yields."""
    wanted = options.get("num_returns")
    if wanted is None:
        return STREAMING if is_generator else 1
    if wanted in ("streaming", DYNAMIC):
        return STREAMING
    return int(wanted)


def to_json(options: Mapping[str, Any], *, num_cpus: float, **more: Any) -> str:
    """Return what the hub reads; "" where all is as by default.

    `num_cpus` is the default; `more` is added as it is.
    """
    told = {key: options[key] for key in _PASSED_ON if options.get(key) is not None}
    if options.get("num_cpus") is not None and options["num_cpus"] != num_cpus:
        told["num_cpus"] = options["num_cpus"]
    resources = dict(options.get("resources") or {})
    if options.get("accelerator_type"):
        resources[f"accelerator_type:{options['accelerator_type']}"] = 0.001
    if resources:
        told["resources"] = resources
    if options.get("lifetime") == "detached":
        told["detached"] = True
    told.update(_environment(options.get("runtime_env")))
    told.update({key: value for key, value in more.items() if value})
    return json.dumps(told) if told else ""


def _environment(chosen: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the environment of a worker: the program's, and over it the task's own."""
    from penstock import session

    merged: dict[str, Any] = {}
    for environment in (session.options().runtime_env, chosen or {}):
        if environment.get("env_vars"):
            merged["env_vars"] = {**merged.get("env_vars", {}), **environment["env_vars"]}
        if environment.get("working_dir"):
            merged["working_dir"] = checks.folder(environment["working_dir"])
    return merged


def _checked(
    options: Mapping[str, Any], known: Mapping[str, Callable[[str, Any], None]], of_what: str
) -> dict[str, Any]:
    for name, value in options.items():
        check = known.get(name)
        if check is None:
            raise ValueError(
                f"Unknown option for {of_what}: {name!r}. Known are: {', '.join(sorted(known))}"
            )
        if value is not None:
            check(name, value)
    return _with_strategy(dict(options))


def _with_strategy(options: dict[str, Any]) -> dict[str, Any]:
    """Put what names a placement group in options of its own, as Ray did first, into a strategy."""
    own = {
        name: options.pop(f"placement_group{name}", None)
        for name in ("", "_bundle_index", "_capture_child_tasks")
    }
    if all(value is None for value in own.values()) or own[""] == "default":
        return options
    from penstock.util.placement_group import PlacementGroup
    from penstock.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    if options.get("scheduling_strategy") is not None:
        raise ValueError("Give a placement_group or a scheduling_strategy, not both")
    if not isinstance(own[""], PlacementGroup):
        raise TypeError(f"placement_group must be a placement group; got: {own['']!r}")
    index = -1 if own["_bundle_index"] is None else own["_bundle_index"]
    options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(
        own[""], index, own["_capture_child_tasks"]
    )
    return options
