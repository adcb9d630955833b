"""The workers of a training, as the driver sees them."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from penstock.exceptions import RayActorError, RayError, RayTaskError
from penstock.train.errors import WorkerFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

logger = logging.getLogger(__name__)

_WARN_S = 30.0  # How long workers may take to start before the driver says what it waits for.


class WorkerFailedError(Exception):
    """Workers failed; not seen by users."""

    def __init__(self, failures: list[WorkerFailure]) -> None:
        super().__init__(failures)
        self.failures = failures


class WorkerGroup:
    """A fixed number of actors. As a context manager it ends their processes, whatever they do.

    Calls go to all workers at once. One that fails does not make the driver wait for the others,
    which may never answer without it: `WorkerFailedError` is raised at once.
    """

    def __init__(
        self,
        workers: int,
        resources: Mapping[str, float],
        runtime_env: Mapping[str, Any] | None = None,
    ) -> None:
        self._resources = dict(resources)
        self._runtime_env = runtime_env
        self._count = workers
        self.actors: list[Any] = []

    def __enter__(self) -> Self:
        import penstock
        from penstock.train.worker import TrainWorker

        make = penstock.remote(**_actor_options(self._resources, self._runtime_env))(TrainWorker)
        try:
            for _ in range(self._count):
                self.actors.append(make.remote())
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __len__(self) -> int:
        return self._count

    def execute(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Call a function in every worker, and return what each returned."""
        return self.gather([actor.execute.remote(function, *args) for actor in self.actors])

    def execute_single(self, rank: int, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in one worker, and return what it returned."""
        return self.gather({rank: self.actors[rank].execute.remote(function, *args)})[0]

    def execute_each(
        self, function: Callable[..., Any], args: Sequence[tuple[Any, ...]]
    ) -> list[Any]:
        """Call a function in every worker, each with arguments of its own."""
        pairs = zip(self.actors, args, strict=True)
        return self.gather([actor.execute.remote(function, *own) for actor, own in pairs])

    def gather(self, calls: Sequence[Any] | Mapping[int, Any]) -> list[Any]:
        """Wait for one call a worker and return what they returned.

        Raises:
            WorkerFailedError: one of them raised, or its worker died.

        """
        import penstock

        by_rank = dict(calls) if hasattr(calls, "keys") else dict(enumerate(calls))
        ranks = {call: rank for rank, call in by_rank.items()}
        values: dict[int, Any] = {}
        while ranks:
            ready, _ = penstock.wait(list(ranks), num_returns=1)
            for call in ready:
                rank = ranks.pop(call)
                values[rank] = self.value_of(call, rank)
        return [values[rank] for rank in by_rank]

    def value_of(self, call: Any, rank: int) -> Any:
        """Return what a call that is ready returned.

        Raises:
            WorkerFailedError: it raised, or its worker died.

        """
        import penstock

        try:
            return penstock.get(call)
        except RayError as error:
            died = isinstance(error, RayActorError) and not isinstance(error, RayTaskError)
            failure = WorkerFailure(rank, error, died=died, failed_at_s=time.monotonic())
            raise WorkerFailedError([failure]) from error

    def _wait_until_ready(self) -> None:
        import penstock

        calls = [actor.ready.remote() for actor in self.actors]
        while True:
            ready, waiting = penstock.wait(calls, num_returns=len(calls), timeout=_WARN_S)
            if not waiting or any(_failed(call) for call in ready):
                break
            logger.warning(
                "Still waiting for %d of %d training workers, which take %s each; free now: %s",
                len(waiting),
                self._count,
                self._resources,
                penstock.available_resources(),
            )
        self.gather(calls)

    def _end(self) -> None:
        import penstock

        for actor in self.actors:
            with contextlib.suppress(RayError, ValueError):
                penstock.kill(actor)
        self.actors = []


def _failed(call: Any) -> bool:
    import penstock

    try:
        penstock.get(call)
    except RayError:
        return True
    return False


def _actor_options(
    resources: Mapping[str, float], runtime_env: Mapping[str, Any] | None
) -> dict[str, Any]:
    named = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
    options: dict[str, Any] = {"num_cpus": 0, "max_restarts": 0}
    options.update({named[kind]: n for kind, n in resources.items() if kind in named})
    others = {kind: n for kind, n in resources.items() if kind not in named}
    if others:
        options["resources"] = others
    if runtime_env:
        options["runtime_env"] = dict(runtime_env)
    return options
