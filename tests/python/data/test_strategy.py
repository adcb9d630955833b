from __future__ import annotations

import pytest

from penstock.data.strategy import ActorPoolStrategy, TaskPoolStrategy, make_pool


class Model:
    def __call__(self, batch):
        return batch


def double(batch):
    return batch


def pool(function, *, compute=None, concurrency=None, in_flight=None, processors=4):
    return make_pool(
        function,
        compute=compute,
        concurrency=concurrency,
        in_flight=in_flight,
        processors=processors,
    )


def test_by_default_there_are_as_many_workers_as_processors():
    assert pool(double) == (False, 0, 2)
    assert pool(Model) == (True, 0, 2)


def test_concurrency_is_the_number_of_workers():
    assert pool(double, concurrency=3) == (False, 3, 2)
    assert pool(Model, concurrency=3) == (True, 3, 2)


@pytest.mark.parametrize(
    ("concurrency", "workers"), [((1, 3), 3), ((1, 64), 4), ((8, 64), 8), ((1, 64, 16), 16)]
)
def test_a_range_starts_at_its_initial_size_or_its_top_within_the_processors(concurrency, workers):
    assert pool(Model, concurrency=concurrency).workers == workers


@pytest.mark.parametrize(
    ("strategy", "workers"),
    [
        (ActorPoolStrategy(size=2), 2),
        (ActorPoolStrategy(2), 2),
        (ActorPoolStrategy(1, 3), 3),
        (ActorPoolStrategy(min_size=6), 6),
        (ActorPoolStrategy(min_size=1, max_size=3, initial_size=2), 2),
    ],
)
def test_actor_pools_have_all_of_rays_spellings(strategy, workers):
    assert pool(Model, compute=strategy).workers == workers


def test_the_older_strings_are_tolerated():
    assert pool(double, compute="tasks").stateful is False
    assert pool(Model, compute="actors").stateful is True


def test_compute_wins_over_concurrency():
    assert pool(Model, compute=ActorPoolStrategy(size=2), concurrency=5).workers == 2


def test_batches_in_flight_come_from_the_strategy_then_the_context():
    strategy = ActorPoolStrategy(size=2, max_tasks_in_flight_per_actor=7)
    assert pool(Model, compute=strategy, in_flight=3).in_flight == 7
    assert pool(Model, concurrency=2, in_flight=3).in_flight == 3


def test_a_class_does_not_take_a_task_pool():
    with pytest.raises(ValueError, match=r"must specify an actor compute strategy.*Model"):
        pool(Model, compute=TaskPoolStrategy())


def test_a_function_does_not_take_an_actor_pool():
    with pytest.raises(ValueError, match="double is not a callable class"):
        pool(double, compute=ActorPoolStrategy(size=2))


def test_any_other_strategy_is_a_value_error():
    with pytest.raises(ValueError, match="must be an ActorPoolStrategy or a TaskPoolStrategy"):
        pool(double, compute=object())


@pytest.mark.parametrize(
    "sizes",
    [
        {"size": 0},
        {"min_size": 0},
        {"size": 1, "min_size": 1},
        {"min_size": 3, "max_size": 2},
        {"min_size": 2, "max_size": 4, "initial_size": 1},
        {"min_size": 2, "max_size": 4, "initial_size": 5},
        {"max_tasks_in_flight_per_actor": 0},
    ],
)
def test_sizes_that_contradict_each_other_are_value_errors(sizes):
    with pytest.raises(ValueError, match="got"):
        ActorPoolStrategy(**sizes)


def test_positional_and_named_sizes_do_not_mix():
    with pytest.raises(TypeError, match="positional"):
        ActorPoolStrategy(2, size=2)


def test_several_calls_at_once_are_not_supported():
    with pytest.raises(NotImplementedError, match="max_concurrent_calls_per_actor"):
        ActorPoolStrategy(size=1, max_concurrent_calls_per_actor=2)


def test_strategies_are_equal_by_value_and_show_it():
    assert ActorPoolStrategy(size=2) == ActorPoolStrategy(2)
    assert TaskPoolStrategy(2) != TaskPoolStrategy(3)
    assert repr(TaskPoolStrategy(2)) == "TaskPoolStrategy(size=2)"
