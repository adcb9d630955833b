"""Who runs a function: `ActorPoolStrategy`, `TaskPoolStrategy`, `ThreadPoolStrategy`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.data import arguments
from penstock.worker.callables import name_of

if TYPE_CHECKING:
    from penstock.data.arguments import Concurrency

_IN_FLIGHT = 2


class ComputeStrategy:
    """What the strategies have in common."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        given = ((name, value) for name, value in vars(self).items() if value is not None)
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in given)})"


class TaskPoolStrategy(ComputeStrategy):
    """Runs a function without state, in `size` workers; as many as processors by default."""

    def __init__(self, size: int | None = None) -> None:
        self.size = _at_least_one("size", size)


class ThreadPoolStrategy(ComputeStrategy):
    """Runs a function or a class in `size` threads of one process, which share one model.

    For what releases the GIL, as most of NumPy and torch does: the class is built once and called
    by several threads at once, so its `__call__` must bear that. `size` defaults to as many threads
    as the machine has processors. Ray has nothing of the kind.
    """

    def __init__(self, size: int | None = None) -> None:
        self.size = _at_least_one("size", size)


class ActorPoolStrategy(ComputeStrategy):
    """Runs a class: each worker builds it once.

    `size` workers, or between `min_size` and `max_size`: then the pool starts with `initial_size`
    workers, or else with as many as the machine has processors for, and grows and shrinks with the
    work. Without a `max_size` (or with an infinite one) that is as many as the machine has
    processors for, or as `min_size` and `initial_size` ask for, where that is more.
    `max_tasks_in_flight_per_actor` is the number of batches on their way to one worker (2).

    `max_concurrent_calls_per_actor` calls run at once in one worker only with
    `enable_true_multi_threading`. The pool is a `ThreadPoolStrategy` then, one process with so many
    threads for each worker of its least size; with `num_gpus` that least size must be 1. Without it
    a class is called by one thread at a time, as in Ray.

    Positional arguments are those of older Ray versions: `(size)` or `(min_size, max_size)`.

    Raises:
        ValueError: `size` together with another size, or sizes that contradict each other.

    """

    def __init__(
        self,
        *sizes: float,
        size: int | None = None,
        min_size: int | None = None,
        max_size: float | None = None,
        initial_size: int | None = None,
        max_tasks_in_flight_per_actor: int | None = None,
        max_concurrent_calls_per_actor: int | None = None,
        enable_true_multi_threading: bool | None = None,
    ) -> None:
        if sizes:
            size, min_size, max_size = _from_positional(sizes, size, min_size, max_size)
        size = _at_least_one("size", size)
        min_size = _at_least_one("min_size", min_size)
        most = None if max_size == math.inf else _at_least_one("max_size", max_size)
        initial_size = _at_least_one("initial_size", initial_size)
        given = {"min_size": min_size, "max_size": most, "initial_size": initial_size}
        if size is not None and any(value is not None for value in given.values()):
            names = ", ".join(name for name, value in given.items() if value is not None)
            raise ValueError(f"size cannot be combined with other sizes; got also: {names}")
        self.min_size = size or min_size or 1
        self.max_size = size or most
        self.initial_size = size or initial_size
        self.max_tasks_in_flight_per_actor = _at_least_one(
            "max_tasks_in_flight_per_actor", max_tasks_in_flight_per_actor
        )
        self.max_concurrent_calls_per_actor = _at_least_one(
            "max_concurrent_calls_per_actor", max_concurrent_calls_per_actor
        )
        self.enable_true_multi_threading = enable_true_multi_threading
        self._check_order()

    def calls_at_once(self) -> int:
        """Return how many threads of one worker call the class."""
        if not self.enable_true_multi_threading:
            return 1
        return self.max_concurrent_calls_per_actor or 1

    def _check_order(self) -> None:
        if self.max_size is not None and self.min_size > self.max_size:
            raise ValueError(
                f"min_size must not exceed max_size; got: {self.min_size} > {self.max_size}"
            )
        if self.initial_size is None:
            return
        if self.initial_size < self.min_size or self.initial_size > (
            self.max_size or self.initial_size
        ):
            raise ValueError(
                "initial_size must lie between min_size and max_size; "
                f"got: {self.initial_size} for ({self.min_size}, {self.max_size})"
            )


class Pool(NamedTuple):
    """What the engine is told about a stage's workers, by the names of its options."""

    stateful: bool
    workers_min: int = 0  # As all sizes, 0: the engine decides, by the machine's processors.
    workers_max: int = 0
    workers_initial: int = 0
    in_flight_per_worker: int = _IN_FLIGHT
    threads: bool = False


def make_pool(
    function: object,
    *,
    compute: object,
    concurrency: Concurrency | None,
    in_flight: int | None,
    on_gpus: bool = False,
) -> Pool:
    """Return the workers that `compute` and `concurrency` ask for, by Ray's rules.

    `compute` wins over `concurrency`. A class takes an ActorPoolStrategy, a function a
    TaskPoolStrategy, both a ThreadPoolStrategy.

    Raises:
        ValueError: the strategy does not fit the function, or `concurrency` is malformed.
        NotImplementedError: several calls at once in each of several workers with GPUs.

    """
    strategy = _strategy(function, compute, concurrency)
    pool = Pool(isinstance(function, type), in_flight_per_worker=in_flight or _IN_FLIGHT)
    if not isinstance(strategy, ActorPoolStrategy):
        size = strategy.size or 0
        in_threads = isinstance(strategy, ThreadPoolStrategy)
        return pool._replace(workers_min=size, workers_max=size, threads=in_threads)
    if strategy.max_tasks_in_flight_per_actor is not None:
        pool = pool._replace(in_flight_per_worker=strategy.max_tasks_in_flight_per_actor)
    if strategy.calls_at_once() > 1:
        if on_gpus and strategy.min_size > 1:
            raise NotImplementedError(
                "Several calls at once run in one process only, and so on the GPUs of one worker: "
                "ask for size=1, or leave out enable_true_multi_threading; "
                f"got num_gpus and: {strategy}"
            )
        threads = strategy.min_size * strategy.calls_at_once()
        return pool._replace(workers_min=threads, workers_max=threads, threads=True)
    unsaid = strategy.min_size == 1 and strategy.max_size is strategy.initial_size is None
    return pool._replace(
        workers_min=0 if unsaid else strategy.min_size,
        workers_max=strategy.max_size or 0,
        workers_initial=strategy.initial_size or 0,
    )


def _strategy(
    function: object, compute: object, concurrency: Concurrency | None
) -> ActorPoolStrategy | TaskPoolStrategy | ThreadPoolStrategy:
    is_class = isinstance(function, type)
    if compute is not None:
        return _from_compute(function, compute, is_class=is_class)
    if concurrency is None:
        return ActorPoolStrategy() if is_class else TaskPoolStrategy()
    arguments.check_concurrency(function, concurrency)
    if isinstance(concurrency, tuple):
        low, high, *initial = concurrency
        return ActorPoolStrategy(
            min_size=low, max_size=high, initial_size=initial[0] if initial else None
        )
    if is_class:
        return ActorPoolStrategy(size=concurrency)
    return TaskPoolStrategy(size=concurrency)


def _from_compute(
    function: object, compute: object, *, is_class: bool
) -> ActorPoolStrategy | TaskPoolStrategy | ThreadPoolStrategy:
    if isinstance(compute, ThreadPoolStrategy):
        return compute
    if compute == "tasks":
        compute = TaskPoolStrategy()
    elif compute == "actors":
        compute = ActorPoolStrategy()
    name = name_of(function)
    if isinstance(compute, TaskPoolStrategy):
        if is_class:
            raise ValueError(
                "``compute`` must specify an actor compute strategy when a callable class is "
                f"given, such as ActorPoolStrategy(size=2); {name} came with: {compute}"
            )
        return compute
    if isinstance(compute, ActorPoolStrategy):
        if not is_class:
            raise ValueError(
                f"``compute`` is an actor compute strategy, but {name} is not a callable class; "
                f"pass a class, or leave ``compute`` out; got: {compute}"
            )
        return compute
    raise ValueError(
        "``compute`` must be an ActorPoolStrategy, a TaskPoolStrategy or a ThreadPoolStrategy; "
        f"got: {compute!r}"
    )


def _from_positional(
    sizes: tuple[float, ...], size: int | None, min_size: int | None, max_size: float | None
) -> tuple[Any, Any, Any]:
    if len(sizes) > 2 or (size, min_size, max_size) != (None, None, None):  # noqa: PLR2004
        raise TypeError(f"Pass (size), (min_size, max_size) or names; got positional: {sizes}")
    if len(sizes) == 1:
        return sizes[0], None, None
    return None, sizes[0], sizes[1]


def _at_least_one(name: str, value: float | None) -> int | None:
    return None if value is None else arguments.at_least_one(name, value)
