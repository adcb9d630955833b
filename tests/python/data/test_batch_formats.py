"""`batch_format="torch"` and `"arrow_c"` from a data set's side."""

from __future__ import annotations

import base64
import json
import sys

import pyarrow as pa
import pytest

import penstock
from penstock.worker.payload import unpack_function


def test_torch_batches_are_dicts_of_tensors():
    pytest.importorskip("torch")

    def add(batch):
        return {"id": batch["id"] + 1}

    ds = penstock.data.range(3).map_batches(add, batch_format="torch")
    assert [row["id"] for row in ds.take_all()] == [1, 2, 3]


@pytest.mark.parametrize(("gpus", "device"), [(None, "cpu"), (0.5, "cuda")])
def test_tensors_are_to_be_on_the_gpu_that_a_worker_asks_for(gpus, device):
    pytest.importorskip("torch")
    ds = penstock.data.range(3).map_batches(print, batch_format="torch", num_gpus=gpus)
    (function,) = json.loads(ds._plan.to_json())["ops"][-1]["functions"]
    assert unpack_function(base64.b64decode(function["payload"])).device == device


def test_arrow_c_batches_are_taken_by_whatever_speaks_arrow():
    def add(batch):
        return pa.table(batch).append_column("x", pa.array([1] * len(batch)))

    ds = penstock.data.range(2).map_batches(add, batch_format="arrow_c")
    assert ds.take_all() == [{"id": 0, "x": 1}, {"id": 1, "x": 1}]


def test_torch_is_asked_for_by_its_extra_when_it_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"needs the library torch; .*penstock\[torch\]"):
        penstock.data.range(3).map_batches(lambda batch: batch, batch_format="torch")
