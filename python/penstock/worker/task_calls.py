"""One call of a function or method: what it gets, what becomes of it."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from penstock.core import serialization
from penstock.core.control import ActorExit
from penstock.core.definitions import Definition, unpack_definition
from penstock.core.values import error_of, is_error
from penstock.exceptions import TaskCancelledError
from penstock.worker import current, failure, forked, task_interrupts
from penstock.worker.callables import name_of
from penstock.worker.device_errors import end_if_sticky

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penstock._worker import Client, Packed, Task, Value
    from penstock.worker.task_actors import Actor

_FAILED, _RETRY_WANTED, _LEAVING, _WAS_CANCELLED = 1, 2, 4, 8  # DoneFlags of runtime/wire.h.
_IS_ERROR = 1
_GENERATOR = -1
_DEFINITIONS_MAX = 256  # That are kept unpacked; others are unpacked again.


class GivenError(Exception):
    """A task was given the value of one that failed: it fails in the same way."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Calls:
    """Runs what the hub sends to this process, and tells it what came of it."""

    def __init__(self, client: Client, worker: int, folder: str) -> None:
        self.client = client
        self._worker = worker
        self._folder = folder
        self._process = os.getpid()
        self._definitions: OrderedDict[int, Definition] = OrderedDict()

    def run_function(self, task: Task) -> None:
        """Run a task that is a function's call."""
        try:
            self.begin(task, "")
            definition = self._definition(task)
        except BaseException as error:  # noqa: BLE001  # Whatever unpickling raises.
            self.fail(task, error, "")
            return
        self.run(task, definition.function, definition)

    def construct(self, task: Task) -> Actor | None:
        """Build an actor; None where its constructor raises."""
        from penstock.worker.task_actors import Actor

        name = ""
        current.become_actor(task.attempt, task.options)
        try:
            self.begin(task, "")
            kind = self._definition(task).function
            name = f"{name_of(kind)}.__init__"
            args, kwargs = self.arguments(task)
            task_interrupts.begin(task.id)
            try:
                actor = Actor(self, kind, args, kwargs, task)
            finally:
                task_interrupts.end()
            results = self.results(task, None)
        except BaseException as error:  # noqa: BLE001  # Whatever the user's constructor raises.
            self.fail(task, error, name)
            return None
        self.finish(task, 0, results)
        return actor

    def run(
        self, task: Task, function: Callable[..., Any], definition: Definition | None = None
    ) -> None:
        """Call a function in the main thread, where it may be stopped, and answer the task."""
        try:
            args, kwargs = self.arguments(task)
            task_interrupts.begin(task.id)
            try:
                result = function(*args, **kwargs)
                del args, kwargs
                if task.returns == _GENERATOR:
                    self.stream(task, result, name_of(function))
                    result = None
            finally:
                task_interrupts.end()
            results = self.results(task, result)
        except BaseException as error:  # noqa: BLE001  # A user's sys.exit() is a failure too.
            self.fail(task, error, name_of(function), definition)
            return
        del result
        self.finish(task, 0, results)

    def begin(self, task: Task, name: str) -> None:
        """Have this thread, or asynchronous call, know what it runs."""
        if task.devices:
            os.environ["CUDA_VISIBLE_DEVICES"] = task.devices
        current.set_task(
            current.RunningTask(
                task.id,
                _name_in(task.options) or name,
                task.actor,
                self._worker,
                task.attempt,
                task.options,
                task.devices,
            )
        )

    def arguments(self, task: Task) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what a call gets.

        Raises:
            GivenError: it was to get the value of a task that has failed.

        """
        arguments, values = task.take_arguments()
        for value in values:
            if is_error(value):
                raise GivenError(value)
        return serialization.loads_call(arguments, [serialization.loads(value) for value in values])

    def stream(self, task: Task, items: Any, name: str) -> None:
        """Send each item as it comes."""
        if not hasattr(items, "__next__"):
            raise ValueError(
                f"{name} was called with num_returns='streaming', so it must be a generator or "
                f"return an iterator; it returned a {type(items).__name__}"
            )
        for item in items:
            self._end_fork()
            self.client.yield_item(task.id, serialization.dumps(self.client, item))
            del item

    def results(self, task: Task, result: Any) -> list[Packed]:
        """Pack what a call returned, as the number of its returns wants it."""
        self._end_fork()
        if task.returns <= 0:
            return []
        if task.returns == 1:
            return [serialization.dumps(self.client, result)]
        values = list(_several(result, task.returns))
        if len(values) != task.returns:
            raise ValueError(
                f"The task returned {len(values)} objects, but num_returns={task.returns}"
            )
        return [serialization.dumps(self.client, value) for value in values]

    def finish(self, task: Task, flags: int, values: list[Packed]) -> None:
        """Answer a task."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.client.done(task.id, flags, values)

    def fail(
        self,
        task: Task,
        error: BaseException,
        name: str,
        definition: Definition | None = None,
    ) -> None:
        """Answer a task that has raised."""
        self._end_fork(error)
        if isinstance(error, ActorExit) or (isinstance(error, SystemExit) and task.actor):
            self.finish(task, _LEAVING, [])
            return
        if isinstance(error, TaskCancelledError) and task.id in self.client.interrupted():
            self.cancel(task)
            return
        if isinstance(error, GivenError) and error.value.flags == _IS_ERROR:
            packed = bytes(error.value.pickled)
        else:
            if isinstance(error, GivenError):
                error = error_of(error.value)
            end_if_sticky(error)
            packed = failure.pack(error, function=name)
        retries = definition is not None and definition.wants_retry(error)
        self.finish(
            task,
            _FAILED | (_RETRY_WANTED if retries else 0),
            [self.client.pack(packed, [], [])],
        )

    def cancel(self, task: Task) -> None:
        """Answer a task that was stopped, or was not begun any more."""
        self.finish(task, _FAILED | _WAS_CANCELLED, [])

    def _end_fork(self, error: BaseException | None = None) -> None:
        """End a process that a function forked and that came back: its parent answers the task."""
        forked.end_child(self._process, error)

    def _definition(self, task: Task) -> Definition:
        known = self._definitions.get(task.function)
        if known is None:
            known = unpack_definition(task.function_data, self._folder)
            self._definitions[task.function] = known
            if len(self._definitions) > _DEFINITIONS_MAX:
                self._definitions.popitem(last=False)
        return known


@functools.lru_cache(_DEFINITIONS_MAX)
def _name_in(options: str) -> str:
    """Return what a task is called by its options; "" where they do not say."""
    told = json.loads(options) if options else {}
    name: str = told.get("name") or told.get("label") or ""
    return name


def _several(result: Any, returns: int) -> Iterator[Any]:
    try:
        return iter(result)
    except TypeError:
        raise ValueError(
            f"The task was called with num_returns={returns}, so it must return as many objects, "
            f"as a tuple or list; it returned a {type(result).__name__}"
        ) from None
