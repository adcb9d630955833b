"""Expressions that follow from where a row stands, and those that stand for several columns."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.data.expressions import (
    coalesce,
    col,
    lit,
    monotonically_increasing_id,
    random,
    star,
    unnest,
    uuid,
)


def numbers(ds, column="r"):
    return [row[column] for row in ds.take_all()]


def test_a_seed_draws_the_same_numbers_however_the_rows_are_worked_on():
    ds = penstock.data.range(2000, override_num_blocks=7)
    drawn = numbers(ds.with_column("r", random(seed=1)))
    assert numbers(ds.with_column("r", random(seed=np.int64(1)))) == drawn
    for workers in (1, 3):
        kept = ds.map_batches(
            lambda batch: batch, udf_modifying_row_count=False, batch_size=13, concurrency=workers
        )
        assert numbers(kept.with_column("r", random(seed=1))) == drawn
    assert numbers(ds.filter(expr=col("id") >= 500).with_column("r", random(seed=1))) == drawn[500:]
    assert numbers(ds.with_column("r", random(seed=1)).filter(expr=col("id") < 9)) == drawn[:9]


def test_the_numbers_are_spread_evenly_and_differ_by_seed():
    ds = penstock.data.range(20_000)
    one, two = (np.array(numbers(ds.with_column("r", random(seed=seed)))) for seed in (1, 2))
    for drawn in (one, two):
        assert 0 <= drawn.min() < 0.01
        assert 0.99 < drawn.max() < 1
        assert len(set(drawn)) == len(drawn)
        assert abs(drawn.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.05
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.05


def test_without_a_seed_the_numbers_differ_in_every_run():
    ds = penstock.data.range(100).with_column("r", random())
    first, second = numbers(ds), numbers(ds)
    assert first != second
    assert len(set(first)) == 100


def test_rows_are_filtered_by_chance():
    ds = penstock.data.range(10_000)
    kept = ds.filter(expr=random(seed=5) < 0.1)
    assert 800 < kept.count() < 1200
    assert kept.take_all() == kept.take_all()
    with_column = ds.with_column("r", random(seed=5)).filter(expr=col("r") < 0.1)
    assert with_column.select_columns(["id"]).take_all() == kept.take_all()


def test_ids_differ_and_rise_with_the_rows():
    ds = penstock.data.range(1000, override_num_blocks=9)
    ids = numbers(ds.with_column("r", monotonically_increasing_id()))
    assert ids[:3] == [0, 1, 2]
    assert ids == sorted(set(ids))
    halves = ds.filter(expr=col("id") % 2 == 0).with_column("r", monotonically_increasing_id())
    assert set(numbers(halves)) < set(ids)


def test_rows_that_a_function_made_have_no_id_but_numbers():
    ds = penstock.data.range(10).flat_map(lambda row: [row, row])
    with pytest.raises(ValueError, match="materialize"):
        ds.with_column("r", monotonically_increasing_id()).take_all()
    assert len(set(numbers(ds.materialize().with_column("r", monotonically_increasing_id())))) == 20
    assert len(numbers(ds.with_column("r", random(seed=1)))) == 20
    both = penstock.data.range(10).union(penstock.data.range(10))
    with pytest.raises(ValueError, match="union"):
        both.with_column("r", random(seed=1)).take_all()


def test_every_row_gets_a_uuid():
    ds = penstock.data.range(3000).with_column("r", uuid())
    texts = numbers(ds)
    form = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(form.fullmatch(text) for text in texts)
    assert len(set(texts)) == 3000
    assert set(texts).isdisjoint(numbers(ds))


def test_positions_take_part_in_expressions():
    ds = penstock.data.range(10)
    row = ds.with_column("r", (random(seed=1) * 6).floor().cast("int64") + col("id")).take(1)[0]
    assert 0 <= row["r"] < 6
    assert "row" in repr(monotonically_increasing_id() + 1)
    with pytest.raises(TypeError, match="seed"):
        random(seed="a")


def test_star_keeps_what_is_there():
    ds = penstock.data.range(2)
    assert ds.with_columns(star(), (col("id") + 1).alias("b")).take(1) == [{"id": 0, "b": 1}]
    assert ds.with_columns([star()]).take(1) == [{"id": 0}]
    with pytest.raises(TypeError, match="several columns"):
        star() + 1


def test_unnest_makes_columns_of_a_struct():
    ds = penstock.data.from_items([{"s": {"a": 1, "b": "x"}, "n": 5}, {"s": None, "n": 6}])
    rows = ds.with_columns(unnest(col("s")), (col("n") + 1).alias("m")).take_all()
    assert rows[0] == {"s": {"a": 1, "b": "x"}, "n": 5, "a": 1, "b": "x", "m": 6}
    assert (rows[1]["a"], rows[1]["b"]) == (None, None)
    assert ds.with_columns([unnest("s")]).columns() == ["s", "n", "a", "b"]
    with pytest.raises(TypeError, match="struct"):
        ds.with_columns(unnest("n"))
    with pytest.raises(TypeError, match="themselves"):
        ds.with_column("x", unnest("s"))


CONSTANTS = [
    None,
    True,
    3,
    2.5,
    "ß",
    b"\xff\0",
    dt.date(2020, 2, 29),
    dt.datetime(2020, 2, 29, 1, 2, 3, 4),  # noqa: DTZ001 - without a zone
    dt.timedelta(days=1, microseconds=5),
    decimal.Decimal("12.50"),
    [1, None, 3],
    [],
    [["a"], None, []],
    [dt.date(2020, 1, 1)],
    [b"\xff"],
    [2.5, math.inf],
    {"a": 1, "b": [1.5], "c": {"d": None, "e": "x"}},
    [{"a": 1}, {"a": None}],
]


@pytest.mark.parametrize("value", CONSTANTS, ids=repr)
def test_constants_are_what_they_were(value):
    (row,) = penstock.data.range(1).with_column("v", lit(value)).select_columns(["v"]).take_all()
    expected = penstock.data.from_arrow(pa.table({"v": pa.array([value])})).take_all()
    assert repr(row) == repr(expected[0])


def test_arrays_are_lists_of_their_type():
    ds = penstock.data.range(2).with_column("v", lit(np.array([[1, 2]], np.int16)))
    assert ds.schema().types[1] == pa.list_(pa.list_(pa.int16()))
    assert ds.take(1)[0]["v"] == [[1, 2]]
    with pytest.raises(TypeError, match="one type"):
        lit([1, "a"])


def test_a_bare_null_fills_nothing():
    ds = penstock.data.from_arrow(pa.table({"n": [1, None], "s": [{"a": 1}, None]}))
    for filled in (col("n").fill_null(None), coalesce(col("n"), None), coalesce(None, col("n"))):
        assert [row["v"] for row in ds.with_column("v", filled).take_all()] == [1, None]
    assert ds.with_column("v", coalesce(None, None)).take(1)[0]["v"] is None
    filled = ds.with_column("v", col("s").fill_null({"a": 7})).take_all()
    assert filled[1]["v"] == {"a": 7}
