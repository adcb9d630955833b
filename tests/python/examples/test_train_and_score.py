"""XGBoost trained in two workers, and scores that others make with the checkpoint."""

from __future__ import annotations

import re

import numpy as np
import pytest

import penstock
from score_tables import save_measurements
from train_and_score import main, scored, trained

xgboost = pytest.importorskip("xgboost")
pytest.importorskip("sklearn")
pytest.importorskip("pandas")


def test_workers_score_as_the_model_of_the_checkpoint_does(tmp_path):
    from penstock.train.xgboost import XGBoostTrainer

    save_measurements(tmp_path / "table.csv")
    train, valid = penstock.data.read_csv(str(tmp_path / "table.csv")).train_test_split(0.3)
    result = trained(train, valid, rounds=3, folder=tmp_path)
    features = valid.drop_columns(["target"])
    model = XGBoostTrainer.get_model(result.checkpoint)
    expected = model.predict(xgboost.DMatrix(features.to_pandas()))
    scores = [row["predictions"] for row in scored(features, result.checkpoint).take_all()]
    np.testing.assert_array_equal(np.array(scores, np.float32), expected)


def test_the_model_is_right_for_most_rows_that_it_has_not_seen(capsys):
    main(["--rounds", "5"])
    words = re.search(r"loss 0\.\d+, right for (\d+\.\d)% of 171 rows", capsys.readouterr().out)
    assert float(words[1]) > 90
