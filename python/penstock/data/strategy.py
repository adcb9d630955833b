"""How many workers run a function: `ActorPoolStrategy`, `TaskPoolStrategy`, `concurrency=`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock.data import arguments

if TYPE_CHECKING:
    from penstock.data.arguments import Concurrency

_IN_FLIGHT = 2


class ComputeStrategy:
    """What the two strategies have in common."""

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
        _check_at_least_one("size", size)
        self.size = size


class ActorPoolStrategy(ComputeStrategy):
    """Runs a class: each worker builds it once.

    `size` workers, or between `min_size` and `max_size`. Pools do not grow or shrink yet: they
    start with `initial_size` workers, or else with `max_size` of them, held to the number of
    processors but never below `min_size`.
    `max_tasks_in_flight_per_actor` is the number of batches on their way to one worker (2).

    Positional arguments are those of older Ray versions: `(size)` or `(min_size, max_size)`.

    Raises:
        ValueError: `size` together with another size, or sizes that contradict each other.
        NotImplementedError: several calls at once in one worker.

    """

    def __init__(
        self,
        *sizes: int,
        size: int | None = None,
        min_size: int | None = None,
        max_size: int | None = None,
        initial_size: int | None = None,
        max_tasks_in_flight_per_actor: int | None = None,
        max_concurrent_calls_per_actor: int | None = None,
        enable_true_multi_threading: bool | None = None,
    ) -> None:
        if sizes:
            size, min_size, max_size = _from_positional(sizes, size, min_size, max_size)
        given = {"min_size": min_size, "max_size": max_size, "initial_size": initial_size}
        for name, value in {"size": size, **given}.items():
            _check_at_least_one(name, value)
        _check_at_least_one("max_tasks_in_flight_per_actor", max_tasks_in_flight_per_actor)
        if size is not None and any(value is not None for value in given.values()):
            names = ", ".join(name for name, value in given.items() if value is not None)
            raise ValueError(f"size cannot be combined with other sizes; got also: {names}")
        if enable_true_multi_threading or (max_concurrent_calls_per_actor or 1) > 1:
            raise NotImplementedError(
                "Several calls at once in one worker are not supported: "
                "max_concurrent_calls_per_actor, enable_true_multi_threading"
            )
        self.min_size = size or min_size or 1
        self.max_size = size or max_size
        self.initial_size = size or initial_size
        self.max_tasks_in_flight_per_actor = max_tasks_in_flight_per_actor
        self._check_order()

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
    """What the engine is told about a stage's workers; 0 workers: as many as processors."""

    stateful: bool
    workers: int
    in_flight: int


def make_pool(
    function: object,
    *,
    compute: object,
    concurrency: Concurrency | None,
    in_flight: int | None,
    processors: int,
) -> Pool:
    """Return the workers that `compute` and `concurrency` ask for, by Ray's rules.

    `compute` wins over `concurrency`. A class takes an ActorPoolStrategy, a function a
    TaskPoolStrategy.

    Raises:
        ValueError: the strategy does not fit the function, or `concurrency` is malformed.

    """
    strategy = _strategy(function, compute, concurrency)
    if isinstance(strategy, TaskPoolStrategy):
        return Pool(stateful=False, workers=strategy.size or 0, in_flight=in_flight or _IN_FLIGHT)
    return Pool(
        stateful=True,
        workers=_starting_size(strategy, processors),
        in_flight=strategy.max_tasks_in_flight_per_actor or in_flight or _IN_FLIGHT,
    )


def _strategy(
    function: object, compute: object, concurrency: Concurrency | None
) -> ActorPoolStrategy | TaskPoolStrategy:
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
) -> ActorPoolStrategy | TaskPoolStrategy:
    if compute == "tasks":
        compute = TaskPoolStrategy()
    elif compute == "actors":
        compute = ActorPoolStrategy()
    name = arguments.function_name(function)
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
        f"``compute`` must be an ActorPoolStrategy or a TaskPoolStrategy; got: {compute!r}"
    )


def _starting_size(strategy: ActorPoolStrategy, processors: int) -> int:
    if strategy.initial_size is not None:
        return strategy.initial_size
    if strategy.max_size is None and strategy.min_size == 1:
        return 0
    return max(strategy.min_size, min(strategy.max_size or processors, processors))


def _from_positional(
    sizes: tuple[int, ...], size: int | None, min_size: int | None, max_size: int | None
) -> tuple[int | None, int | None, int | None]:
    if len(sizes) > 2 or (size, min_size, max_size) != (None, None, None):  # noqa: PLR2004
        raise TypeError(f"Pass (size), (min_size, max_size) or names; got positional: {sizes}")
    if len(sizes) == 1:
        return sizes[0], None, None
    return None, sizes[0], sizes[1]


def _check_at_least_one(name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{name} must be at least 1; got: {value}")
