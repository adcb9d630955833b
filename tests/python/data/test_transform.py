from __future__ import annotations

import functools
import operator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import penstock
from penstock.data import col


def ids(ds, column="id"):
    return [row[column] for row in ds.take_all()]


class Scale:
    def __init__(self, factor, offset=0):
        self.factor = factor
        self.offset = offset

    def __call__(self, batch, extra=0, *, more=0):
        batch["id"] = batch["id"] * self.factor + self.offset + extra + more
        return batch


@pytest.fixture
def ds():
    return penstock.data.range(100)


def test_map_batches_gives_and_takes_arrays(ds):
    doubled = ds.map_batches(lambda batch: {"id": batch["id"] * 2}, batch_size=7)
    assert ids(doubled) == list(range(0, 200, 2))


def test_map_batches_makes_batches_of_the_size_asked_for(ds):
    sizes = ds.map_batches(lambda batch: {"n": [len(batch["id"])]}, batch_size=30)
    assert ids(sizes, "n") == [30, 30, 30, 10]


def test_map_batches_gives_and_takes_frames(ds):
    def double(frame):
        assert isinstance(frame, pd.DataFrame)
        return frame * 2

    assert ids(ds.map_batches(double, batch_format="pandas")) == list(range(0, 200, 2))


def test_map_batches_gives_and_takes_tables(ds):
    def first(table):
        assert isinstance(table, pa.Table)
        return table.slice(0, 1)

    assert ids(ds.map_batches(first, batch_size=50, batch_format="pyarrow")) == [0, 50]


def test_batches_may_be_changed_in_place(ds):
    def double(batch):
        batch["id"] *= 2
        return batch

    for zero_copy in (True, False):
        assert ids(ds.map_batches(double, zero_copy_batch=zero_copy)) == list(range(0, 200, 2))


def test_generators_yield_any_number_of_batches(ds):
    def twice(batch):
        yield {"id": batch["id"][:1]}
        yield {"id": batch["id"][-1:]}

    assert ids(ds.map_batches(twice, batch_size=50)) == [0, 49, 50, 99]


def test_functions_may_return_fewer_rows_or_other_columns(ds):
    summed = ds.map_batches(lambda batch: {"sum": [batch["id"].sum()]}, batch_size=100)
    assert summed.take_all() == [{"sum": 4950}]


def test_functions_may_return_lists_of_rows(ds):
    rows = ds.limit(2).map_batches(lambda batch: [{"v": int(n)} for n in batch["id"]])
    assert rows.take_all() == [{"v": 0}, {"v": 1}]


def test_classes_are_built_with_their_arguments_and_called_with_the_others(ds):
    scaled = ds.map_batches(
        Scale,
        concurrency=2,
        batch_size=10,
        fn_constructor_args=[10],
        fn_constructor_kwargs={"offset": 1},
        fn_args=[100],
        fn_kwargs={"more": 1000},
    )
    assert ids(scaled) == [n * 10 + 1101 for n in range(100)]


def test_partial_functions_and_callable_objects_are_functions(ds):
    small = ds.limit(3)
    shifted = small.map_batches(functools.partial(Scale(1), extra=5))
    assert ids(shifted) == [5, 6, 7]
    assert ids(small.map_batches(Scale(2))) == [0, 2, 4]


def test_map_replaces_each_row(ds):
    assert ids(ds.map(lambda row: {"id": row["id"] + 1})) == list(range(1, 101))


def test_rows_hold_plain_python_values(ds):
    kinds = ds.limit(1).map(lambda row: {"kind": type(row["id"]).__name__})
    assert kinds.take_all() == [{"kind": "int"}]


def test_flat_map_returns_or_yields_any_number_of_rows(ds):
    def expand(row):
        for i in range(row["id"]):
            yield {"i": i}

    small = ds.limit(4)
    assert ids(small.flat_map(expand), "i") == [0, 0, 1, 0, 1, 2]
    assert ids(small.flat_map(lambda row: [row] * (row["id"] % 2))) == [1, 3]


def test_filter_keeps_the_rows_for_which_the_function_is_true(ds):
    assert ids(ds.filter(lambda row: row["id"] % 30 == 0)) == [0, 30, 60, 90]


@pytest.mark.parametrize(
    "expr",
    [
        "id >= 10 and id < 13",
        (col("id") >= 10) & (col("id") < 13),
        "10 <= id <= 12",
        "id in [10, 11, 12]",
        "id // 1 == 10 or id * 1.0 == 11 or -id == -12",
    ],
)
def test_filter_takes_expressions_and_their_text(ds, expr):
    assert ids(ds.filter(expr=expr)) == [10, 11, 12]


def test_whole_numbers_divide_without_a_fraction_as_in_arrow(ds):
    assert ids(ds.limit(5).filter(expr="id / 2 == 1 or id % 4 == 0")) == [0, 2, 3, 4]
    assert ids(ds.limit(5).filter(expr="id / 2.0 == 1.5")) == [3]


def test_nulls_are_never_true():
    ds = penstock.data.from_items([{"a": 1}, {"a": None}, {"a": 3}])
    assert ids(ds.filter(expr="a > 1"), "a") == [3]
    assert ids(ds.filter(expr="not a > 1"), "a") == [1]
    assert ids(ds.filter(expr="a is None"), "a") == [None]


def test_filter_needs_exactly_one_of_function_and_expression(ds):
    with pytest.raises(ValueError, match="exactly one"):
        ds.filter()
    with pytest.raises(ValueError, match="exactly one"):
        ds.filter(operator.truth, "id > 1")


def test_filter_by_expression_takes_no_other_arguments(ds):
    with pytest.raises(ValueError, match="leave out: concurrency"):
        ds.filter(expr="id > 1", concurrency=2)


def test_what_is_no_expression_is_a_type_error(ds):
    with pytest.raises(TypeError, match="expression or its text; got: 3"):
        ds.filter(expr=3)


def test_a_column_that_an_expression_lacks_is_an_error_that_names_it(ds):
    with pytest.raises((KeyError, ValueError), match="absent"):
        ds.filter(expr="absent > 1").take_all()


@pytest.mark.parametrize(
    ("batch_format", "function"),
    [
        ("pandas", lambda frame: frame["id"] + 0.5),
        ("numpy", lambda batch: batch["id"] + 0.5),
        ("pyarrow", lambda table: pa.array(table["id"].to_numpy() + 0.5)),
    ],
)
def test_add_column_adds_or_replaces_a_column(ds, batch_format, function):
    added = ds.limit(2).add_column("half", function, batch_format=batch_format)
    assert added.take_all() == [{"id": 0, "half": 0.5}, {"id": 1, "half": 1.5}]
    replaced = ds.limit(2).add_column("id", function, batch_format=batch_format)
    assert replaced.take_all() == [{"id": 0.5}, {"id": 1.5}]


def test_add_column_wants_a_name_a_function_and_a_known_format(ds):
    with pytest.raises(TypeError, match="column's name"):
        ds.add_column(3, len)
    with pytest.raises(ValueError, match="needs a function"):
        ds.add_column("a", 3)
    with pytest.raises(ValueError, match="'pandas', 'numpy' or 'pyarrow'; got: 'arrow'"):
        ds.add_column("a", len, batch_format="arrow")


def test_columns_are_selected_dropped_and_renamed():
    ds = penstock.data.from_items([{"a": 1, "b": 2, "c": 3}])
    assert ds.select_columns(["c", "a"]).columns() == ["c", "a"]
    assert ds.select_columns("b").take_all() == [{"b": 2}]
    assert ds.drop_columns(["a", "c"]).take_all() == [{"b": 2}]
    assert ds.rename_columns({"a": "x"}).take_all() == [{"x": 1, "b": 2, "c": 3}]
    assert ds.rename_columns(["x", "y", "z"]).columns() == ["x", "y", "z"]


def test_a_list_of_new_names_needs_one_for_each_column():
    ds = penstock.data.from_items([{"a": 1, "b": 2}])
    with pytest.raises(ValueError, match=r"each of the 2 columns \(a, b\); got 1"):
        ds.rename_columns(["x"])
    with pytest.raises(ValueError, match="names must be"):
        ds.rename_columns({})


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.select_columns(["absent"]),
        lambda ds: ds.drop_columns(["absent"]),
        lambda ds: ds.rename_columns({"absent": "x"}),
    ],
)
def test_columns_that_are_not_there_are_errors_that_name_them(ds, change):
    with pytest.raises((KeyError, ValueError), match="absent"):
        change(ds).take_all()


def test_limit_keeps_the_first_rows(ds):
    assert ids(ds.limit(3)) == [0, 1, 2]
    assert ids(ds.limit(0)) == []
    assert ids(ds.limit(1000)) == list(range(100))
    with pytest.raises(ValueError, match="limit must not be negative; got: -1"):
        ds.limit(-1)


def test_repartition_cuts_anew_and_keeps_the_order(ds):
    blocks = ds.repartition(6).materialize()
    assert blocks.num_blocks() == 6
    assert ids(blocks) == list(range(100))
    sizes = [len(b["id"]) for b in ds.repartition(None, 30).iter_batches(batch_size=None)]
    assert sizes == [30, 30, 30, 10]


@pytest.mark.parametrize("count", [1, 3, 7])
def test_repartition_makes_exactly_the_blocks_asked_for_however_small_blocks_are_read(
    count, context
):
    context.target_max_block_size = 1024
    rows = np.arange(1000)
    for read in (penstock.data.range(1000), penstock.data.from_numpy([rows[:400], rows[400:]])):
        for rows_in in (read, read.map_batches(Identity, concurrency=1)):
            assert rows_in.repartition(count).materialize().num_blocks() == count


def test_repartition_wants_exactly_one_target(ds):
    with pytest.raises(ValueError, match="exactly one"):
        ds.repartition()
    with pytest.raises(ValueError, match="exactly one"):
        ds.repartition(2, 3)
    with pytest.raises(ValueError, match="num_blocks must be at least 1"):
        ds.repartition(0)
    with pytest.raises(NotImplementedError, match="shuffle"):
        ds.repartition(2, shuffle=True)


def test_many_blocks_go_through_few_workers():
    ds = penstock.data.from_items(list(range(10_000))).repartition(10_000)
    out = ds.map_batches(Identity, concurrency=2).materialize()
    assert (out.num_blocks(), ids(out, "item")) == (10_000, list(range(10_000)))


class Identity:
    def __call__(self, batch):
        return batch


def test_row_functions_after_each_other_keep_order(ds):
    out = ds.map(lambda row: {"v": row["id"]}).filter(lambda row: row["v"] % 2)
    out = out.flat_map(lambda row: [row, row]).map(lambda row: {"v": row["v"] * 10})
    assert ids(out, "v") == [n * 10 for n in range(1, 100, 2) for _ in range(2)]


def test_transforming_runs_nothing(ds, tmp_path):
    marker = tmp_path / "called"

    def touch(row):
        marker.touch()
        return row

    ds.map(touch).filter(touch).flat_map(touch).limit(2)
    assert not marker.exists()


def test_names_of_functions_show_in_the_plan(ds):
    text = repr(ds.map_batches(Scale, fn_constructor_args=[1]).map(ids))
    assert "MapBatches(Scale)" in text
    assert "Map(ids)" in text


@pytest.mark.parametrize("name", ["map", "map_batches", "flat_map", "filter"])
def test_all_verbs_with_functions_check_their_arguments(ds, name):
    verb = getattr(ds, name)
    with pytest.raises(ValueError, match="fn_constructor_args"):
        verb(ids, fn_constructor_args=[1])
    with pytest.raises(ValueError, match="``concurrency``"):
        verb(ids, concurrency="2")
    with pytest.raises(NotImplementedError, match="runtime_env"):
        verb(ids, runtime_env={"conda": "environment.yaml"})
    with pytest.raises(ValueError, match="num_cpus must not be negative"):
        verb(ids, num_cpus=-1)
