"""Tests of torch trained in several worker processes, which gloo joins."""

from __future__ import annotations

import os
import random
import signal
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import penstock  # noqa: E402
from penstock import train  # noqa: E402
from penstock.train import ScalingConfig, TrainingFailedError  # noqa: E402
from penstock.train import torch as train_torch  # noqa: E402
from penstock.train.torch import TorchConfig, TorchTrainer  # noqa: E402

TWO = ScalingConfig(num_workers=2)


def test_workers_reduce_together(run_config):
    def loop():
        value = torch.tensor([train.get_context().get_world_rank() + 1.0])
        torch.distributed.all_reduce(value)
        return value.item(), torch.distributed.get_backend(), os.environ["WORLD_SIZE"]

    result = TorchTrainer(loop, scaling_config=TWO, run_config=run_config()).fit()
    assert result.return_value == (3.0, "gloo", "2")


def line(rows: int):
    x = np.linspace(-1, 1, rows, dtype=np.float32)
    return penstock.data.from_items([{"x": np.array([v]), "y": np.array([3 * v + 1])} for v in x])


def test_two_workers_train_the_model_that_one_process_trains(run_config):
    def loop(config):
        torch.manual_seed(0)
        model = train_torch.prepare_model(torch.nn.Linear(1, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        shard = train.get_dataset_shard("train")
        for epoch in range(config["epochs"]):
            for batch in shard.iter_torch_batches(batch_size=config["batch"], dtypes=torch.float32):
                loss = torch.nn.functional.mse_loss(model(batch["x"]), batch["y"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            train.report({"epoch": epoch})
        inner = getattr(model, "module", model)
        return [parameter.detach().tolist() for parameter in inner.parameters()]

    def fit(workers: int, batch: int):
        return (
            TorchTrainer(
                loop,
                train_loop_config={"epochs": 3, "batch": batch},
                scaling_config=ScalingConfig(num_workers=workers),
                datasets={"train": line(32)},
                run_config=run_config(name=f"run{workers}"),
            )
            .fit()
            .return_value
        )

    # One block, cut in two: a step of both workers sees all rows, as one of a single worker does.
    (weight,), (bias,) = np.array(fit(2, 16), dtype=object)
    (alone_weight,), (alone_bias,) = np.array(fit(1, 32), dtype=object)
    assert weight == pytest.approx(alone_weight, abs=1e-5)
    assert bias == pytest.approx(alone_bias, abs=1e-5)


def test_a_data_loader_gives_each_worker_its_own_rows(run_config):
    def loop():
        rows = torch.utils.data.TensorDataset(torch.arange(10))
        loader = train_torch.prepare_data_loader(torch.utils.data.DataLoader(rows, batch_size=2))
        mine = torch.cat([batch for (batch,) in loader])
        gathered = [torch.zeros_like(mine) for _ in range(2)]
        torch.distributed.all_gather(gathered, mine)
        return mine.tolist(), sorted(torch.cat(gathered).tolist())

    mine, together = (
        TorchTrainer(loop, scaling_config=TWO, run_config=run_config()).fit().return_value
    )
    assert len(mine) == 5
    assert together == list(range(10))


def test_one_worker_needs_no_joining(run_config):
    def loop():
        model = train_torch.prepare_model(torch.nn.Linear(1, 1))
        loader = torch.utils.data.DataLoader(torch.arange(4))
        same = train_torch.prepare_data_loader(loader) is loader
        return type(model).__name__, same, str(train_torch.get_device())

    result = TorchTrainer(loop, run_config=run_config()).fit()
    assert result.return_value == ("Linear", True, "cpu")


@pytest.mark.long
def test_seeds_make_workers_draw_the_same_numbers(run_config):
    def loop():
        train_torch.enable_reproducibility(3)
        return torch.rand(1).item(), float(np.random.rand()), random.random()

    first, second = (
        TorchTrainer(loop, run_config=run_config(name=name)).fit().return_value
        for name in ("first", "second")
    )
    assert first == second


def test_a_worker_that_dies_in_a_reduction_ends_the_training(run_config):
    def loop():
        if train.get_context().get_world_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        torch.distributed.all_reduce(torch.zeros(1))

    trainer = TorchTrainer(loop, scaling_config=TWO, run_config=run_config())
    with pytest.raises(TrainingFailedError, match="Worker 1 of 2 died"):
        trainer.fit()


def test_batches_move_to_a_device_whatever_holds_them():
    from penstock.train.torch.loader import DeviceLoader

    batches = [{"a": torch.zeros(1), "b": [torch.zeros(2), "text"], "c": (1, torch.zeros(3))}]
    (moved,) = DeviceLoader(batches, torch.device("meta"))
    assert moved["a"].device.type == moved["b"][0].device.type == "meta"
    assert moved["b"][1] == "text"
    assert moved["c"][0] == 1
    assert moved["c"][1].device.type == "meta"


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: TorchConfig(init_method="file"), ValueError, "'env' or 'tcp'; got: 'file'"),
        (lambda: TorchConfig(timeout_s=0), ValueError, "timeout_s must be positive; got: 0"),
        (
            lambda: TorchTrainer(lambda: None, torch_config="gloo"),
            TypeError,
            "torch_config must be a TorchConfig; got: 'gloo'",
        ),
    ],
)
def test_wrong_settings_are_refused(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_where_torch_is_not_installed_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"pip install 'penstock\[torch\]'"):
        TorchTrainer(lambda: None)
