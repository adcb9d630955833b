"""What stops and finds tasks and actors: `cancel`, `kill`, `get_actor`, `exit_actor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.core.connection import client, facts
from penstock.core.references import ObjectRef, ObjectRefGenerator, number_of

if TYPE_CHECKING:
    from penstock.core.actors import ActorHandle

_FORCE, _RECURSIVE = 1, 2


class ActorExit(BaseException):  # No error: an actor's own wish.
    """Raised by `exit_actor`; ends the actor that runs."""


def cancel(
    ref: ObjectRef[Any] | ObjectRefGenerator, *, force: bool = False, recursive: bool = True
) -> None:
    """Stop the task that a reference comes from; one that has ended is left as it is.

    A task that waits is dropped; one that runs is interrupted: `TaskCancelledError` is raised in
    it. `get` then raises `TaskCancelledError`.

    Args:
        ref: what the task's `remote` returned.
        force: kill the task's process instead. Not for calls of actors.
        recursive: stop the tasks that it has started too.

    Raises:
        TypeError: `ref` is no reference.
        ValueError: `force` for a call of an actor.

    """
    if isinstance(ref, ObjectRefGenerator):
        ref = ref.completed()
    if not isinstance(ref, ObjectRef):
        raise TypeError(
            f"cancel takes what a task's remote() returned; got: {type(ref).__name__}. "
            "Cancel the items of a list one by one; end an actor with kill."
        )
    flags = (_FORCE if force else 0) | (_RECURSIVE if recursive else 0)
    why_not = client().cancel(number_of(ref), flags)
    if why_not:
        raise ValueError(why_not)


def kill(actor: ActorHandle, *, no_restart: bool = True) -> None:
    """End an actor's process at once; calls that wait fail with `ActorDiedError`.

    With `no_restart=False` it starts again, if its `max_restarts` let it.

    Raises:
        ValueError: `actor` is no handle of an actor.

    """
    from penstock.core.actors import ActorHandle, number_of_actor

    if not isinstance(actor, ActorHandle):
        raise ValueError(  # noqa: TRY004  # As in Ray.
            f"kill takes the handle of an actor; got: {type(actor).__name__}. "
            "Use cancel for a task."
        )
    client().kill(number_of_actor(actor), not no_restart)


def get_actor(name: str, namespace: str | None = None) -> ActorHandle:
    """Return a handle of the actor that was made with this name.

    Raises:
        ValueError: there is none (any more); or the name is empty.

    """
    from penstock.core.actors import handle_from_options

    if not name:
        raise ValueError("get_actor needs a name that is not empty")
    space = namespace if namespace is not None else current_namespace()
    number, options = client().find_actor(space, name)
    if not number:
        raise ValueError(
            f"There is no actor of the name {name!r} in the namespace {space!r}: it was never "
            "made under it, or it has ended"
        )
    return handle_from_options(number, options)


def actor_names() -> list[tuple[str, str]]:
    """Return namespace and name of each actor that `get_actor` would find."""
    return [(space, name) for space, name in json.loads(client().ask("names"))]


def exit_actor() -> NoReturn:
    """End the actor whose method calls this, after it; nothing is returned to the caller.

    Raises:
        TypeError: called outside of an actor.

    """
    from penstock.worker import current

    task = current.task()
    if task is None or not task.actor_id:
        raise TypeError("exit_actor is to be called by a method of an actor")
    raise ActorExit


def current_namespace() -> str:
    """Return the namespace in which names of actors are looked for by default."""
    namespace: str = facts()["namespace"]
    return namespace
