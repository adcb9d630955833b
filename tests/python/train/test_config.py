"""Tests of the settings of a training, and of what they refuse."""

from __future__ import annotations

import re

import pytest

from penstock.exceptions import UnplaceableError
from penstock.train import (
    CheckpointConfig,
    DataConfig,
    FailureConfig,
    RunConfig,
    ScalingConfig,
)
from penstock.train.placement import workers_that_fit


def test_each_worker_takes_one_cpu_unless_told_otherwise():
    assert ScalingConfig(num_workers=2).worker_resources == {"CPU": 1}
    assert ScalingConfig(use_gpu=True).worker_resources == {"CPU": 1, "GPU": 1}
    own = ScalingConfig(num_workers=3, resources_per_worker={"CPU": 0, "disk": 2})
    assert own.worker_resources == {"disk": 2}
    assert own.total_resources == {"disk": 6}


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"num_workers": 0}, ValueError, "num_workers must be at least 1; got: 0"),
        ({"num_workers": 1.5}, ValueError, "num_workers must be a whole number"),
        ({"num_workers": True}, ValueError, "num_workers must be a whole number"),
        ({"num_workers": (3, 2)}, ValueError, "must not fall"),
        ({"num_workers": (1, 2, 3)}, ValueError, "num_workers must be a whole number"),
        ({"use_gpu": "yes"}, TypeError, "use_gpu must be True or False; got: 'yes'"),
        ({"resources_per_worker": 2}, TypeError, "resources_per_worker must be a dict"),
        ({"resources_per_worker": {"CPU": "1"}}, TypeError, "resources_per_worker['CPU']"),
        ({"resources_per_worker": {"CPU": -1}}, ValueError, "must not be negative; got: -1"),
        ({"resources_per_worker": {"GPU": 1}}, ValueError, "set use_gpu=True"),
        ({"use_gpu": True, "resources_per_worker": {"GPU": 0}}, ValueError, "GPU: 0"),
        ({"placement_strategy": "NEAR"}, ValueError, "placement_strategy must be one of"),
    ],
)
def test_a_size_that_cannot_be_is_refused(options, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        ScalingConfig(**options)


def test_as_many_workers_as_fit_are_taken_of_a_range():
    scaling = ScalingConfig(num_workers=(1, 8), resources_per_worker={"CPU": 0.5})
    assert workers_that_fit(scaling, {"CPU": 2.0}) == 4
    assert workers_that_fit(ScalingConfig(num_workers=2), {"CPU": 2.0}) == 2


def test_three_tenths_fit_into_what_is_nearly_so():
    scaling = ScalingConfig(num_workers=3, resources_per_worker={"disk": 0.1})
    assert workers_that_fit(scaling, {"CPU": 3.0, "disk": 0.3}) == 3


@pytest.mark.parametrize(
    ("scaling", "message"),
    [
        (ScalingConfig(num_workers=3), "num_workers=3 with 1 CPU each is 3 CPU, and there is 2"),
        (ScalingConfig(use_gpu=True), "num_workers=1 with 1 GPU each is 1 GPU, and there is 0"),
        (ScalingConfig(resources_per_worker={"disk": 1}), "1 disk, and there is 0"),
        (ScalingConfig(resources_per_worker={"memory": 2e9}), "memory, and there is 1e+09"),
        (ScalingConfig(num_workers=(3, 5)), "num_workers=3 with"),
    ],
)
def test_what_can_never_fit_is_refused_by_name(scaling, message):
    with pytest.raises(UnplaceableError, match=re.escape(message)):
        workers_that_fit(scaling, {"CPU": 2.0, "memory": 1e9})


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: CheckpointConfig(num_to_keep=0), ValueError, "num_to_keep must be at least 1"),
        (lambda: CheckpointConfig(num_to_keep="1"), TypeError, "num_to_keep must be a whole"),
        (lambda: CheckpointConfig(checkpoint_score_order="up"), ValueError, "'max' or 'min'"),
        (lambda: CheckpointConfig(checkpoint_frequency=-1), ValueError, "must not be negative"),
        (lambda: FailureConfig(max_failures=-2), ValueError, "at least -1; got: -2"),
        (lambda: FailureConfig(max_failures=0.5), TypeError, "max_failures must be a whole"),
        (lambda: RunConfig(name="a/b"), ValueError, "must be the name of a folder; got: 'a/b'"),
        (lambda: RunConfig(name=".."), ValueError, "must be the name of a folder"),
        (lambda: RunConfig(stop={"epoch": 1}), NotImplementedError, "this option: stop"),
        (lambda: RunConfig(callbacks=[object()]), NotImplementedError, "this option: callbacks"),
        (lambda: RunConfig(checkpoint_config={}), None, ""),
        (lambda: RunConfig(failure_config={"max_failures": 1}), TypeError, "a FailureConfig"),
        (lambda: DataConfig("train"), TypeError, "'all' or a list"),
        (lambda: DataConfig(3), TypeError, "'all' or a list"),
        (lambda: DataConfig(["test"]).check({"train": None}), ValueError, "got: test"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, kind, message):
    if kind is None:
        make()  # Empty stands for the default, as None does.
        return
    with pytest.raises(kind, match=re.escape(message)):
        make()
