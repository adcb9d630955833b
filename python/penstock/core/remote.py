"""`remote`: makes tasks of functions and actors of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.core.actors import ActorClass
from penstock.core.remote_function import RemoteFunction

if TYPE_CHECKING:
    from collections.abc import Callable


def remote(*args: Any, **options: Any) -> Any:
    """Have a function run as tasks, or a class as actors, in worker processes.

    Use it as a decorator, with options or without: `@remote`, `@remote(num_cpus=2)`; or as a
    function: `remote(f)`.

    Args:
        args: the function or class.
        options: of both: num_cpus (functions 1, actors 0), num_gpus, memory (bytes), resources,
            name, runtime_env (env_vars, working_dir), scheduling_strategy. Of functions:
            num_returns, max_calls, max_retries (3), retry_exceptions. Of classes: max_restarts
            (0), max_task_retries (0), max_concurrency, concurrency_groups, max_pending_calls,
            namespace, lifetime, get_if_exists.

    Raises:
        TypeError: what is given is neither a function nor a class, or an option's value is of the
            wrong kind.
        ValueError: an option is not known, or its value not possible.

    """
    if (args and options) or len(args) > 1:
        raise TypeError("Use remote as @remote or @remote(option=…), or call remote(function)")
    if args:
        return _made(args[0], {})
    if not options:
        raise TypeError(
            "Use remote without brackets, or with options: @remote, @remote(num_cpus=2)"
        )
    return lambda target: _made(target, options)


def _made(target: Callable[..., Any], options: dict[str, Any]) -> RemoteFunction | ActorClass:
    if isinstance(target, type):
        return ActorClass(target, options)
    if not callable(target) or not hasattr(target, "__qualname__"):
        raise TypeError(f"remote takes a function or a class; got: {type(target).__name__}")
    return RemoteFunction(target, options)
