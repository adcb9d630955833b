"""Batches of rows of like length: what functions see, and that nobody else sees a difference."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.data import DataContext, GroupByLength

TEXTS = [{"place": place, "text": "x" * (place * 7919 % 97)} for place in range(3000)]


def spread(batch):
    lengths = [len(text) for text in batch["text"]]
    padded = len(lengths) * max(lengths)
    return {
        "place": batch["place"],
        "rows": np.full(len(lengths), len(lengths)),
        "spread": np.full(len(lengths), max(lengths) - min(lengths)),
        "padded": np.full(len(lengths), padded),
    }


def in_order(rows):
    return [row["place"] for row in rows] == list(range(len(rows)))


@pytest.mark.parametrize("blocks", [1, 7])
def test_batches_hold_rows_of_like_length_and_the_order_is_restored(blocks):
    ds = penstock.data.from_items(TEXTS, override_num_blocks=blocks)
    rows = ds.map_batches(spread, batch_size=32, group_by_length="text").take_all()
    assert in_order(rows)
    assert len(rows) == len(TEXTS)
    assert np.mean([row["spread"] for row in rows]) < 15  # In input order it is 96 nearly always.


@pytest.mark.parametrize("given", [{}, {"batch_size": "auto"}, {"num_gpus": 1}], ids=str)
def test_a_batchs_padded_length_stays_below_the_limit(given):
    ds = penstock.data.from_items(TEXTS)
    grouping = GroupByLength("text", max_padded_length=1000)
    with penstock.init(num_gpus=1):
        rows = ds.map_batches(spread, group_by_length=grouping, **given).take_all()
    assert in_order(rows)
    assert max(row["padded"] for row in rows) <= 1000
    assert max(row["rows"] for row in rows) > 50, "short texts come in large batches"


def test_windows_bound_what_is_sorted_at_once():
    ds = penstock.data.from_items(TEXTS)
    grouping = GroupByLength("text", window_rows=64)
    rows = ds.map_batches(spread, batch_size=32, group_by_length=grouping).take_all()
    assert in_order(rows)
    assert "windows of 64 rows" in explained(ds, grouping)


def explained(ds, grouping):
    plan = ds.map_batches(spread, batch_size=32, group_by_length=grouping)._plan
    return plan.explain()


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["aa", None, "", "é" * 50] * 25),
        pa.array([b"aa", None, b"", b"\xff" * 50] * 25),
        pa.array([[1, 2], None, [], [0] * 50] * 25),
        pa.array([2, 3, 0, 50] * 25, pa.int32()),
        pa.array(["aa", None, "", "é" * 50] * 25).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)
def test_text_binary_lists_and_integers_have_lengths(values):
    ds = penstock.data.from_arrow(pa.table({"place": range(100), "value": values}))
    sizes = []

    def see(batch):
        return {"place": batch["place"], "same": [len(set(map(str, batch["value"])))] * 25}

    rows = ds.map_batches(see, batch_size=25, group_by_length="value").take_all()
    sizes = [row["same"] for row in rows]
    assert in_order(rows)
    assert sizes[3] == 1, "the 25 longest are alike and make one batch"


def test_a_function_measures_what_it_likes_and_its_column_is_not_seen():
    def measure(batch):
        return [-len(text) + 100 for text in batch["text"]]

    def columns(batch):
        return {"place": batch["place"], "names": [",".join(sorted(batch))] * len(batch["place"])}

    ds = penstock.data.from_items(TEXTS[:100])
    rows = ds.map_batches(columns, batch_size=10, group_by_length=measure).take_all()
    assert in_order(rows)
    assert {row["names"] for row in rows} == {"place,text"}


def test_a_function_that_changes_the_number_of_rows_is_refused():
    ds = penstock.data.from_items(TEXTS[:100])

    def drop(batch):
        return {"place": batch["place"][1:]}

    with pytest.raises(ValueError, match="keep the number of rows"):
        ds.map_batches(drop, batch_size=10, group_by_length="text").take_all()


def test_a_column_that_is_not_there_is_named():
    ds = penstock.data.from_items(TEXTS[:10])
    with pytest.raises(KeyError, match="'words'"):
        ds.map_batches(spread, batch_size=10, group_by_length="words").take_all()


def test_an_error_names_the_rows_that_stood_in_the_batch():
    def fail(batch):
        if 42 in batch["place"]:
            raise LookupError("bad row")
        return batch

    ds = penstock.data.from_items(TEXTS[:100])
    with pytest.raises(LookupError, match=r"bad row"):
        ds.map_batches(fail, batch_size=10, group_by_length="text").take_all()


def test_a_worker_that_dies_leaves_the_order_unharmed(tmp_path):
    def stumble(batch):
        try:
            os.close(os.open(tmp_path / "passed", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return spread(batch)
        os._exit(1)

    ds = penstock.data.from_items(TEXTS, override_num_blocks=3)
    ds = ds.map_batches(stumble, batch_size=32, group_by_length="text", concurrency=2)
    rows = ds.filter(expr="spread >= 0").take_all()
    assert in_order(rows)
    assert len(rows) == len(TEXTS)


def test_without_order_every_row_comes_once():
    context = DataContext.get_current().copy()
    context.execution_options.preserve_order = False
    with DataContext.current(context):
        ds = penstock.data.from_items(TEXTS, override_num_blocks=5)
        rows = ds.map_batches(spread, batch_size=32, group_by_length="text").take_all()
    assert sorted(row["place"] for row in rows) == list(range(len(TEXTS)))


def test_limits_and_filters_behind_it_see_the_rows_in_order():
    ds = penstock.data.from_items(TEXTS)
    grouped = ds.map_batches(spread, batch_size=32, group_by_length="text")
    assert [row["place"] for row in grouped.limit(10).take_all()] == list(range(10))
    kept = grouped.filter(expr="place >= 2990").take_all()
    assert [row["place"] for row in kept] == list(range(2990, 3000))


@pytest.mark.parametrize("rows", [10, 3000])
def test_a_generator_that_yields_too_many_rows_is_an_error(rows):
    def twice(batch):
        yield batch
        yield batch

    ds = penstock.data.range(rows).map_batches(twice, batch_size=10, group_by_length="id")
    with pytest.raises(ValueError, match=r"number of rows|more rows than they got"):
        ds.take_all()


def test_a_window_that_would_fill_the_memory_ends_early():
    with penstock.init(memory=32 << 20):
        ds = penstock.data.range(600, override_num_blocks=10)
        ds = ds.map(lambda row: {"place": row["id"], "wide": b"x" * 100_000})
        ds = ds.map_batches(lambda batch: batch, batch_size=16, group_by_length="wide")
        assert [row["place"] for row in ds.iter_rows()] == list(range(600))


def test_a_model_that_runs_out_of_memory_pads_each_half_by_itself():
    def pad(batch):
        if len(batch["text"]) > 5:
            raise RuntimeError("CUDA out of memory")
        longest = max(map(len, batch["text"]))
        return {"place": batch["place"], "padded": np.ones((len(batch["text"]), longest, 1))}

    with penstock.init(num_gpus=1):
        ds = penstock.data.from_items(TEXTS[:200])
        padded = ds.map_batches(pad, batch_size=16, group_by_length="text", num_gpus=1)
        rows = padded.take_all()
    assert in_order(rows)
    assert len(rows) == 200
    assert all(
        len(row["padded"]) >= len(text["text"]) for row, text in zip(rows, TEXTS, strict=False)
    )
    assert len({len(row["padded"]) for row in rows}) > 1
