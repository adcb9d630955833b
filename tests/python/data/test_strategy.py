from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.data.strategy import (
    ActorPoolStrategy,
    TaskPoolStrategy,
    ThreadPoolStrategy,
    make_pool,
)


class Model:
    def __call__(self, batch):
        return batch


def double(batch):
    return batch


def pool(function, *, compute=None, concurrency=None, in_flight=None, on_gpus=False):
    return make_pool(
        function, compute=compute, concurrency=concurrency, in_flight=in_flight, on_gpus=on_gpus
    )


def sizes(made):
    return made.workers_min, made.workers_max, made.workers_initial


def test_by_default_the_engine_decides_how_many_workers_there_are():
    assert pool(double) == (False, 0, 0, 0, 2, False)
    assert pool(Model) == (True, 0, 0, 0, 2, False)


def test_concurrency_is_the_number_of_workers():
    assert sizes(pool(double, concurrency=3)) == (3, 3, 0)
    assert sizes(pool(Model, concurrency=3)) == (3, 3, 3)


def test_numbers_of_numpy_are_numbers():
    two, three = np.int64(2), np.uint8(3)
    assert sizes(pool(double, concurrency=two)) == (2, 2, 0)
    assert sizes(pool(Model, concurrency=(two, three))) == (2, 3, 0)
    assert sizes(pool(Model, compute=ActorPoolStrategy(min_size=two, max_size=three))) == (2, 3, 0)
    assert type(pool(Model, concurrency=two).workers_max) is int


@pytest.mark.parametrize(
    ("concurrency", "wanted"), [((1, 3), (1, 3, 0)), ((8, 64), (8, 64, 0)), ((1, 64, 16),) * 2]
)
def test_a_range_of_concurrency_is_the_least_the_most_and_the_first(concurrency, wanted):
    assert sizes(pool(Model, concurrency=concurrency)) == wanted


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (ActorPoolStrategy(size=2), (2, 2, 2)),
        (ActorPoolStrategy(2), (2, 2, 2)),
        (ActorPoolStrategy(1, 3), (1, 3, 0)),
        (ActorPoolStrategy(min_size=6), (6, 0, 0)),
        (ActorPoolStrategy(min_size=6, initial_size=8), (6, 0, 8)),
        (ActorPoolStrategy(initial_size=6), (1, 0, 6)),
        (ActorPoolStrategy(max_size=6), (1, 6, 0)),
        (ActorPoolStrategy(max_size=math.inf), (0, 0, 0)),
        (ActorPoolStrategy(3, math.inf), (3, 0, 0)),
        (ActorPoolStrategy(min_size=1, max_size=3, initial_size=2), (1, 3, 2)),
    ],
)
def test_actor_pools_have_all_of_rays_spellings(strategy, wanted):
    assert sizes(pool(Model, compute=strategy)) == wanted


@pytest.mark.parametrize("function", [double, Model])
def test_threads_take_functions_and_classes(function):
    made = pool(function, compute=ThreadPoolStrategy(size=4))
    assert (made.threads, *sizes(made)) == (True, 4, 4, 0)
    assert made.stateful is isinstance(function, type)
    assert pool(function, compute=ThreadPoolStrategy()).threads is True


def test_several_calls_at_once_in_one_worker_are_threads():
    several = {"max_concurrent_calls_per_actor": 3, "enable_true_multi_threading": True}
    made = pool(Model, compute=ActorPoolStrategy(size=1, **several))
    assert (made.threads, *sizes(made)) == (True, 3, 3, 0)
    for strategy in (ActorPoolStrategy(**several), ActorPoolStrategy(max_size=4, **several)):
        assert pool(Model, compute=strategy, on_gpus=True) == made


def test_several_calls_at_once_in_several_workers_are_as_many_threads_of_one_process():
    several = {"max_concurrent_calls_per_actor": 3, "enable_true_multi_threading": True}
    strategy = ActorPoolStrategy(size=2, **several)
    made = pool(Model, compute=strategy)
    assert (made.threads, *sizes(made)) == (True, 6, 6, 0)
    with pytest.raises(NotImplementedError, match=r"ask for size=1, or leave out.*num_gpus.*=2"):
        pool(Model, compute=strategy, on_gpus=True)


def test_calls_that_take_turns_are_calls_one_at_a_time():
    made = pool(Model, compute=ActorPoolStrategy(size=2, max_concurrent_calls_per_actor=3))
    assert (made.threads, *sizes(made)) == (False, 2, 2, 2)


def test_the_older_strings_are_tolerated():
    assert pool(double, compute="tasks").stateful is False
    assert pool(Model, compute="actors").stateful is True


def test_compute_wins_over_concurrency():
    assert pool(Model, compute=ActorPoolStrategy(size=2), concurrency=5).workers_max == 2


def test_batches_in_flight_come_from_the_strategy_then_the_context():
    strategy = ActorPoolStrategy(size=2, max_tasks_in_flight_per_actor=7)
    assert pool(Model, compute=strategy, in_flight=3).in_flight_per_worker == 7
    assert pool(Model, concurrency=2, in_flight=3).in_flight_per_worker == 3


def test_a_class_does_not_take_a_task_pool():
    with pytest.raises(ValueError, match=r"must specify an actor compute strategy.*Model"):
        pool(Model, compute=TaskPoolStrategy())


def test_a_function_does_not_take_an_actor_pool():
    with pytest.raises(ValueError, match="double is not a callable class"):
        pool(double, compute=ActorPoolStrategy(size=2))


def test_any_other_strategy_is_a_value_error():
    with pytest.raises(ValueError, match=r"must be an ActorPoolStrategy, a Task.* or a Thread"):
        pool(double, compute=object())


@pytest.mark.parametrize(
    "given",
    [
        {"size": 0},
        {"min_size": 0},
        {"size": 1, "min_size": 1},
        {"min_size": 3, "max_size": 2},
        {"min_size": 2, "max_size": 4, "initial_size": 1},
        {"min_size": 2, "max_size": 4, "initial_size": 5},
        {"max_tasks_in_flight_per_actor": 0},
        {"max_concurrent_calls_per_actor": 0},
    ],
)
def test_sizes_that_contradict_each_other_are_value_errors(given):
    with pytest.raises(ValueError, match="got"):
        ActorPoolStrategy(**given)


def test_positional_and_named_sizes_do_not_mix():
    with pytest.raises(TypeError, match="positional"):
        ActorPoolStrategy(2, size=2)


def test_strategies_are_equal_by_value_and_show_it():
    assert ActorPoolStrategy(size=2) == ActorPoolStrategy(2)
    assert TaskPoolStrategy(2) != TaskPoolStrategy(3)
    assert repr(TaskPoolStrategy(2)) == "TaskPoolStrategy(size=2)"


@pytest.mark.parametrize("strategy", [TaskPoolStrategy, ThreadPoolStrategy, ActorPoolStrategy])
@pytest.mark.parametrize("size", ["2", 2.5, True])
def test_a_size_that_is_no_whole_number_is_a_type_error_at_once(strategy, size):
    with pytest.raises(TypeError, match=f"size must be a whole number; got: {size!r}"):
        strategy(size=size)
