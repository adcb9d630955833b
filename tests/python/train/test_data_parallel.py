"""Tests of training loops in several workers."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import numpy as np
import pyarrow.fs as pafs
import pytest

import penstock
from penstock import train
from penstock.exceptions import UnplaceableError
from penstock.train import (
    Checkpoint,
    CheckpointConfig,
    DataConfig,
    DataParallelTrainer,
    Result,
    RunConfig,
    ScalingConfig,
    worker_group,
)

TWO = ScalingConfig(num_workers=2)


def write_json(folder: str, value: object) -> None:
    rank = train.get_context().get_world_rank()
    (Path(folder) / f"{rank}.json").write_text(json.dumps(value))


def read_json(folder: Path) -> list[object]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def test_the_loop_runs_once_in_each_of_as_many_processes(tmp_path, run_config):
    def loop(config):
        context = train.get_context()
        facts = [context.get_world_rank(), context.get_world_size(), config["seed"]]
        write_json(config["folder"], [os.getpid(), *facts])

    DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(tmp_path), "seed": 7},
        scaling_config=TWO,
        run_config=run_config(),
    ).fit()
    first, second = read_json(tmp_path)
    assert first[1:] == [0, 2, 7]
    assert second[1:] == [1, 2, 7]
    assert len({first[0], second[0], os.getpid()}) == 3


def test_the_result_has_what_rank_0_reported_and_returned(run_config):
    def loop():
        rank = train.get_context().get_world_rank()
        for step in range(3):
            train.report({"step": step, "rank": rank})
        return f"done by {rank}"

    result = DataParallelTrainer(loop, scaling_config=TWO, run_config=run_config()).fit()
    assert result.metrics == {"step": 2, "rank": 0}
    assert list(result.metrics_dataframe["step"]) == [0, 1, 2]
    assert result.return_value == "done by 0"
    assert result.error is None
    assert result.checkpoint is None


def test_workers_that_report_less_often_than_others_hold_nobody_up(run_config):
    def loop():
        if train.get_context().get_world_rank() == 0:
            for step in range(3):
                train.report({"step": step})

    result = DataParallelTrainer(loop, scaling_config=TWO, run_config=run_config()).fit()
    assert result.metrics == {"step": 2}


def test_each_checkpoint_has_the_files_of_all_workers(tmp_path, run_config):
    def loop(config):
        rank = train.get_context().get_world_rank()
        for step in range(2):
            folder = Path(config["folder"]) / f"{rank}-{step}"
            folder.mkdir()
            (folder / f"part{rank}").write_text(str(step))
            train.report({"step": step}, checkpoint=Checkpoint(folder))

    result = DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(tmp_path)},
        scaling_config=TWO,
        run_config=run_config(),
    ).fit()
    with result.checkpoint.as_directory() as folder:
        files = {path.name: path.read_text() for path in Path(folder).iterdir()}
    assert files == {"part0": "1", "part1": "1"}
    assert len(result.best_checkpoints) == 2


def save(parent: str, value: float) -> Checkpoint:
    folder = Path(parent) / "model"
    folder.mkdir(exist_ok=True)
    (folder / "value").write_text(str(value))
    return Checkpoint(folder)


def test_only_the_best_checkpoints_stay_on_disk(tmp_path, run_config):
    def loop(config):
        for loss in (3.0, 1.0, 2.0, 4.0):
            train.report({"loss": loss}, checkpoint=save(config["folder"], loss))

    result = DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(tmp_path)},
        run_config=run_config(
            checkpoint_config=CheckpointConfig(
                num_to_keep=2, checkpoint_score_attribute="loss", checkpoint_score_order="min"
            )
        ),
    ).fit()
    kept = sorted(path.name for path in Path(result.path).glob("checkpoint_*"))
    assert kept == ["checkpoint_000001", "checkpoint_000002", "checkpoint_000003"]
    assert kept == [Path(checkpoint.path).name for checkpoint, _ in result.best_checkpoints]
    best = result.get_best_checkpoint("loss", "min")
    assert (Path(best.path) / "value").read_text() == "1.0"
    assert (Path(result.checkpoint.path) / "value").read_text() == "4.0"
    assert Result.from_path(result.path).metrics == {"loss": 4.0}


def test_a_training_may_write_to_another_file_system(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    elsewhere = pafs.SubTreeFileSystem(str(tmp_path / "elsewhere"), pafs.LocalFileSystem())

    def loop(config):
        train.report({"loss": 1}, checkpoint=save(config["folder"], 3))
        return train.get_checkpoint()

    result = DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(tmp_path)},
        run_config=RunConfig(storage_path="bucket", storage_filesystem=elsewhere, name="run"),
    ).fit()
    assert result.path == "bucket/run"
    assert result.checkpoint == result.return_value
    with result.checkpoint.as_directory() as folder:
        assert (Path(folder) / "value").read_text() == "3"
    assert Result.from_path("bucket/run", elsewhere).metrics == {"loss": 1}


def test_a_training_of_the_same_name_goes_on_from_the_latest_checkpoint(tmp_path, run_config):
    def loop(config):
        found = train.get_checkpoint()
        begun = 0 if found is None else int((Path(found.path) / "value").read_text()) + 1
        for step in range(begun, begun + 2):
            train.report({"step": step}, checkpoint=save(config["folder"], step))

    trainer = DataParallelTrainer(
        loop, train_loop_config={"folder": str(tmp_path)}, run_config=run_config()
    )
    assert trainer.fit().metrics == {"step": 1}
    second = trainer.fit()
    assert second.metrics == {"step": 3}
    assert list(second.metrics_dataframe["step"]) == [0, 1, 2, 3]


def test_a_training_begins_with_the_checkpoint_that_it_is_given(tmp_path, run_config):
    given = save(str(tmp_path), 5)

    def loop():
        return (Path(train.get_checkpoint().path) / "value").read_text()

    result = DataParallelTrainer(loop, resume_from_checkpoint=given, run_config=run_config()).fit()
    assert result.return_value == "5"


def test_workers_share_out_a_data_set_in_equal_parts(tmp_path, run_config):
    def loop(config):
        shard = train.get_dataset_shard("train")
        ids = [row["id"] for row in shard.iter_rows()]
        again = [i for batch in shard.iter_batches(batch_size=4) for i in batch["id"].tolist()]
        write_json(config["folder"], [ids, again, shard.count()])

    DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(tmp_path)},
        scaling_config=TWO,
        datasets={"train": penstock.data.range(21, override_num_blocks=4)},
        run_config=run_config(),
    ).fit()
    first, second = read_json(tmp_path)
    assert first[0] == first[1]
    assert second[0] == second[1]
    assert first[2] == second[2] == 10
    together = sorted(first[0] + second[0])
    assert len(set(together)) == 20
    assert set(together) < set(range(21))


def test_data_sets_that_are_not_shared_out_are_whole_in_each_worker(tmp_path, run_config):
    def loop(config):
        shards = [train.get_dataset_shard(name) for name in ("train", "valid")]
        write_json(config["folder"], [shard.materialize().count() for shard in shards])

    DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(tmp_path)},
        scaling_config=TWO,
        datasets={
            "train": penstock.data.range(10),
            "valid": lambda: penstock.data.range(7),
        },
        dataset_config=DataConfig(datasets_to_split=["train"]),
        run_config=run_config(),
    ).fit()
    assert read_json(tmp_path) == [[5, 7], [5, 7]]


def test_a_shard_has_all_that_an_iterator_has(tmp_path, run_config):
    images = np.arange(24, dtype=np.float32).reshape(6, 2, 2)
    ragged = [np.zeros((n + 1, 2)) for n in range(6)]
    rows = [
        {"image": image, "box": boxes, "text": str(n)}
        for n, (image, boxes) in enumerate(zip(images, ragged, strict=True))
    ]

    def loop():
        shard = train.get_dataset_shard("train")
        batch = next(iter(shard.iter_batches(batch_size=None)))
        frame = shard.materialize().to_pandas()
        row = next(iter(shard.iter_rows()))
        return {
            "names": shard.schema().names,
            "image": batch["image"].sum(),
            "boxes": [box.shape for box in batch["box"]],
            "text": list(frame["text"]),
            "row": row["box"].shape,
            "pyarrow": next(iter(shard.iter_batches(batch_format="pyarrow"))).num_rows,
        }

    told = (
        DataParallelTrainer(
            loop, datasets={"train": penstock.data.from_items(rows)}, run_config=run_config()
        )
        .fit()
        .return_value
    )
    assert told["names"] == ["image", "box", "text"]
    assert told["image"] == images.sum()
    assert told["boxes"] == [(n + 1, 2) for n in range(6)]
    assert told["text"] == [str(n) for n in range(6)]
    assert told["row"] == (1, 2)
    assert told["pyarrow"] == 6


def test_a_data_set_with_fewer_rows_than_workers_leaves_columns_without_rows(run_config):
    def loop():
        shard = train.get_dataset_shard("train")
        return shard.count(), shard.schema().names, list(shard.materialize().to_pandas().columns)

    result = DataParallelTrainer(
        loop,
        scaling_config=TWO,
        datasets={"train": penstock.data.range(1)},
        run_config=run_config(),
    ).fit()
    assert result.return_value == (0, ["id"], ["id"])


def test_data_sets_that_functions_make_are_run_before_workers_hold_the_processors(run_config):
    class AddOne:
        def __call__(self, batch):
            return {"id": batch["id"] + 1}

    made = penstock.data.range(100).map_batches(AddOne, concurrency=2)

    def loop():
        return sum(row["id"] for row in train.get_dataset_shard("train").iter_rows())

    result = DataParallelTrainer(
        loop,
        scaling_config=ScalingConfig(resources_per_worker={"CPU": os.cpu_count()}),
        datasets={"train": made},
        run_config=run_config(),
    ).fit()
    assert result.return_value == 5050


def test_what_can_never_fit_is_refused_before_anything_is_read(run_config):
    def never():
        raise AssertionError("read")

    trainer = DataParallelTrainer(
        lambda: None,
        scaling_config=ScalingConfig(num_workers=2, use_gpu=True, resources_per_worker={"GPU": 64}),
        datasets={"train": never},
        run_config=run_config(),
    )
    with pytest.raises(UnplaceableError, match="is 128 GPU, and there is"):
        trainer.fit()


def test_workers_wait_for_what_others_hold_and_say_so(run_config, monkeypatch, caplog):
    monkeypatch.setattr(worker_group, "_WARN_S", 0.1)
    everything = penstock.cluster_resources()["CPU"]
    holder = penstock.remote(num_cpus=everything)(Holder).remote()
    penstock.get(holder.ready.remote())

    class LetGo(logging.Handler):
        def emit(self, record):
            penstock.kill(holder)

    worker_group.logger.addHandler(handler := LetGo())
    try:
        DataParallelTrainer(lambda: None, scaling_config=TWO, run_config=run_config()).fit()
    finally:
        worker_group.logger.removeHandler(handler)
    assert "Still waiting for 2 of 2 training workers, which take {'CPU': 1.0} each" in caplog.text


class Holder:
    def ready(self):
        return None


def test_each_worker_holds_what_it_was_given(run_config):
    asked = {"CPU": 0.5, "memory": 1 << 20}

    def loop():
        return train.get_context().get_trial_resources(), penstock.available_resources()

    given, left = (
        DataParallelTrainer(
            loop,
            scaling_config=ScalingConfig(num_workers=2, resources_per_worker=asked),
            run_config=run_config(),
        )
        .fit()
        .return_value
    )
    assert given == asked
    there = penstock.cluster_resources()["memory"]  # Which no other test takes.
    assert there - left["memory"] == pytest.approx(2 << 20)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"train_loop_per_worker": 3}, TypeError, "must be a function; got: 3"),
        ({"train_loop_per_worker": lambda a, b: None}, ValueError, "takes: 2"),
        ({"train_loop_config": {"a": 1}}, ValueError, "takes no argument"),
        ({"train_loop_config": 3}, TypeError, "train_loop_config must be a dict; got: 3"),
        ({"scaling_config": {"num_workers": 2}}, TypeError, "must be a ScalingConfig"),
        ({"run_config": 3}, TypeError, "must be a RunConfig; got: 3"),
        ({"datasets": [1]}, TypeError, "datasets must be a dict"),
        ({"datasets": {"train": [1]}}, TypeError, r"datasets\['train'\] must be"),
        ({"datasets": {1: None}}, TypeError, "must be text; got: 1"),
        ({"resume_from_checkpoint": "/tmp/x"}, TypeError, "must be a Checkpoint"),
        ({"metadata": {"a": object()}}, TypeError, "JSON"),
    ],
)
def test_wrong_arguments_are_refused_by_name(options, kind, message):
    with pytest.raises(kind, match=message):
        DataParallelTrainer(**{"train_loop_per_worker": lambda: None, **options})
