"""Batches on their way to a device that a stand-in plays."""

from __future__ import annotations

import threading

import engine as host
import numpy as np
import pytest
from engine import Step, pack, setup_of

from penstock import _worker
from penstock.worker import staging
from penstock.worker.functions import Stage

OutOfMemoryError = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch"})


def batch_of(*values):
    return _worker.Batch.from_bytes(pack({"x": np.array(values)}))


class PlayedDevice:
    """Notes what is asked of it; fails for batches whose first value is in `failing`."""

    def __init__(self, failing=()):
        self.log = []
        self.failing = dict(failing)
        self.staged = {value: threading.Event() for value in range(10)}

    def stage(self, columns):
        value = int(columns["x"][0])
        self.log.append(("stage", value, threading.current_thread().name))
        if value in self.failing:
            raise self.failing.pop(value)
        self.staged[value].set()
        return columns

    def take(self, columns):
        self.log.append(("take", int(columns["x"][0])))
        return columns

    def operations(self):
        return [entry[:2] for entry in self.log]


def reader_of(device):
    return staging.StagedReader(device, lambda batch: batch.to_numpy())


def test_what_was_begun_is_copied_once_and_taken_in_its_turn():
    device = PlayedDevice()
    read = reader_of(device)
    first, second = batch_of(1, 1), batch_of(2, 2)
    for batch in (first, second, second):
        read.ahead(batch)
    assert read(first)["x"].tolist() == [1, 1]
    device.staged[2].wait()
    assert read(second)["x"].tolist() == [2, 2]
    assert sorted(device.operations()) == [("stage", 1), ("stage", 2), ("take", 1), ("take", 2)]
    assert device.operations().index(("stage", 1)) < device.operations().index(("stage", 2))


def test_copies_are_made_by_a_thread_of_their_own():
    device = PlayedDevice()
    read = reader_of(device)
    read(batch_of(1))
    assert device.log[0][2].startswith("penstock-staging")


def test_rows_that_nobody_announced_are_copied_and_what_was_staged_is_let_go():
    device = PlayedDevice()
    read = reader_of(device)
    running, following = batch_of(1, 3), batch_of(2)
    read.ahead(following)
    device.staged[2].wait()
    assert read(running.slice(1, 1))["x"].tolist() == [3]
    read(following)
    assert device.operations().count(("stage", 2)) == 2


def test_a_copy_that_found_no_room_is_made_again_in_its_turn():
    device = PlayedDevice(failing={1: OutOfMemoryError("CUDA out of memory")})
    read = reader_of(device)
    batch = batch_of(1)
    read.ahead(batch)
    assert read(batch)["x"].tolist() == [1]
    assert device.operations() == [("stage", 1), ("stage", 1), ("take", 1)]


def test_another_error_of_a_copy_comes_in_its_turn():
    device = PlayedDevice(failing={2: RuntimeError("CUDA error: device-side assert triggered")})
    read = reader_of(device)
    first, second = batch_of(1), batch_of(2)
    read.ahead(first)
    read.ahead(second)
    read(first)
    with pytest.raises(RuntimeError, match="device-side assert"):
        read(second)


class PlayedChannel:
    """Batches that have arrived behind the running one."""

    def __init__(self, *batches):
        self.batches = list(batches)

    def poll(self):
        return True

    @property
    def arrived(self):
        return len(self.batches)

    def peek(self, place):
        return self.batches[place]


@pytest.fixture
def device(monkeypatch):
    """What a stage that asks for a GPU is built with."""
    torch_batches = pytest.importorskip("penstock.worker.torch_batches")
    played = PlayedDevice()
    monkeypatch.setattr(torch_batches, "Gpu", lambda: played)
    return played


def stage_of(function):
    stage = Stage()
    options = {"batch_format": "torch", "device": "cuda"}
    stage.build(setup_of(Step(function, options=options)))
    return stage


def test_the_next_batch_is_copied_while_the_function_runs(device):
    first, second, third = batch_of(1), batch_of(2), batch_of(3)

    def waits(batch):
        following = int(batch["x"][0]) + 1
        if following < 4:
            assert device.staged[following].wait(host._PATIENCE_S)
        return batch

    stage = stage_of(lambda batch: batch)
    (step,) = stage._steps
    step._function = step._function._replace(call=waits)
    for batch, channel in (
        (first, PlayedChannel(second, third)),
        (second, PlayedChannel(third)),
        (third, PlayedChannel()),
    ):
        stage.look_ahead(channel, batch)
        stage.run(batch)
    stages = [entry for entry in device.operations() if entry[0] == "stage"]
    assert stages == [("stage", 1), ("stage", 2), ("stage", 3)]


def test_a_batch_that_is_known_to_be_too_large_is_not_copied_ahead(device):
    def holds_one(batch):
        if len(batch["x"]) > 1:
            kind = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch"})
            raise kind("CUDA out of memory")
        return batch

    stage = stage_of(holds_one)
    first, second = batch_of(1, 5), batch_of(2, 6)
    stage.look_ahead(PlayedChannel(), first)
    assert [output.rows for output in stage.run(first)] == [1, 1]
    device.log.clear()
    stage.look_ahead(PlayedChannel(), second)
    assert [output.rows for output in stage.run(second)] == [1, 1]
    assert device.operations() == [("stage", 2), ("take", 2), ("stage", 6), ("take", 6)]


def test_without_a_gpu_nothing_is_copied_ahead():
    pytest.importorskip("torch")
    stage = Stage()
    stage.build(setup_of(Step(lambda batch: batch, options={"batch_format": "torch"})))
    channel = PlayedChannel(batch_of(2))
    stage.look_ahead(channel, batch_of(1))
    assert not stage._steps[0].is_staged


def test_a_gpu_that_torch_does_not_see_is_an_error_that_says_so():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("torch sees a GPU here")
    with pytest.raises(RuntimeError, match="num_gpus asks for a GPU, but torch sees none"):
        stage_of(lambda batch: batch)


FORMS = {
    "bool": np.array([True, False]),
    "int8": np.arange(2, dtype=np.int8),
    "uint64": np.arange(2, dtype=np.uint64),
    "half": np.arange(2, dtype=np.float16),
    "double": np.arange(2.0),
    "tensor": np.ones((2, 3), np.float32),
    "text": ["a", None],
    "bytes": [b"a", b""],
    "time": np.array(["2026-01-01", "2026-01-02"], "M8[us]"),
    "nested": [{"a": 1}, {"a": 2}],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_is_left_alone_where_all_its_columns_are_copied_to_the_device(form):
    batch = _worker.Batch.from_bytes(pack({"x": FORMS[form]}))
    assert staging.StagedReader.leaves_batch(batch) == (form not in ("time", "nested"))
