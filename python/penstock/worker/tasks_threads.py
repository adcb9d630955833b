"""An actor whose calls run in threads, several at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock._worker import Task
    from penstock.worker.task_actors import Actor


def serve(actor: Actor) -> None:
    """Answer calls, each in a thread of its concurrency group, until no more come."""
    limits = {"": actor.at_once or 1, **actor.groups}
    groups = {
        name: ThreadPoolExecutor(limit, thread_name_prefix=f"penstock-{name or 'actor'}")
        for name, limit in limits.items()
    }
    client = actor.calls.client
    while (task := client.receive_task()) is not None:
        group = groups.get(actor.group_of(task))
        if group is None:
            _refuse(actor, task)
        else:
            group.submit(_run, actor, task)
        del task
    for group in groups.values():
        group.shutdown(wait=True, cancel_futures=True)


def _run(actor: Actor, task: Task) -> None:
    if task.id in actor.calls.client.interrupted():
        actor.calls.cancel(task)
    else:
        actor.run(task)


def _refuse(actor: Actor, task: Task) -> None:
    known = ", ".join(sorted(actor.groups))
    error = ValueError(
        f"The actor has no concurrency group {actor.group_of(task)!r}; it has: {known}"
    )
    actor.calls.fail(task, error, actor.name_of(task))
