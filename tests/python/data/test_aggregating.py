from __future__ import annotations

import datetime as dt
import decimal
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import penstock
from penstock.data import aggregate
from penstock.data.aggregate import (
    AbsMax,
    AggregateFn,
    AggregateFnV2,
    AsList,
    Count,
    CountDistinct,
    Max,
    Mean,
    MissingValuePercentage,
    Quantile,
    Std,
    Sum,
    Unique,
    ValueCounter,
    ZeroPercentage,
)


@pytest.fixture
def ds():
    return penstock.data.range(101, override_num_blocks=7)


def items(*values):
    return penstock.data.from_items([{"a": value} for value in values], override_num_blocks=2)


def test_one_column_gives_its_value(ds):
    assert ds.sum("id") == 5050
    assert ds.min("id") == 0
    assert ds.max("id") == 100
    assert ds.mean("id") == 50.0
    assert ds.std("id") == pytest.approx(29.300170647967224)
    assert ds.std("id", ddof=0) == pytest.approx(29.1547594742265)
    assert ds.sum(["id"]) == ds.sum() == 5050


def test_several_columns_give_a_dict():
    ds = penstock.data.from_items([{"a": 1, "b": 0.5}, {"a": 2, "b": 1.5}])
    assert ds.sum(["a", "b"]) == {"sum(a)": 3, "sum(b)": 2.0}
    assert ds.mean() == {"mean(a)": 1.5, "mean(b)": 1.0}
    assert ds.max(["b"]) == 1.5


@pytest.mark.parametrize("verb", ["sum", "min", "max", "mean", "std"])
def test_a_data_set_without_rows_gives_none(ds, verb):
    empty = ds.filter(expr="id > 1000")
    assert getattr(empty, verb)("id") is None
    assert getattr(empty, verb)() is None
    assert getattr(penstock.data.from_items([]), verb)("a") is None
    assert getattr(ds.limit(0), verb)("id") is None
    assert empty.aggregate(Sum("id"), Count()) is None


def test_an_integer_sum_is_exact_however_large():
    assert items(2**62, 2**62, 2**62, 1).sum("a") == 3 * 2**62 + 1


@pytest.mark.parametrize(("verb", "value"), [("sum", 4), ("min", 1), ("max", 3), ("mean", 2.0)])
def test_nulls_are_passed_over_unless_they_count(verb, value):
    ds = items(1, None, 3)
    assert getattr(ds, verb)("a") == value
    assert getattr(ds, verb)("a", ignore_nulls=False) is None


def test_all_nulls_give_none():
    ds = penstock.data.from_arrow(pa.table({"a": pa.array([None, None], pa.int64())}))
    assert ds.sum("a") is ds.mean("a") is ds.std("a") is ds.min("a") is None


def test_nan_spoils_sums_but_not_extremes():
    ds = items(1.5, math.nan, 3.0)
    assert math.isnan(ds.sum("a"))
    assert math.isnan(ds.mean("a"))
    assert (ds.min("a"), ds.max("a")) == (1.5, 3.0)


def test_extremes_keep_their_types():
    day = dt.date(2026, 1, 2)
    table = pa.table(
        {
            "t": ["fig", "apple"],
            "d": [day, day + dt.timedelta(3)],
            "m": pa.array([decimal.Decimal("1.10"), decimal.Decimal("2.05")]),
        }
    )
    ds = penstock.data.from_arrow(table)
    assert ds.min("t") == "apple"
    assert ds.max("d") == dt.date(2026, 1, 5)
    assert ds.sum("m") == decimal.Decimal("3.15")


def test_a_column_that_is_not_there_is_named(ds):
    with pytest.raises(penstock.exceptions.MissingColumnError, match="'nope'"):
        ds.sum("nope")


def test_a_column_that_cannot_be_summed_is_named():
    with pytest.raises(TypeError, match="no sum of column 'a', which is string"):
        items("x", "y").sum("a")


def test_only_the_columns_needed_are_read(ds, tmp_path):
    wide = ds.add_column("text", lambda frame: frame["id"].astype(str))
    wide.write_parquet(str(tmp_path))
    read = penstock.data.read_parquet(str(tmp_path))
    assert read.sum("id") == 5050
    assert "columns=[id]" in read._last_run._plan.explain()
    assert read.aggregate(Count("text"), Sum("id")) == {"count(text)": 101, "sum(id)": 5050}


def test_unique_lists_values_as_they_first_come():
    assert items(2, 1, None, 2).unique("a") == [2, 1, None]
    assert items(2, 1, None, 2).unique("a", ignore_nulls=True) == [2, 1]
    assert penstock.data.from_items([]).unique("a") == []


def test_aggregates_of_all_kinds_in_one_pass():
    ds = items(3, -5, 0, None, 3)
    assert ds.aggregate(
        Count(),
        Count("a"),
        Count("a", ignore_nulls=True, alias_name="values"),
        AbsMax("a"),
        CountDistinct("a"),
        Unique("a"),
        AsList("a"),
        ValueCounter("a"),
        Quantile("a", q=0.5),
        MissingValuePercentage("a"),
        ZeroPercentage("a"),
    ) == {
        "count()": 5,
        "count(a)": 5,
        "values": 4,
        "abs_max(a)": 5,
        "count_distinct(a)": 3,
        "unique(a)": [3, -5, 0],
        "list(a)": [3, -5, 0, None, 3],
        "value_counter(a)": {"values": [3, -5, 0], "counts": [2, 1, 1]},
        "quantile(a)": 1.5,
        "missing_pct(a)": 20.0,
        "zero_pct(a)": 25.0,
    }


def test_counts_alone_need_no_column(ds):
    assert ds.aggregate(Count()) == {"count()": 101}
    assert ds.filter(expr="id < 3").aggregate(Count()) == {"count()": 3}


def test_aggregates_that_make_no_sense_are_refused(ds):
    with pytest.raises(TypeError, match="needs aggregates"):
        ds.aggregate("sum")
    with pytest.raises(ValueError, match="at least one"):
        ds.aggregate()
    with pytest.raises(ValueError, match="alias_name"):
        ds.aggregate(Sum("id"), Sum("id"))
    with pytest.raises(ValueError, match="`on`"):
        Sum()
    with pytest.raises(ValueError, match="between 0 and 1"):
        Quantile("id", q=2)


class Longest(AggregateFnV2):
    def __init__(self, on, *, ignore_nulls=True):
        super().__init__(f"longest({on})", lambda: 0, on=on, ignore_nulls=ignore_nulls)

    def aggregate_block(self, block):
        lengths = [len(text) for text in block.column(self.on).to_pylist() if text is not None]
        return max(lengths, default=None)

    def combine(self, current_accumulator, new):
        return max(current_accumulator, new)

    def _finalize(self, accumulator):
        return f"{accumulator} letters"


def test_an_aggregate_of_ones_own_runs_beside_the_others():
    assert items("fig", "apple", "pear").aggregate(Longest("a"), Max("a")) == {
        "longest(a)": "5 letters",
        "max(a)": "pear",
    }
    assert items("fig", None).aggregate(Longest("a")) == {"longest(a)": "3 letters"}
    nulls = items("fig", None).aggregate(Longest("a", ignore_nulls=False))
    assert nulls == {"longest(a)": None}


def test_an_aggregate_may_be_made_of_functions(ds):
    total = AggregateFn(
        init=lambda _: 0,
        merge=lambda left, right: left + right,
        name="total",
        accumulate_row=lambda so_far, row: so_far + row["id"],
        finalize=lambda so_far: -so_far,
    )
    assert ds.aggregate(total, Mean("id")) == {"total": -5050, "mean(id)": 50.0}
    with pytest.raises(ValueError, match="exactly one"):
        AggregateFn(init=lambda _: 0, merge=max, name="x")


def test_blocks_that_differ_are_aggregated_together(ds):
    mixed = ds.map_batches(
        lambda batch: {"v": batch["id"] / 2 if batch["id"][0] % 2 else batch["id"]},
        batch_size=1,
    )
    assert mixed.sum("v") == 2550 + 2500 / 2
    assert mixed.aggregate(Std("v"))["std(v)"] > 0
    assert aggregate.Std("v").name == "std(v)"


@pytest.mark.parametrize("seed", range(5))
def test_aggregates_agree_with_pandas_on_random_numbers(seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "whole": random.integers(-(2**40), 2**40, 500),
            "real": random.normal(1e6, 1, 500),
            "small": random.integers(0, 9, 500).astype(np.int8),
        }
    )
    holes = random.random(500) < 0.2
    table = pa.table(
        {
            name: pa.array(values.to_numpy(), mask=None if name == "small" else holes)
            for name, values in frame.items()
        }
    )
    cuts = [table.slice(start, 37) for start in range(0, 500, 37)]
    ds = penstock.data.from_arrow(cuts)
    frame.loc[holes, ["whole", "real"]] = None
    for name in frame:
        column = frame[name].dropna()
        assert ds.sum(name) == pytest.approx(column.sum(), rel=1e-12)
        assert ds.min(name) == column.min()
        assert ds.max(name) == column.max()
        assert ds.mean(name) == pytest.approx(column.mean(), rel=1e-12)
        assert ds.std(name) == pytest.approx(column.std(), rel=1e-9)
        assert ds.unique(name, ignore_nulls=True) == column.unique().tolist()
