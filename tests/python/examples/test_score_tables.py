"""Tables scored in pandas batches by a model that is an argument of its class."""

from __future__ import annotations

import re

import pytest

import penstock

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

from score_tables import main, save_measurements, scored, trained


@pytest.fixture
def table(tmp_path):
    save_measurements(tmp_path / "table.csv")
    return tmp_path / "table.csv"


def test_workers_score_as_the_model_does_where_it_was_trained(table):
    rows = penstock.data.read_csv(str(table))
    model = trained(rows)
    features = rows.drop_columns(["target"])
    expected = model.predict_proba(features.to_pandas())[:, 1].round(3)
    assert [row["predictions"] for row in scored(features, model).take_all()] == list(expected)


def test_the_model_is_right_for_most_rows_that_it_has_not_seen(capsys):
    main([])
    words = re.fullmatch(r"right for (\d+\.\d)% of 171 rows\n", capsys.readouterr().out)
    assert float(words[1]) > 90
