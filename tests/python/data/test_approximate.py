"""Quantiles and frequent values from sketches of bounded size."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.data.aggregate import ApproximateQuantile, ApproximateTopK, Count, Mean
from penstock.data.consuming.sketches import FrequentValues, QuantileSketch
from penstock.data.datatype import DataType

QUANTILES = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1]


@pytest.mark.parametrize("order", ["rising", "falling", "mixed", "repeated"])
def test_quantiles_are_near_whatever_the_order(order):
    numbers = np.arange(200_000, dtype=np.float64)
    if order == "falling":
        numbers = numbers[::-1].copy()
    elif order == "mixed":
        numbers = np.random.default_rng(1).permutation(numbers)
    elif order == "repeated":
        numbers = np.tile(np.arange(1000.0), 200)
    ds = penstock.data.from_numpy(np.array_split(numbers, 37))
    result = ds.aggregate(ApproximateQuantile("data", QUANTILES))
    for q, found in zip(QUANTILES, result["approx_quantile(data)"], strict=True):
        low = np.mean(numbers < found)
        high = np.mean(numbers <= found)
        assert low - 0.005 <= q <= high + 0.005, (q, found)
    assert result["approx_quantile(data)"][0] == numbers.min()
    assert result["approx_quantile(data)"][-1] == numbers.max()


def test_few_numbers_give_exact_quantiles_without_nulls_and_nan():
    ds = penstock.data.from_arrow(pa.table({"x": [3.0, None, float("nan"), 1.0, 2.0]}))
    assert ds.aggregate(ApproximateQuantile("x", [0.5], alias_name="m")) == {"m": [2.0]}
    empty = penstock.data.from_arrow(pa.table({"x": pa.array([None], pa.int64())}))
    assert empty.aggregate(ApproximateQuantile("x", [0.5], alias_name="m")) == {"m": None}


def test_a_quantile_sketch_stays_small():
    sketch = QuantileSketch(100)
    for start in range(0, 1_000_000, 10_000):
        sketch.add(np.arange(start, start + 10_000.0))
    assert sum(len(level) for level in sketch._levels) <= 100 * 15
    assert len(sketch._levels) <= 15


@pytest.mark.parametrize("quantiles", [[], [1.5], [-0.1]])
def test_quantiles_lie_between_0_and_1(quantiles):
    with pytest.raises(ValueError, match="between 0 and 1"):
        ApproximateQuantile("x", quantiles)


def test_frequent_values_are_exact_while_they_fit():
    words = ["a"] * 5 + ["b"] * 3 + [None] * 9 + ["c"]
    ds = penstock.data.from_items([{"w": word} for word in words]).repartition(4)
    assert ds.aggregate(ApproximateTopK("w", 2)) == {
        "approx_topk(w)": [{"w": "a", "count": 5}, {"w": "b", "count": 3}]
    }


def test_frequent_values_are_found_among_many_others():
    draw = np.random.default_rng(2)
    values = np.concatenate(
        [draw.integers(1000, 10**9, 50_000), np.full(4000, 7), np.full(3000, 8)]
    )
    draw.shuffle(values)
    ds = penstock.data.from_numpy(np.array_split(values, 20))
    (first, second) = ds.aggregate(ApproximateTopK("data", 2, log_capacity=6))["approx_topk(data)"]
    assert (first["data"], second["data"]) == (7, 8)
    assert 4000 <= first["count"] <= 4000 + len(values) / 64


def test_a_sketch_of_frequent_values_stays_small():
    sketch = FrequentValues(8)
    for value in range(10_000):
        sketch.add(value, 1)
        assert len(sketch._counts) <= 16


def test_values_that_cannot_be_hashed_are_told():
    ds = penstock.data.from_items([{"w": {"a": [1]}}])
    with pytest.raises(TypeError, match="ApproximateTopK"):
        ds.aggregate(ApproximateTopK("w", 1))


def test_a_summary_takes_aggregates_by_type():
    ds = penstock.data.from_items([{"value": 10, "word": "a"}, {"value": 20, "word": "b"}])
    ours = {DataType.int64(): lambda column: [Count(column), Mean(column)]}
    summary = ds.summary(override_dtype_agg_mapping=ours)
    assert summary.statistics["value"] == {"count": 2, "mean": 15.0}
    assert summary.statistics["word"]["max"] == "b"
    theirs = {pa.string(): lambda column: [ApproximateTopK(column, 1)]}
    words = ds.summary(["word"], theirs).statistics["word"]
    assert words["approx_topk"][0]["count"] == 1
