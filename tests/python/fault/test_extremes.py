from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.data import ThreadPoolStrategy
from penstock.exceptions import BudgetTooSmallError

ROWS = 20_000


class Same:
    def __call__(self, batch):
        return batch


def same(batch):
    return batch


class Waits:
    async def __call__(self, batch):
        await asyncio.sleep(0)
        return batch


def add_tensors(batch):
    rows = len(batch["id"])
    return {"id": batch["id"], "tensor": np.broadcast_to(batch["id"], (8, 4, rows)).T.copy()}


def halve(batch):
    middle = len(batch["id"]) // 2
    yield {"id": batch["id"][:middle]}
    yield {"id": batch["id"][middle:]}


def repeat(batch):
    for _ in range(20):
        yield batch


@pytest.fixture(params=[1, 8], ids=["1 MiB", "8 MiB"])
def budget(request):
    with penstock.init(memory=request.param << 20, num_cpus=1):
        yield request.param << 20


def is_ordered(ds, rows=ROWS):
    """Say whether the data set's rows are 0, 1, 2, … up to `rows`."""
    parts = [batch["id"] for batch in ds.iter_batches(batch_size=None)]
    return np.array_equal(np.concatenate([[], *parts]), np.arange(rows))


SHAPES = {
    "a function": lambda ds: ds.map_batches(same),
    "two classes": lambda ds: ds.map_batches(Same, batch_size=1000, concurrency=1).map_batches(
        Same, batch_size=333, concurrency=2
    ),
    "more blocks": lambda ds: ds.repartition(97).map_batches(same),
    "fewer blocks": lambda ds: ds.map_batches(same, batch_size=100).repartition(3),
    "batches larger than the data": lambda ds: ds.map_batches(same, batch_size=10 * ROWS),
    "a limit beyond the end": lambda ds: ds.limit(2 * ROWS).map_batches(same),
    "generators": lambda ds: ds.map_batches(halve, batch_size=500).map_batches(halve),
    "rows": lambda ds: ds.map(lambda row: row).filter(lambda row: True).flat_map(lambda row: [row]),
    "batches that grow": lambda ds: ds.map_batches(Same, batch_size="auto", concurrency=1),
    "pools that grow": lambda ds: ds.map_batches(Same, batch_size=100, concurrency=(1, 3, 1)),
    "short-lived workers": lambda ds: ds.map_batches(
        Same, batch_size=2500, concurrency=1, max_batches_per_worker=3
    ),
    "stages that take turns": lambda ds: ds.map_batches(
        Same, batch_size=1000, num_cpus=1, concurrency=1
    ).map_batches(Same, batch_size=1000, num_cpus=1, concurrency=1),
    "batches by length": lambda ds: ds.map_batches(same, batch_size=100, group_by_length="id"),
    "async functions": lambda ds: ds.map_batches(Waits, batch_size=500, concurrency=1),
    "threads": lambda ds: ds.map_batches(
        Same, batch_size=500, compute=ThreadPoolStrategy(size=2)
    ).map(Same, compute=ThreadPoolStrategy(size=1)),
    "a shared model": lambda ds: ds.map_batches(
        Same, batch_size=500, concurrency=2, share_model=True
    ),
    "rows that may be left out": lambda ds: ds.map_batches(
        same, batch_size=500, on_error="drop"
    ).map_batches(Same, concurrency=1, on_error="drop"),
    "tensors": lambda ds: (
        ds.map_batches(add_tensors, batch_size=500)
        .map_batches(Same, batch_size=100, concurrency=1)
        .map_batches(same)
    ),
    "a union": lambda ds: ds.limit(ROWS // 2).union(
        penstock.data.range(ROWS).filter(expr=f"id >= {ROWS // 2}").map_batches(same)
    ),
    "a zip": lambda ds: ds.zip(
        penstock.data.range(ROWS).rename_columns({"id": "other"}).map_batches(same)
    ).select_columns(["id"]),
    "materialised": lambda ds: ds.map_batches(same).materialize().map_batches(same),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_one_processor_and_little_memory_are_enough(shape, budget):
    assert is_ordered(SHAPES[shape](penstock.data.range(ROWS, override_num_blocks=20)))


def test_what_is_written_is_read_again(budget, tmp_path):
    rows = penstock.data.range(ROWS, override_num_blocks=20)
    for write, read in (
        ("write_parquet", penstock.data.read_parquet),
        ("write_json", penstock.data.read_json),
        ("write_csv", penstock.data.read_csv),
    ):
        folder = tmp_path / write
        getattr(rows.map_batches(Same, batch_size=500, concurrency=1), write)(
            folder, min_rows_per_file=3000
        )
        assert is_ordered(read(folder).map_batches(same))


def test_tensors_are_written_and_read_again(budget, tmp_path):
    ds = penstock.data.range(ROWS, override_num_blocks=20).map_batches(add_tensors, batch_size=500)
    ds.write_parquet(tmp_path / "out")
    read = penstock.data.read_parquet(tmp_path / "out")
    assert is_ordered(read.map_batches(Same, batch_size=100, concurrency=1))


def test_rows_that_fail_are_left_out(budget):
    def choosy(row):
        if row["id"] % 1000 == 7:
            raise ValueError(row["id"])
        return row

    ds = penstock.data.range(ROWS // 4, override_num_blocks=5).map(choosy, on_error="drop")
    left = [row["id"] for row in ds.map_batches(Same, concurrency=1).take_all()]
    assert left == [number for number in range(ROWS // 4) if number % 1000 != 7]


@pytest.mark.parametrize("equal", [False, True])
def test_iterators_that_share_a_run_get_all_rows_between_them(budget, equal):
    ds = penstock.data.range(ROWS, override_num_blocks=20).map_batches(
        Same, batch_size=500, concurrency=1
    )
    iterators = ds.streaming_split(2, equal=equal)
    with ThreadPoolExecutor(2) as threads:
        parts = list(threads.map(numbers_of, iterators))
    assert sorted(parts[0] + parts[1]) == list(range(ROWS))


def numbers_of(iterator):
    return [number for batch in iterator.iter_batches(batch_size=None) for number in batch["id"]]


@pytest.mark.parametrize("processors", [1, 2])
def test_more_workers_than_processors_come_to_the_end_of_many_small_blocks(processors):
    with penstock.init(memory=8 << 20, num_cpus=processors):
        ds = penstock.data.from_numpy(np.arange(10_000)).repartition(1000)
        assert ds.map_batches(Same, concurrency=2).count() == 10_000


@pytest.mark.parametrize("rows", [0, 1, 999, 1000, 1001])
def test_limits_hold_wherever_they_stand(rows, budget):
    ds = penstock.data.range(ROWS, override_num_blocks=20)
    assert is_ordered(ds.limit(rows).map_batches(Same, concurrency=1), rows)
    assert is_ordered(ds.map_batches(Same, batch_size=1000, concurrency=1).limit(rows), rows)


def test_functions_may_yield_far_more_than_they_got(budget):
    ds = penstock.data.range(5000).flat_map(lambda row: [row] * 100)
    assert ds.map_batches(same).count() == 500_000
    ds = penstock.data.range(1000).map_batches(repeat, batch_size=100)
    assert ds.map_batches(repeat, batch_size=100).count() == 400_000


def test_functions_may_yield_nothing(budget):
    ds = penstock.data.range(ROWS, override_num_blocks=20).filter(lambda row: False)
    assert ds.map_batches(same).take_all() == []


def test_a_row_may_be_larger_than_the_budget(budget, tmp_path):
    def widen(row):
        return {"x": np.full(budget // 4, float(row["id"]))}

    wide = penstock.data.range(3).map(widen)
    firsts = [batch["x"][0, 0] for batch in wide.map_batches(same).iter_batches(batch_size=1)]
    assert firsts == [0.0, 1.0, 2.0]
    wide.write_parquet(tmp_path / "out")
    assert penstock.data.read_parquet(tmp_path / "out").count() == 3


def test_a_batch_that_cannot_be_gathered_is_refused_with_the_budget():
    wide = penstock.data.from_numpy(np.zeros((4, 1 << 17)))
    with (
        penstock.init(memory=1 << 20),
        pytest.raises(BudgetTooSmallError, match=r"batch of 4 rows.*1048576"),
    ):
        wide.map_batches(same, batch_size=4).take_all()


def test_no_rows_stay_no_rows(tmp_path):
    none = penstock.data.range(0).map_batches(same)
    assert (none.take_all(), none.count(), len(none.to_pandas())) == ([], 0, 0)
    none.write_parquet(tmp_path / "out")
    assert penstock.data.read_parquet(tmp_path / "out").count() == 0


@pytest.mark.parametrize("rows", [10**15, 2**63 - 1])
def test_the_first_of_any_number_of_rows_come_at_once(rows, budget):
    many = penstock.data.range(rows)
    assert (many.count(), many.take(1), many.limit(2).count()) == (rows, [{"id": 0}], 2)
    assert many.map_batches(same).take(1) == [{"id": 0}]
    assert many.repartition(10**12).take(1) == [{"id": 0}]


def test_many_columns_pass_through():
    names = [f"column {number}" for number in range(2000)]

    def widen(batch):
        return dict.fromkeys(names, batch["id"])

    (row, _) = penstock.data.range(2).map_batches(widen).map_batches(same).take_all()
    assert list(row) == names


NAMES = ['"', "'", "😀", "new\nline", "", "a.b", " ", "\\", "%s{}", "a,b", "null\0", "x" * 10_000]


def test_any_text_can_be_a_columns_name(tmp_path):
    def rename(batch):
        return dict.fromkeys(NAMES, batch["id"])

    ds = penstock.data.range(1).map_batches(rename).map(lambda row: row)
    assert list(ds.take(1)[0]) == NAMES
    ds.write_parquet(tmp_path / "out")
    read = penstock.data.read_parquet(tmp_path / "out")
    for name in NAMES:
        assert read.select_columns([name]).take_all() == [{name: 0}]


def test_many_blocks_and_more_workers_than_processors():
    assert is_ordered(penstock.data.range(2000, override_num_blocks=2000), 2000)
    crowd = penstock.data.range(200, override_num_blocks=100).map_batches(Same, concurrency=12)
    assert is_ordered(crowd, 200)


def test_tensors_of_bool_come_back_as_they_were():
    def mark(batch):
        return {"mask": np.array([[True, False], [False, True]])}

    ds = penstock.data.range(2).map_batches(mark)
    (batch,) = ds.iter_batches()
    assert batch["mask"].tolist() == [[True, False], [False, True]]
    assert [row["mask"].tolist() for row in ds.take_all()] == [[True, False], [False, True]]
    assert [mask.tolist() for mask in ds.to_pandas()["mask"]] == [[True, False], [False, True]]


def test_two_iterators_may_take_turns():
    ds = penstock.data.range(1000).map_batches(same, batch_size=100)
    batches = ds.iter_batches(batch_size=100)
    pairs = zip(batches, batches, strict=True)
    assert sum(np.array_equal(left["id"], right["id"]) for left, right in pairs) == 10


def test_dropped_iterators_leave_no_descriptor_and_no_thread():
    def drop_one(function):
        ds = penstock.data.range(10**9)
        iterator = iter((ds.map_batches(same) if function else ds).iter_batches(batch_size=10))
        next(iterator)

    def held():
        gc.collect()
        own = Path("/proc/self")
        return len(list((own / "fd").iterdir())), len(list((own / "task").iterdir()))

    drop_one(function=True)
    before = held()
    for _ in range(100):
        drop_one(function=False)
    drop_one(function=True)
    assert held() == before
