"""Tests of which checkpoints stay."""

from __future__ import annotations

import pytest

from penstock.train import CheckpointConfig
from penstock.train.retention import Kept, dropped, ranked, score_of


def kept(*losses: object) -> list[Kept]:
    return [Kept(f"c{i}", {} if loss is None else {"loss": loss}) for i, loss in enumerate(losses)]


def names(found: list[Kept]) -> list[str]:
    return [one.folder for one in found]


def test_all_stay_by_default():
    assert dropped(kept(1, 2, 3), CheckpointConfig()) == []


def test_the_latest_stay_where_nothing_scores():
    assert names(dropped(kept(1, 2, 3, 4), CheckpointConfig(num_to_keep=2))) == ["c0", "c1"]


@pytest.mark.parametrize(
    ("order", "going"),
    [("min", ["c0", "c2"]), ("max", ["c1", "c3"])],
)
def test_the_best_stay_and_the_latest_beside_them(order, going):
    config = CheckpointConfig(
        num_to_keep=2, checkpoint_score_attribute="loss", checkpoint_score_order=order
    )
    assert names(dropped(kept(5, 1, 4, 2, 3), config)) == going


def test_a_latest_that_is_among_the_best_takes_one_of_their_places():
    config = CheckpointConfig(
        num_to_keep=2, checkpoint_score_attribute="loss", checkpoint_score_order="min"
    )
    assert names(dropped(kept(1, 3, 0), config)) == ["c1"]


@pytest.mark.parametrize("order", ["max", "min"])
def test_what_has_no_score_is_worse_than_all_that_have(order):
    assert names(ranked(kept(1, None, float("nan"), "text"), "loss", order))[0] == "c0"


def test_of_equals_the_later_is_better():
    assert names(ranked(kept(1, 1), "loss", "max")) == ["c1", "c0"]


def test_a_score_may_lie_within_a_dict():
    assert score_of({"valid": {"loss": 2}}, "valid/loss") == 2
    assert score_of({"valid/loss": 3}, "valid/loss") == 3
    assert score_of({"valid": 2}, "valid/loss") is None
