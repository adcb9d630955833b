from __future__ import annotations

import pytest

import penstock


@pytest.fixture
def summary():
    rows = [{"n": 0, "t": "b", "v": [1]}, {"n": 4, "t": None, "v": [2]}]
    return penstock.data.from_items(rows).summary()


def test_each_column_has_the_figures_that_its_type_allows(summary):
    assert summary.columns == ["n", "t", "v"]
    assert summary.statistics["n"] == {
        "count": 2,
        "missing_pct": 0.0,
        "min": 0,
        "max": 4,
        "mean": 2.0,
        "std": pytest.approx(2.8284271),
        "zero_pct": 50.0,
    }
    assert summary.statistics["t"] == {"count": 2, "missing_pct": 50.0, "min": "b", "max": "b"}
    assert summary.statistics["v"] == {"count": 2, "missing_pct": 0.0}


def test_a_summary_becomes_a_frame(summary):
    frame = summary.to_pandas()
    assert frame.columns.tolist() == ["statistic", "n", "t", "v"]
    assert frame[frame["statistic"] == "max"]["n"].tolist() == [4]
    assert summary.get_column_stats("v")["value"].tolist() == [2, 0.0]
    with pytest.raises(ValueError, match="got: nope"):
        summary.get_column_stats("nope")


def test_only_some_columns_may_be_summarised():
    ds = penstock.data.from_items([{"a": 1, "b": 2}])
    assert ds.summary(columns=["b"]).columns == ["b"]
    with pytest.raises(ValueError, match="got: c"):
        ds.summary(columns=["c"])
