"""What only a GPU can show; elsewhere stand-ins play it (device errors, staging)."""

from __future__ import annotations

import sys

import cloudpickle
import engine as host
import numpy as np
import pytest
from engine import Engine, Step, pack, setup_of

from penstock import _worker
from penstock.worker import batches

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU"),
]

# As a script's functions do: by value, so that workers do not import this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

ON_GPU = {"batch_format": "torch", "device": "cuda"}


def columns_of(answer):
    return {name: list(values) for name, values in batches.to_numpy(answer.table()).items()}


def answers_of(step, count, rows):
    """Send so many batches at once; return the outputs of each."""
    with Engine(setup_of(step)) as engine:
        for batch in range(count):
            engine.send_batch(batch, pack({"x": np.arange(rows) + batch * rows}), output=8 << 20)
        engine.expect(host.READY)
        came = []
        for batch in range(count):
            outputs = [engine.expect(host.OUTPUT)]
            while outputs[-1].frame.kind == host.OUTPUT and outputs[-1].frame.flags & host.MORE:
                engine.grant(batch, 8 << 20)
                outputs.append(engine.receive())
            came.append([each for each in outputs if each.frame.kind == host.OUTPUT])
        assert engine.stop() == 0
    return came


def on_gpu(batch):
    assert batch["x"].is_cuda
    return {"x": batch["x"] * 2, "text": batch["x"].cpu().numpy().astype(str)}


def test_tensors_are_on_the_gpu_and_results_come_back_in_order():
    values = [
        columns_of(outputs[0])["x"] for outputs in answers_of(Step(on_gpu, options=ON_GPU), 5, 1000)
    ]
    assert [value for batch in values for value in batch] == list(range(0, 10_000, 2))


def takes_memory(batch):
    import torch

    free, _ = torch.cuda.mem_get_info()
    torch.empty(len(batch["x"]) * (free // 6), dtype=torch.uint8, device="cuda")
    return {"x": batch["x"], "rows": torch.full_like(batch["x"], len(batch["x"]))}


def test_a_batch_that_does_not_fit_goes_on_in_halves():
    (outputs,) = answers_of(Step(takes_memory, options=ON_GPU), 1, 16)
    columns = [columns_of(each) for each in outputs]
    assert [value for each in columns for value in each["x"]] == list(range(16))
    assert all(each["rows"][0] < 16 for each in columns)


def breaks(batch):
    import torch

    index = torch.tensor([10_000_000], device="cuda")
    return {"x": torch.zeros(4, device="cuda")[index]}


def test_a_device_side_assert_ends_the_worker(capfd):
    with Engine(setup_of(Step(breaks, options=ON_GPU))) as engine:
        engine.expect(host.READY)
        engine.send_batch(0, pack({"x": [1]}))
        with pytest.raises((EOFError, ConnectionResetError)):
            engine.receive()
        assert engine.wait() == _worker.STICKY_DEVICE_EXIT
    assert "no call to the GPU succeeds in this process any more" in capfd.readouterr().err
