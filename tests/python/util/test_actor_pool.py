"""A pool of actors: order, waiting, mixed use, errors, and actors that come and go."""

from __future__ import annotations

import os

import pytest
from turnstiles import pass_through

import penstock as ray
from penstock.exceptions import RayActorError
from penstock.util import ActorPool


@ray.remote
class Worker:
    def __init__(self, name):
        self.name = name

    def double(self, value):
        return 2 * value

    def who(self, _value):
        return self.name

    def held(self, gate, value):
        pass_through(gate)
        return value

    def refuse(self, value):
        raise KeyError(value)

    def pair(self, value):
        return value, -value

    def die(self):
        os._exit(1)


def double(actor, value):
    return actor.double.remote(value)


def held(actor, gate_and_value):
    return actor.held.remote(*gate_and_value)


def who(actor, value):
    return actor.who.remote(value)


def die(actor, _value):
    return actor.die.remote()


@pytest.fixture
def actors():
    made = [Worker.remote("first"), Worker.remote("second")]
    yield made
    for actor in made:
        ray.kill(actor)


def test_map_yields_results_in_the_order_of_the_values(actors):
    pool = ActorPool(actors)
    assert list(pool.map(double, range(10))) == [2 * value for value in range(10)]
    assert not pool.has_next()
    assert pool.has_free()


def test_map_reads_any_iterable_and_begins_at_once(actors):
    pool = ActorPool(iter(actors))
    results = pool.map(double, iter([1, 2, 3]))
    assert pool.has_next()
    assert not pool.has_free()
    assert list(results) == [2, 4, 6]


def test_map_unordered_yields_first_what_is_there_first(actors, make_turnstile):
    slow, open_gate = make_turnstile(), make_turnstile()
    open_gate.let_through()
    pool = ActorPool(actors)
    results = pool.map_unordered(held, [(slow.path, "slow"), (open_gate.path, "fast")])
    assert next(results) == "fast"
    slow.let_through()
    assert list(results) == ["slow"]


def test_each_actor_has_one_call_at_a_time(actors, make_turnstile):
    gate = make_turnstile()
    pool = ActorPool(actors)
    for value in range(3):
        pool.submit(held, (gate.path, value))
    assert not pool.has_free()
    gate.let_through(3)
    assert [pool.get_next() for _ in range(3)] == [0, 1, 2]
    assert pool.has_free()


def test_the_last_actor_of_the_list_is_taken_first(actors):
    pool = ActorPool(actors)
    pool.submit(who, None)
    pool.submit(who, None)
    assert [pool.get_next(), pool.get_next()] == ["second", "first"]


def test_without_calls_there_is_no_next(actors):
    pool = ActorPool(actors)
    assert not pool.has_next()
    with pytest.raises(StopIteration):
        pool.get_next()
    with pytest.raises(StopIteration):
        pool.get_next_unordered()


def test_a_result_that_is_late_can_be_asked_for_again(actors, make_turnstile):
    gate = make_turnstile()
    pool = ActorPool(actors)
    pool.submit(held, (gate.path, 7))
    with pytest.raises(TimeoutError):
        pool.get_next(timeout=0.01)
    with pytest.raises(TimeoutError):
        pool.get_next_unordered(timeout=0)
    assert pool.has_next()
    gate.let_through()
    assert pool.get_next(timeout=60) == 7


def test_a_late_result_can_be_left_out(actors, make_turnstile):
    gate = make_turnstile()
    pool = ActorPool(actors)
    pool.submit(held, (gate.path, 7))
    with pytest.raises(TimeoutError):
        pool.get_next(timeout=0.01, ignore_if_timedout=True)
    assert not pool.has_next()
    gate.let_through()
    assert sorted(pool.map(double, [1, 2, 3])) == [2, 4, 6]


def test_without_order_the_oldest_late_result_is_left_out(actors, make_turnstile):
    gate = make_turnstile()
    pool = ActorPool(actors)
    for value in (1, 2):
        pool.submit(held, (gate.path, value))
    with pytest.raises(TimeoutError):
        pool.get_next_unordered(timeout=0.01, ignore_if_timedout=True)
    gate.let_through(2)
    assert pool.get_next_unordered() == 2
    assert not pool.has_next()


def test_map_leaves_out_what_was_not_taken_before_but_runs_it(actors, tmp_path):
    def mark(actor, name):
        return actor.__ray_call__.remote(lambda _self: (tmp_path / name).touch())

    pool = ActorPool(actors)
    for name in ("one", "two", "three"):
        pool.submit(mark, name)
    assert list(pool.map(double, [1, 2])) == [2, 4]
    for name in ("four", "five", "six"):
        pool.submit(mark, name)
    assert sorted(pool.map_unordered(double, [3, 4])) == [6, 8]
    assert {path.name for path in tmp_path.iterdir()} == {
        "one", "two", "three", "four", "five", "six",
    }  # fmt: skip


def test_results_in_order_and_as_they_come_may_be_mixed(actors, make_turnstile):
    slow = make_turnstile()
    pool = ActorPool(actors)
    pool.submit(held, (slow.path, "slow"))
    for value in (1, 2, 3):
        pool.submit(double, value)
    assert pool.get_next_unordered() == 2  # The second call's; "slow" is passed over.
    assert pool.get_next() == 4
    assert pool.get_next() == 6
    with pytest.raises(ValueError, match="get_next_unordered"):
        pool.get_next()
    assert pool.has_next()
    slow.let_through()
    assert pool.get_next_unordered() == "slow"
    pool.submit(double, 5)
    assert pool.get_next() == 10


def test_an_error_in_a_call_leaves_the_pool_as_it_was(actors):
    def sometimes(actor, value):
        return actor.refuse.remote(value) if value == 1 else actor.double.remote(value)

    pool = ActorPool(actors)
    for value in range(4):
        pool.submit(sometimes, value)
    assert pool.get_next() == 0
    with pytest.raises(KeyError):
        pool.get_next()
    assert [pool.get_next(), pool.get_next()] == [4, 6]
    assert pool.pop_idle() is not None
    assert pool.pop_idle() is not None


def test_map_raises_an_error_when_its_turn_comes(actors):
    def sometimes(actor, value):
        return actor.refuse.remote(value) if value == 2 else actor.double.remote(value)

    results = ActorPool(actors).map(sometimes, range(4))
    assert [next(results), next(results)] == [0, 2]
    with pytest.raises(KeyError):
        next(results)


def test_a_function_that_raises_leaves_its_actor_in_the_pool(actors):
    def fail(_actor, _value):
        raise OSError("no call")

    pool = ActorPool(actors)
    with pytest.raises(OSError, match="no call"):
        pool.submit(fail, 1)
    pool.submit(double, 1)
    pool.submit(double, 2)
    pool.submit(fail, 3)  # Waits for an actor, and so fails in its turn.
    pool.submit(double, 4)
    assert [pool.get_next(), pool.get_next()] == [2, 4]
    with pytest.raises(OSError, match="no call"):
        pool.get_next()
    assert pool.get_next() == 8
    assert pool.has_free()


def test_what_is_no_reference_is_refused(actors):
    pool = ActorPool(actors)
    with pytest.raises(TypeError, match="got: int"):
        pool.submit(lambda _actor, value: value, 1)
    assert pool.has_free()
    assert not pool.has_next()


@pytest.mark.parametrize("verb", ["map", "map_unordered"])
def test_a_call_may_return_several_values(actors, verb):
    def pair(actor, value):
        return actor.pair.options(num_returns=2).remote(value)

    results = getattr(ActorPool(actors), verb)(pair, [1, 2, 3])
    assert sorted(results) == [[1, -1], [2, -2], [3, -3]]


def test_actors_leave_the_pool_and_come_back(actors):
    pool = ActorPool(actors)
    with pytest.raises(ValueError, match="already"):
        pool.push(actors[0])
    taken = [pool.pop_idle(), pool.pop_idle()]
    assert taken == [actors[1], actors[0]]
    assert pool.pop_idle() is None
    pool.submit(who, None)  # Waits for an actor.
    assert not pool.has_next()
    pool.push(taken[1])
    assert pool.has_next()
    with pytest.raises(ValueError, match="already"):
        pool.push(taken[1])
    assert pool.get_next() == "first"


def test_a_dead_actor_leaves_the_pool(actors):
    pool = ActorPool(actors)
    pool.submit(die, None)
    with pytest.raises(RayActorError):
        pool.get_next()
    assert list(pool.map(who, range(3))) == ["first"] * 3


def test_what_is_submitted_while_all_are_taken_out_waits_even_after_a_death(actors):
    pool = ActorPool(actors)
    pool.submit(die, None)
    with pytest.raises(RayActorError):
        pool.get_next()
    taken = pool.pop_idle()
    pool.submit(who, None)
    assert not pool.has_next()
    pool.push(taken)
    assert pool.get_next() == "first"


def test_an_actor_that_tells_of_another_s_death_stays(actors):
    gone = Worker.remote("gone")
    ray.kill(gone)

    def ask_the_dead(actor, _value):
        return actor.__ray_call__.remote(lambda _self: ray.get(gone.who.remote(None)))

    pool = ActorPool(actors)
    pool.submit(ask_the_dead, None)
    with pytest.raises(RayActorError):
        pool.get_next()
    assert pool.pop_idle() == actors[1]


def test_without_a_living_actor_calls_fail_instead_of_being_lost(actors):
    pool = ActorPool(actors[:1])
    for call in (die, who, who):
        pool.submit(call, None)
    for _ in range(3):
        with pytest.raises(RayActorError):
            pool.get_next()
    assert not pool.has_next()
    pool.submit(who, None)
    with pytest.raises(RayActorError):
        pool.get_next()
    pool.push(actors[1])
    pool.submit(who, None)
    assert pool.get_next() == "second"
