"""Tests of XGBoost trained in several worker processes, on scikit-learn's breast cancer data."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

xgboost = pytest.importorskip("xgboost")
datasets = pytest.importorskip("sklearn.datasets")

import penstock  # noqa: E402
from penstock import train  # noqa: E402
from penstock.train import (  # noqa: E402
    Checkpoint,
    CheckpointConfig,
    FailureConfig,
    RunConfig,
    ScalingConfig,
    TrainingFailedError,
)
from penstock.train.xgboost import RayTrainReportCallback, XGBoostConfig, XGBoostTrainer  # noqa: E402

TWO = ScalingConfig(num_workers=2)
PARAMS = {
    "objective": "binary:logistic",
    "eval_metric": ["logloss", "error"],
    "tree_method": "hist",
}
METRICS = {"train-logloss", "train-error", "valid-logloss", "valid-error"}


def split_table():
    frame = datasets.load_breast_cancer(as_frame=True).frame
    made = penstock.data.from_pandas(frame).train_test_split(test_size=0.3)
    return dict(zip(("train", "valid"), made, strict=True))


@pytest.fixture
def parts():
    return split_table()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the result of a training in two workers, of 20 rounds."""
    return XGBoostTrainer(
        scaling_config=TWO,
        label_column="target",
        num_boost_round=20,
        params=PARAMS,
        datasets=split_table(),
        metadata={"author": "me"},
        run_config=RunConfig(storage_path=str(tmp_path_factory.mktemp("trained"))),
    ).fit()


def matrix_of(dataset) -> object:
    frame = dataset.to_pandas()
    label = frame.pop("target")
    return xgboost.DMatrix(frame, label=label)


def trained_alone(parts, rounds: int) -> tuple[object, dict[str, float]]:
    log: dict = {}
    matrices = {name: matrix_of(part) for name, part in parts.items()}
    model = xgboost.train(
        PARAMS,
        matrices["train"],
        rounds,
        evals=[(matrix, name) for name, matrix in matrices.items()],
        evals_result=log,
        verbose_eval=False,
    )
    return model, {f"{d}-{m}": v[-1] for d, found in log.items() for m, v in found.items()}


def test_two_workers_train_the_model_that_one_process_trains(trained, parts):
    alone, metrics = trained_alone(parts, 20)
    assert trained.metrics == pytest.approx(metrics, abs=1e-6)
    assert set(trained.metrics) == METRICS
    model = XGBoostTrainer.get_model(trained.checkpoint)
    assert model.num_boosted_rounds() == 20
    valid = matrix_of(parts["valid"])
    np.testing.assert_allclose(model.predict(valid), alone.predict(valid), atol=1e-5)


def test_the_checkpoint_holds_the_model_and_says_what_it_is(trained):
    assert (Path(trained.checkpoint.path) / "model.ubj").exists()
    assert trained.checkpoint.get_metadata() == {
        "author": "me",
        "model_file": "model.ubj",
        "boosted_rounds": 20,
    }


@pytest.mark.parametrize(("rounds", "kept"), [(5, [2, 4, 5]), (4, [2, 4])])
def test_each_round_is_reported(rounds, kept, parts, run_config):
    result = XGBoostTrainer(
        scaling_config=TWO,
        label_column="target",
        num_boost_round=rounds,
        params=PARAMS,
        datasets=parts,
        run_config=run_config(checkpoint_config=CheckpointConfig(checkpoint_frequency=2)),
    ).fit()
    losses = list(result.metrics_dataframe["train-logloss"])
    assert losses[:rounds] == sorted(losses[:rounds], reverse=True)
    sizes = [found.get_metadata()["boosted_rounds"] for found, _ in result.best_checkpoints]
    assert sizes == kept


@pytest.mark.long
def test_a_training_goes_on_from_a_model(parts, run_config):
    def fit(rounds: int, name: str, begun: Checkpoint | None = None):
        return XGBoostTrainer(
            scaling_config=TWO,
            label_column="target",
            num_boost_round=rounds,
            params=PARAMS,
            datasets=parts,
            resume_from_checkpoint=begun,
            run_config=run_config(name=name),
        ).fit()

    half = fit(5, "half")
    whole = fit(10, "whole", half.checkpoint)
    assert len(whole.metrics_history) == 6  # Five rounds, and the model at the end.
    _, metrics = trained_alone(parts, 10)
    assert whole.metrics == pytest.approx(metrics, abs=1e-6)


def test_another_training_of_the_same_name_begins_anew(parts, run_config):
    trainer = XGBoostTrainer(
        label_column="target",
        num_boost_round=3,
        params=PARAMS,
        datasets=parts,
        run_config=run_config(),
    )
    first, second = trainer.fit(), trainer.fit()
    assert second.metrics == first.metrics
    assert second.checkpoint != first.checkpoint
    assert XGBoostTrainer.get_model(first.checkpoint).num_boosted_rounds() == 3


def test_more_workers_than_rows_of_a_data_set_are_no_matter(parts, run_config):
    parts["valid"] = parts["valid"].limit(1)
    result = XGBoostTrainer(
        scaling_config=TWO,
        label_column="target",
        num_boost_round=3,
        params=PARAMS,
        datasets=parts,
        run_config=run_config(),
    ).fit()
    _, metrics = trained_alone(parts, 3)
    assert result.metrics == pytest.approx(metrics, abs=1e-6)


def loop(config):
    """Train as a user of the newer form does."""
    frames = {
        name: train.get_dataset_shard(name).materialize().to_pandas() for name in config["names"]
    }
    matrices = {
        name: xgboost.DMatrix(frame.drop(columns="target"), label=frame["target"])
        for name, frame in frames.items()
    }
    begun = train.get_checkpoint()
    model = None if begun is None else RayTrainReportCallback.get_model(begun)
    xgboost.train(
        {**PARAMS, "nthread": 1},
        matrices["train"],
        config["rounds"] - (0 if model is None else model.num_boosted_rounds()),
        evals=[(matrix, name) for name, matrix in matrices.items()],
        verbose_eval=False,
        xgb_model=model,
        callbacks=[
            *config.get("callbacks", []),
            RayTrainReportCallback(**config.get("report", {})),
        ],
    )


def test_a_loop_of_the_users_own_trains_the_same_model(parts, run_config):
    result = XGBoostTrainer(
        loop,
        train_loop_config={"names": ["train", "valid"], "rounds": 20},
        scaling_config=TWO,
        xgboost_config=XGBoostConfig(),
        datasets={name: part.limit(part.count() // 2 * 2) for name, part in parts.items()},
        run_config=run_config(),
    ).fit()
    even = {name: part.limit(part.count() // 2 * 2) for name, part in parts.items()}
    alone, metrics = trained_alone(even, 20)
    assert result.metrics == pytest.approx(metrics, abs=1e-6)
    model = RayTrainReportCallback.get_model(result.checkpoint)
    valid = matrix_of(even["valid"])
    np.testing.assert_allclose(model.predict(valid), alone.predict(valid), atol=1e-5)


def test_metrics_are_reported_by_the_names_that_are_asked_for(parts, run_config):
    result = XGBoostTrainer(
        loop,
        train_loop_config={
            "names": ["train"],
            "rounds": 2,
            "report": {"metrics": {"loss": "train-logloss"}, "filename": "trees.json"},
        },
        datasets=parts,
        run_config=run_config(),
    ).fit()
    assert set(result.metrics) == {"loss"}
    assert XGBoostTrainer.get_model(result.checkpoint).num_boosted_rounds() == 2
    assert RayTrainReportCallback.get_model(result.checkpoint, "trees.json") is not None
    with pytest.raises(FileNotFoundError, match=r"no file model.ubj"):
        RayTrainReportCallback.get_model(result.checkpoint, "model.ubj")


def test_a_metric_that_there_is_not_is_refused(parts, run_config):
    trainer = XGBoostTrainer(
        loop,
        train_loop_config={"names": ["train"], "rounds": 2, "report": {"metrics": "auc"}},
        datasets=parts,
        run_config=run_config(),
    )
    with pytest.raises(KeyError, match="train-logloss, train-error; got: auc"):
        trainer.fit()


class FailOnce(xgboost.callback.TrainingCallback):
    """Ends worker 1 after some rounds, unless it has done so before."""

    def __init__(self, marker: Path, action: str) -> None:
        self._marker = marker
        self._action = action

    def after_iteration(self, model, epoch, evals_log):
        if train.get_context().get_world_rank() == 1 and epoch == 5 and not self._marker.exists():
            self._marker.touch()
            if self._action == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("no more trees")
        return False


@pytest.mark.parametrize("action", ["die", "raise"])
@pytest.mark.long
def test_a_training_that_loses_a_worker_starts_again_and_ends_the_same(
    action, parts, tmp_path, run_config
):
    result = XGBoostTrainer(
        scaling_config=TWO,
        label_column="target",
        num_boost_round=10,
        params=PARAMS,
        datasets=parts,
        callbacks=[FailOnce(tmp_path / "failed", action)],
        run_config=run_config(
            failure_config=FailureConfig(max_failures=1),
            checkpoint_config=CheckpointConfig(checkpoint_frequency=1),
        ),
    ).fit()
    assert (tmp_path / "failed").exists()
    _, metrics = trained_alone(parts, 10)
    assert result.metrics == pytest.approx(metrics, abs=1e-6)
    assert XGBoostTrainer.get_model(result.checkpoint).num_boosted_rounds() == 10


@pytest.mark.parametrize(
    ("action", "message"),
    [("die", "Worker 1 of 2 died"), ("raise", "no more trees")],
)
def test_the_worker_that_failed_is_told_not_those_that_it_left_waiting(
    action, message, parts, tmp_path, run_config
):
    trainer = XGBoostTrainer(
        loop,
        train_loop_config={
            "names": ["train"],
            "rounds": 10,
            "callbacks": [FailOnce(tmp_path / "failed", action)],
        },
        scaling_config=TWO,
        datasets=parts,
        run_config=run_config(),
    )
    with pytest.raises(TrainingFailedError, match=message):
        trainer.fit()


def test_predictions_are_made_by_workers_that_get_the_checkpoint(trained, parts):
    class Predictor:
        def __init__(self, checkpoint: Checkpoint) -> None:
            self.model = XGBoostTrainer.get_model(checkpoint)

        def __call__(self, data):
            return {"predictions": self.model.predict(xgboost.DMatrix(data))}

    predictions = (
        parts["valid"]
        .drop_columns(["target"])
        .map_batches(
            Predictor,
            compute=penstock.data.ActorPoolStrategy(size=2),
            batch_format="pandas",
            fn_constructor_kwargs={"checkpoint": trained.checkpoint},
        )
    )
    found = np.array([row["predictions"] for row in predictions.take_all()])
    alone, _ = trained_alone(parts, 20)
    np.testing.assert_allclose(found, alone.predict(matrix_of(parts["valid"])), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"params": None}, ValueError, "a train_loop_per_worker, or params"),
        ({"params": 3}, TypeError, "params must be a dict"),
        ({"label_column": None}, TypeError, "label_column must be a column's name; got: None"),
        ({"num_boost_round": 0}, ValueError, "num_boost_round must be at least 1; got: 0"),
        ({"num_boost_round": "9"}, TypeError, "num_boost_round must be a whole number"),
        ({"datasets": {}}, ValueError, "not among datasets; got: none"),
        ({"datasets": {"test": penstock.data.range(1)}}, ValueError, "got: 'test'"),
        ({"round": 3}, TypeError, "no such argument, and xgboost.train gets none: round"),
        ({"evals": []}, TypeError, "xgboost.train gets none: evals"),
        ({"train_loop_config": {}}, ValueError, "does not take: train_loop_config"),
        ({"train_loop_per_worker": lambda: None}, ValueError, "take: label_column, params"),
    ],
)
def test_wrong_arguments_are_refused_by_name(options, kind, message):
    given = {
        "label_column": "id",
        "params": {},
        "datasets": {"train": penstock.data.range(1)},
        **options,
    }
    with pytest.raises(kind, match=re.escape(message)):
        XGBoostTrainer(**given)


def test_settings_of_the_first_form_are_refused_in_the_newer():
    config = RunConfig(checkpoint_config=CheckpointConfig(checkpoint_frequency=1))
    with pytest.raises(ValueError, match=r"does not take: CheckpointConfig.checkpoint_frequency"):
        XGBoostTrainer(loop, run_config=config)


def test_a_label_that_there_is_not_is_named(parts, run_config):
    trainer = XGBoostTrainer(
        label_column="taget", params=PARAMS, datasets=parts, run_config=run_config()
    )
    with pytest.raises(ValueError, match=r"no column for the label; .* label_column: 'taget'"):
        trainer.fit()


def test_where_xgboost_is_not_installed_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ImportError, match=r"pip install 'penstock\[xgboost\]'"):
        XGBoostTrainer(lambda: None)
