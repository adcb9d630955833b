"""An actor: an instance of a user's class, and the calls of its methods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from penstock.core.control import ActorExit

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._worker import Task
    from penstock.worker.task_calls import Calls


class Actor:
    """The instance that this process serves."""

    def __init__(
        self,
        calls: Calls,
        kind: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task: Task,
    ) -> None:
        self.calls = calls
        self.options: dict[str, Any] = json.loads(task.options) if task.options else {}
        self._class_name = getattr(kind, "__name__", "Actor")
        if self.is_async:
            from penstock.worker import coroutines

            coroutines.event_loop()  # Which the constructor may look for.
        self._instance = kind(*args, **kwargs)

    @property
    def is_async(self) -> bool:
        """Whether its methods run on an event loop."""
        return bool(self.options.get("is_async"))

    @property
    def at_once(self) -> int | None:
        """How many calls may run at once; None: as the kind of actor has it."""
        limit: int | None = self.options.get("max_concurrency")
        return limit

    @property
    def groups(self) -> dict[str, int]:
        """How many calls of each concurrency group may run at once."""
        groups: dict[str, int] = self.options.get("concurrency_groups") or {}
        return groups

    def serve(self) -> None:
        """Answer calls until no more come."""
        if self.is_async:
            from penstock.worker import tasks_async

            tasks_async.serve(self)
        elif (self.at_once or 1) > 1 or self.groups:
            from penstock.worker import tasks_threads

            tasks_threads.serve(self)
        else:
            while (task := self.calls.client.receive_task()) is not None:
                self.run(task)
                del task

    def run(self, task: Task) -> None:
        """Make a call, and answer it."""
        self.calls.begin(task, self.name_of(task))
        try:
            method = self.method(task)
        except AttributeError as error:
            self.calls.fail(task, error, self.name_of(task))
            return
        self.calls.run(task, method)

    def name_of(self, task: Task) -> str:
        """Return what errors call the method."""
        return f"{self._class_name}.{task.method}"

    def group_of(self, task: Task) -> str:
        """Return the concurrency group of a call; "" for none."""
        if not self.groups:
            return ""
        chosen = json.loads(task.options).get("concurrency_group") if task.options else None
        return chosen or ""

    def method(self, task: Task) -> Callable[..., Any]:
        """Return what a call calls."""
        if task.method == "__ray_ready__":
            return lambda: True
        if task.method == "__ray_terminate__":
            return _leave
        if task.method == "__ray_call__":
            return lambda function, *args, **kwargs: function(self._instance, *args, **kwargs)
        method: Callable[..., Any] = getattr(self._instance, task.method)
        return method


def _leave() -> None:
    raise ActorExit
