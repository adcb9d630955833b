"""Tests of what is known of a training, in memory and in its folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.fs as pafs
import pytest

from penstock.train import Checkpoint, CheckpointConfig, Result
from penstock.train.record import FILE, Record, folder_name
from penstock.train.result import result_of
from penstock.train.storage import Storage, for_run


@pytest.fixture(params=["local", "elsewhere"])
def storage(request, tmp_path: Path) -> Storage:
    """Return a training's folder: on this machine, and on a file system that is not known to be."""
    if request.param == "local":
        made = for_run(str(tmp_path), None, "run")
    else:
        filesystem = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())
        made = for_run("/", filesystem, "run")
    made.create()
    return made


def keep(storage: Storage, number: int, tmp_path: Path) -> str:
    source = tmp_path / f"source{number}"
    source.mkdir()
    (source / "model").write_text(str(number))
    storage.copy_in(Checkpoint(source), folder_name(number))
    return folder_name(number)


def trained(
    storage: Storage, tmp_path: Path, config: CheckpointConfig, losses: list[float]
) -> Record:
    record = Record(storage, config)
    for number, loss in enumerate(losses):
        record.report({"loss": loss}, keep(storage, number, tmp_path))
    return record


def test_the_latest_checkpoint_is_the_one_that_was_reported_last(storage, tmp_path):
    record = trained(storage, tmp_path, CheckpointConfig(), [3, 1, 2])
    assert record.latest is not None
    with record.latest.as_directory() as folder:
        assert (Path(folder) / "model").read_text() == "2"
    assert record.metrics == {"loss": 2}


def test_checkpoints_that_are_not_kept_are_deleted(storage, tmp_path):
    config = CheckpointConfig(
        num_to_keep=1, checkpoint_score_attribute="loss", checkpoint_score_order="min"
    )
    trained(storage, tmp_path, config, [3, 1, 2])
    assert storage.folders() == [folder_name(1), folder_name(2)]


def test_a_result_comes_back_from_its_folder(storage, tmp_path):
    config = CheckpointConfig(num_to_keep=2)
    record = trained(storage, tmp_path, config, [3, 1, 2])
    record.report({"loss": np.float32(0.5), "epoch": np.int64(3), "kind": Path("x")})
    record.save()
    before = result_of(record)
    again = Result.from_path(before.path, storage.filesystem)
    assert again.metrics == {"loss": 0.5, "epoch": 3, "kind": "x"}
    assert again.checkpoint == before.checkpoint
    assert [metrics for _, metrics in again.best_checkpoints] == [{"loss": 1}, {"loss": 2}]
    assert list(again.metrics_dataframe["loss"]) == [3, 1, 2, 0.5]


def test_the_best_checkpoint_is_found_by_a_metric(storage, tmp_path):
    result = result_of(trained(storage, tmp_path, CheckpointConfig(), [3, 1, 2]))
    assert result.get_best_checkpoint("loss", "min").path.endswith(folder_name(1))
    assert result.get_best_checkpoint("loss", "max").path.endswith(folder_name(0))
    with pytest.raises(ValueError, match="there are: loss; got: 'accuracy'"):
        result.get_best_checkpoint("accuracy", "max")
    with pytest.raises(ValueError, match="mode must be 'max' or 'min'; got: 'best'"):
        result.get_best_checkpoint("loss", "best")


def test_no_checkpoint_is_no_best_one(storage):
    assert result_of(Record(storage, CheckpointConfig())).get_best_checkpoint("loss", "min") is None


def test_what_came_after_the_latest_checkpoint_is_forgotten_when_it_is_gone_on_from(
    storage, tmp_path
):
    record = trained(storage, tmp_path, CheckpointConfig(), [3, 1])
    record.report({"loss": 9})
    record.rewind()
    assert record.history == [{"loss": 3}, {"loss": 1}]
    again = Record(storage, CheckpointConfig())
    assert again.load()
    assert again.history == record.history


def test_folders_that_not_all_workers_reported_are_deleted(storage, tmp_path):
    record = trained(storage, tmp_path, CheckpointConfig(), [3, 1])
    keep(storage, 7, tmp_path)
    assert record.next_number() == 8
    record.delete_unfinished()
    assert storage.folders() == [folder_name(0), folder_name(1)]
    assert record.next_number() == 2


def test_a_training_that_begins_anew_leaves_the_checkpoints_of_others(storage, tmp_path):
    trained(storage, tmp_path, CheckpointConfig(), [3, 1])
    record = Record(storage, CheckpointConfig())
    record.begin_anew()
    keep(storage, 2, tmp_path)
    record.delete_unfinished()
    assert storage.folders() == [folder_name(0), folder_name(1)]


def test_a_folder_that_is_no_training_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match=f"it has no file {FILE}"):
        Result.from_path(tmp_path)


def test_a_file_of_another_version_is_refused(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"version": 99}))
    with pytest.raises(ValueError, match="not of this version"):
        Result.from_path(tmp_path)


def test_the_files_of_all_workers_come_together(storage, tmp_path):
    for name in ("a", "b"):
        source = tmp_path / name
        source.mkdir()
        (source / name).write_text(name)
        storage.copy_in(Checkpoint(source), "checkpoint_000000")
    copied = Path(storage.checkpoint("checkpoint_000000").to_directory())
    assert sorted(path.name for path in copied.iterdir()) == ["a", "b"]


def test_a_checkpoint_written_in_its_place_is_not_copied(storage, tmp_path):
    keep(storage, 0, tmp_path)
    storage.copy_in(storage.checkpoint(folder_name(0)), folder_name(0))
    assert storage.folders() == [folder_name(0)]
