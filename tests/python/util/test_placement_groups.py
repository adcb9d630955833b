"""What placement groups hold back, and what runs in them."""

from __future__ import annotations

import os

import pytest
from turnstiles import let_through, pass_through

import penstock as ray
from penstock.exceptions import (
    ActorDiedError,
    DeadlockError,
    GetTimeoutError,
    TaskPlacementGroupRemoved,
    UnplaceableError,
)
from penstock.util import (
    get_current_placement_group,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from penstock.util.scheduling_strategies import PlacementGroupSchedulingStrategy

FOR_EVER_S = 60


@pytest.fixture(scope="module", autouse=True)
def runtime():
    ray.shutdown()
    ray.init(num_cpus=4, resources={"seat": 2})
    yield
    ray.shutdown()


@pytest.fixture
def made():
    """Make groups, which are removed at the end."""
    groups = []

    def make(bundles, **options):
        groups.append(placement_group(bundles, **options))
        return groups[-1]

    yield make
    for group in groups:
        remove_placement_group(group)


@pytest.fixture
def stop(make_turnstile):
    """Start tasks that run until they are let through."""
    gate, reached = make_turnstile(), make_turnstile()

    class Stop:
        def start(self, times=1, **options):
            tasks = [
                stop_at.options(**options).remote(gate.path, reached.path) for _ in range(times)
            ]
            for _ in tasks:
                pass_through(reached.path)
            return tasks

        def end(self, times=1):
            gate.let_through(times)

    return Stop()


def inside(group, bundle=-1, capture=None):
    return PlacementGroupSchedulingStrategy(group, bundle, capture)


def left():
    there = ray.available_resources()
    return there["CPU"], there["seat"]


@ray.remote(num_cpus=1)
def where():
    group = get_current_placement_group()
    return None if group is None else group.id


@ray.remote(num_cpus=1)
def stop_at(gate, reached):
    let_through(reached)
    pass_through(gate)


@ray.remote(num_cpus=1)
class Counter:
    def __init__(self):
        self.count = 0

    def increase(self):
        self.count += 1
        return self.count

    def process(self):
        return os.getpid()

    def group(self):
        return get_current_placement_group(), ray.get_runtime_context().get_placement_group_id()


def test_a_group_holds_back_what_its_bundles_ask_for(made):
    group = made([{"CPU": 1, "seat": 1}, {"CPU": 2}])
    assert ray.get(group.ready(), timeout=FOR_EVER_S) == group
    assert left() == (1, 1)
    remove_placement_group(group)
    assert left() == (4, 2)


def test_what_runs_in_a_group_draws_from_it_and_not_from_the_machine(made):
    group = made([{"CPU": 3}])
    counter = Counter.options(scheduling_strategy=inside(group, 0)).remote()
    assert ray.get(counter.increase.remote(), timeout=FOR_EVER_S) == 1
    assert left()[0] == 1
    task = where.options(scheduling_strategy=inside(group)).remote()
    assert ray.get(task, timeout=FOR_EVER_S) == group.id


def test_what_does_not_belong_to_a_group_stays_out(made):
    group = made([{"CPU": 4}])
    assert group.wait(FOR_EVER_S)
    outside = where.remote()
    assert ray.wait([outside], timeout=0.2) == ([], [outside])
    within = where.options(scheduling_strategy=inside(group)).remote()
    assert ray.get(within, timeout=FOR_EVER_S) == group.id
    remove_placement_group(group)
    assert ray.get(outside, timeout=FOR_EVER_S) is None


def test_a_group_waits_until_there_is_room(made, stop):
    running = stop.start(2)
    group = made([{"CPU": 3}])
    assert not group.wait(0.05)
    assert placement_group_table(group)["state"] == "PENDING"
    with pytest.raises(GetTimeoutError):
        ray.get(group.ready(), timeout=0.05)
    within = where.options(scheduling_strategy=inside(group)).remote()
    stop.end(2)
    ray.get(running, timeout=FOR_EVER_S)
    assert group.wait(FOR_EVER_S)
    assert placement_group_table(group)["state"] == "CREATED"
    assert ray.get(within, timeout=FOR_EVER_S) == group.id


def test_bundles_are_apart(made, stop):
    group = made([{"CPU": 1}, {"CPU": 1}])
    (first,) = stop.start(scheduling_strategy=inside(group, 0))
    second = where.options(scheduling_strategy=inside(group, 0)).remote()
    other = where.options(scheduling_strategy=inside(group, 1)).remote()
    assert ray.get(other, timeout=FOR_EVER_S) == group.id
    assert ray.wait([second], timeout=0.2) == ([], [second])
    stop.end()
    assert ray.get([first, second], timeout=FOR_EVER_S) == [None, group.id]


def test_what_fits_no_bundle_is_refused_with_what_is_there(made):
    group = made([{"CPU": 1}, {"CPU": 2}])
    for call, bundle in (
        (where.options(num_cpus=3), -1),
        (where.options(num_cpus=2), 0),
        (where.options(resources={"seat": 1}), 1),
        (Counter.options(num_cpus=2), 0),
    ):
        with pytest.raises(UnplaceableError, match=r"(where|Counter) asks for .* bundle"):
            call.options(scheduling_strategy=inside(group, bundle)).remote()


def test_a_removed_group_ends_what_is_in_it(made, stop):
    group = made([{"CPU": 2}])
    counter = Counter.options(max_restarts=-1, scheduling_strategy=inside(group)).remote()
    assert ray.get(counter.increase.remote(), timeout=FOR_EVER_S) == 1
    (running,) = stop.start(scheduling_strategy=inside(group))
    queued = where.options(scheduling_strategy=inside(group)).remote()
    remove_placement_group(group)
    for task in (running, queued):
        with pytest.raises(TaskPlacementGroupRemoved, match=r"(stop_at|where) has ended"):
            ray.get(task, timeout=FOR_EVER_S)
    with pytest.raises(ActorDiedError, match="placement group was removed"):
        ray.get(counter.increase.remote(), timeout=FOR_EVER_S)
    everything = where.options(num_cpus=4).remote()  # All is free again.
    assert ray.get(everything, timeout=FOR_EVER_S) is None


def test_nothing_begins_in_a_removed_group(made):
    group = made([{"CPU": 1}])
    remove_placement_group(group)
    with pytest.raises(TaskPlacementGroupRemoved):
        ray.get(where.options(scheduling_strategy=inside(group)).remote(), timeout=FOR_EVER_S)
    counter = Counter.options(scheduling_strategy=inside(group)).remote()
    with pytest.raises(ActorDiedError, match="placement group is removed"):
        ray.get(counter.increase.remote(), timeout=FOR_EVER_S)


def test_who_waits_for_a_group_that_is_removed_is_told_so(made):
    first, second = made([{"CPU": 4}]), made([{"CPU": 4}])
    ready = second.ready()
    remove_placement_group(second)
    with pytest.raises(TaskPlacementGroupRemoved):
        ray.get(ready, timeout=FOR_EVER_S)
    assert first.wait(FOR_EVER_S)


def test_a_group_of_an_earlier_run_is_none_of_this_one(made):
    group = made([{"CPU": 1}])
    stale = type(group)(type(group.id)("0" * 20 + group.id[20:]), group.bundle_specs)
    with pytest.raises(ValueError, match="earlier run"):
        where.options(scheduling_strategy=inside(stale)).remote()
    with pytest.raises(ValueError, match="removed"):
        stale.wait(0)
    remove_placement_group(stale)
    assert group.wait(FOR_EVER_S)


def test_tasks_of_a_group_start_others_in_it_where_that_is_asked_for(made):
    group = made([{"CPU": 2}])

    @ray.remote(num_cpus=1)
    def start(strategy):
        child = where if strategy is None else where.options(scheduling_strategy=strategy)
        return ray.get(child.remote()), ray.get(Counter.remote().group.remote())[1]

    for capture, expected in ((True, group.id), (False, None), (None, None)):
        task = start.options(scheduling_strategy=inside(group, 0, capture)).remote(None)
        assert ray.get(task, timeout=FOR_EVER_S) == (expected, expected)
    task = start.options(scheduling_strategy=inside(group, 0, True)).remote("DEFAULT")
    assert ray.get(task, timeout=FOR_EVER_S) == (None, group.id)


def test_a_task_of_another_group_hands_on_as_the_one_that_started_it(made):
    first, second = made([{"CPU": 1}]), made([{"CPU": 2}])

    @ray.remote(num_cpus=0)
    def start(deeper):
        if not deeper:
            return ray.get(where.remote())
        return ray.get(start.options(scheduling_strategy=inside(second)).remote(False))

    for capture, expected in ((True, second.id), (False, None)):
        task = start.options(scheduling_strategy=inside(first, 0, capture)).remote(True)
        assert ray.get(task, timeout=FOR_EVER_S) == expected


def test_a_group_may_be_named_by_options_of_its_own(made):
    group = made([{"CPU": 1}, {"CPU": 2}])
    task = where.options(placement_group=group, placement_group_bundle_index=1, num_cpus=2)
    assert ray.get(task.remote(), timeout=FOR_EVER_S) == group.id
    counter = Counter.options(placement_group=group).remote()
    assert ray.get(counter.group.remote(), timeout=FOR_EVER_S)[1] == group.id
    assert ray.get(where.options(placement_group="default").remote(), timeout=FOR_EVER_S) is None
    with pytest.raises(ValueError, match="from -1 to 1"):
        where.options(placement_group=group, placement_group_bundle_index=2)
    with pytest.raises(ValueError, match="not both"):
        where.options(placement_group=group, scheduling_strategy="SPREAD")
    for wrong in ({"placement_group": "other"}, {"placement_group_bundle_index": 0}):
        with pytest.raises(TypeError, match="must be a placement group"):
            where.options(**wrong)


def test_actors_of_a_group_know_it_and_hand_it_on(made):
    group = made([{"CPU": 2}])

    @ray.remote(num_cpus=0)
    class Starter:
        def start(self):
            return ray.get(where.remote())

    starter = Starter.options(scheduling_strategy=inside(group, -1, True)).remote()
    assert ray.get(starter.start.remote(), timeout=FOR_EVER_S) == group.id
    counter = Counter.options(scheduling_strategy=inside(group)).remote()
    found, name = ray.get(counter.group.remote(), timeout=FOR_EVER_S)
    assert (found, found.bundle_specs, name) == (group, [{"CPU": 2.0}], group.id)


def test_a_group_is_found_from_every_process(made):
    group = made([{"CPU": 1}], name="everywhere")

    @ray.remote
    def find():
        return get_placement_group("everywhere"), placement_group_table()

    found, table = ray.get(find.remote(), timeout=FOR_EVER_S)
    assert found == group
    assert table[group.id.hex()]["bundles"] == {0: {"CPU": 1.0}}


def test_a_group_that_waits_for_what_its_maker_holds_is_told_so():
    @ray.remote(resources={"seat": 1})
    def hold():
        group = placement_group([{"seat": 2}])
        try:
            ray.get(group.ready())
        finally:
            remove_placement_group(group)

    with pytest.raises(DeadlockError, match=r"a placement group, which waits for 2 .*'seat'"):
        ray.get(hold.remote(), timeout=FOR_EVER_S)
