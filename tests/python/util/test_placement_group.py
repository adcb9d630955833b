"""Placement groups: what they tell of themselves, and what is refused."""

from __future__ import annotations

import pytest

import penstock as ray
from penstock.exceptions import UnplaceableError
from penstock.util import (
    get_current_placement_group,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)


def processors():
    return ray.cluster_resources()["CPU"]


@pytest.fixture
def group():
    made = placement_group([{"CPU": 1}, {"CPU": 0.5}], strategy="SPREAD", name="the-group")
    yield made
    remove_placement_group(made)


def test_a_group_for_which_there_is_room_is_there_soon(group):
    assert ray.get(group.ready()) == group
    assert group.wait()
    assert group.bundle_specs == [{"CPU": 1.0}, {"CPU": 0.5}]
    assert group.bundle_count == 2
    assert not group.is_empty


def test_a_group_may_be_sent_to_tasks(group):
    @ray.remote(num_cpus=0)
    def look(sent):
        return sent.id.hex(), sent.bundle_specs, sent.wait()

    assert ray.get(look.remote(group)) == (group.id.hex(), group.bundle_specs, True)


def test_the_table_tells_of_groups(group):
    row = placement_group_table(group)
    assert row["placement_group_id"] == group.id.hex()
    assert row["name"] == "the-group"
    assert row["bundles"] == {0: {"CPU": 1.0}, 1: {"CPU": 0.5}}
    assert set(row["bundles_to_node_id"].values()) == {ray.nodes()[0]["NodeID"]}
    assert (row["strategy"], row["state"]) == ("SPREAD", "CREATED")
    assert placement_group_table()[group.id.hex()] == row


def test_a_group_is_found_by_its_name(group):
    assert get_placement_group("the-group").bundle_specs == group.bundle_specs
    with pytest.raises(ValueError, match="nobody"):
        get_placement_group("nobody")
    with pytest.raises(ValueError, match="empty"):
        get_placement_group("")


def test_a_name_is_given_once(group):
    with pytest.raises(ValueError, match="the-group"):
        placement_group([{"CPU": 1}], name="the-group")
    remove_placement_group(group)
    remove_placement_group(placement_group([{"CPU": 1}], name="the-group"))


def test_a_removed_group_is_gone(group):
    remove_placement_group(group)
    remove_placement_group(group)
    assert placement_group_table(group)["state"] == "REMOVED"
    for call in (group.wait, group.ready, lambda: get_placement_group("the-group")):
        with pytest.raises(ValueError, match=r"removed|no placement group"):
            call()


def test_what_can_never_fit_is_refused_with_what_is_there():
    there = processors()
    with pytest.raises(UnplaceableError, match=rf"{there + 1:g} .* CPU, .* has {there:g}"):
        placement_group([{"CPU": 1}, {"CPU": there}])
    with pytest.raises(UnplaceableError, match=r"1 of the resource unicorn, .* has 0"):
        placement_group([{"CPU": 1, "unicorn": 1}])


def test_bundles_on_machines_of_their_own_are_refused():
    with pytest.raises(UnplaceableError, match="2 machines"):
        placement_group([{"CPU": 0.5}] * 2, strategy="STRICT_SPREAD")
    remove_placement_group(placement_group([{"CPU": 0.5}], strategy="STRICT_SPREAD"))
    remove_placement_group(placement_group([{"CPU": 0.5}] * 2, strategy="STRICT_PACK"))


@pytest.mark.parametrize(
    "bundles",
    [
        None,
        "CPU",
        {"CPU": 1},
        [],
        [{}],
        [{"CPU": 0}],
        [{"CPU": 1}, {}],
        [[1]],
        [{3: 1}],
        [{"CPU": "one"}],
        [{"CPU": True}],
        [{"CPU": -1}],
        [{"CPU": float("nan")}],
    ],
)
def test_bundles_that_make_no_sense_are_refused(bundles):
    with pytest.raises(ValueError, match=r"[bB]undle"):
        placement_group(bundles)


def test_other_arguments_that_make_no_sense_are_refused(group):
    with pytest.raises(ValueError, match="known: PACK, SPREAD"):
        placement_group([{"CPU": 1}], strategy="HEAP")
    with pytest.raises(ValueError, match="lifetime"):
        placement_group([{"CPU": 1}], lifetime="short")
    with pytest.raises(ValueError, match="negative"):
        group.wait(-1)


def test_the_table_does_not_grow_for_ever(group):
    for _ in range(1100):
        remove_placement_group(placement_group([{"CPU": 0.5}]))
    table = placement_group_table()
    assert len(table) == 1001
    assert group.id.hex() in table


def test_groups_end_with_the_runtime(group):
    ray.shutdown()
    assert placement_group_table() == {}
    with pytest.raises(ValueError, match="the-group"):
        get_placement_group("the-group")
    again = placement_group([{"CPU": 1}], name="the-group")
    assert list(placement_group_table()) == [again.id.hex()]
    remove_placement_group(again)


def test_outside_of_groups_there_is_no_current_one():
    assert get_current_placement_group() is None
