"""Scheduling strategies are taken where they make sense."""

from __future__ import annotations

import pytest

import penstock as ray
from penstock.util import placement_group, remove_placement_group
from penstock.util.scheduling_strategies import (
    DoesNotExist,
    Exists,
    In,
    NodeAffinitySchedulingStrategy,
    NodeLabelSchedulingStrategy,
    NotIn,
    PlacementGroupSchedulingStrategy,
)

NODE = "0123456789abcdef" * 3 + "01234567"


@ray.remote
def double(value):
    return 2 * value


def test_tasks_run_where_a_strategy_says():
    here = ray.nodes()[0]["NodeID"]
    for strategy in (
        "DEFAULT",
        "SPREAD",
        NodeAffinitySchedulingStrategy(here, soft=False),
        NodeAffinitySchedulingStrategy(NODE, soft=True),
        PlacementGroupSchedulingStrategy(None),
    ):
        assert ray.get(double.options(scheduling_strategy=strategy).remote(2)) == 4


def test_a_bundle_must_be_one_of_the_group_s():
    group = placement_group([{"CPU": 0.5}, {"CPU": 0.5}])
    try:
        for index in (-1, 0, 1):
            strategy = PlacementGroupSchedulingStrategy(group, index)
            assert strategy.placement_group_bundle_index == index
        for index in (-2, 2):
            with pytest.raises(ValueError, match=r"from -1 to 1, .* got: "):
                PlacementGroupSchedulingStrategy(group, index)
    finally:
        remove_placement_group(group)


@pytest.mark.parametrize("node", ["", "abc", "g" * 56, NODE + "0", 3])
def test_a_machine_s_name_must_be_one(node):
    with pytest.raises(ValueError, match="node_id"):
        NodeAffinitySchedulingStrategy(node, soft=True)


def test_what_happens_without_the_machine_must_be_clear():
    assert NodeAffinitySchedulingStrategy(NODE, soft=False).soft is False
    with pytest.raises(ValueError, match="_spill_on_unavailable"):
        NodeAffinitySchedulingStrategy(NODE, soft=False, _spill_on_unavailable=True)
    with pytest.raises(ValueError, match="_fail_on_unavailable"):
        NodeAffinitySchedulingStrategy(NODE, soft=True, _fail_on_unavailable=True)


def test_labels_are_asked_for_with_operators():
    hard = {"region": In("here", "there"), "kind": NotIn("old")}
    soft = {"disk": Exists(), "noise": DoesNotExist()}
    strategy = NodeLabelSchedulingStrategy(hard, soft=soft)
    assert strategy.hard == hard
    assert strategy.soft == soft
    assert hard["region"].values == ["here", "there"]


def test_labels_that_make_no_sense_are_refused():
    for arguments in ({"hard": None}, {"hard": {}, "soft": {}}):
        with pytest.raises(ValueError, match=r"hard.* soft"):
            NodeLabelSchedulingStrategy(**arguments)
    with pytest.raises(ValueError, match=r"hard .* In"):
        NodeLabelSchedulingStrategy({"region": "here"})
    for kind in (In, NotIn):
        with pytest.raises(ValueError, match=kind.__name__):
            kind()
        with pytest.raises(ValueError, match=kind.__name__):
            kind(3)
