"""Tests of how data sets become shards in shared memory; what is put there stays in a list here."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.train import DataConfig, shards
from penstock.train.data_config import EveryRowDataConfig
from penstock.train.shard_iterator import ShardIterator


@pytest.fixture(autouse=True)
def kept(monkeypatch) -> list[object]:
    values: list[object] = []

    def put(value: object) -> int:
        values.append(value)
        return len(values) - 1

    monkeypatch.setattr(penstock, "put", put, raising=False)
    monkeypatch.setattr(penstock, "get", values.__getitem__, raising=False)
    return values


def ids_of(shard: shards.Shard) -> list[int]:
    return [row["id"] for row in ShardIterator("train", shard).iter_rows()]


def placed(config: DataConfig, workers: int, **datasets: object) -> list[dict[str, shards.Shard]]:
    return shards.place(config.configure(datasets, workers, None, None))


def test_equal_parts_leave_out_what_is_over():
    first, second = placed(DataConfig(), 2, train=penstock.data.range(11))
    assert first["train"].rows == second["train"].rows == 5
    assert len({*ids_of(first["train"]), *ids_of(second["train"])}) == 10


def test_parts_with_every_row_leave_out_none():
    found = placed(EveryRowDataConfig(), 3, train=penstock.data.range(11, override_num_blocks=4))
    assert sorted(part["train"].rows for part in found) == [3, 4, 4]
    assert sorted(i for part in found for i in ids_of(part["train"])) == list(range(11))


def test_a_data_set_that_all_get_is_kept_once(kept):
    config = DataConfig(datasets_to_split=[])
    first, second = placed(config, 2, valid=penstock.data.range(5))
    assert len(kept) == 1
    assert ids_of(first["valid"]) == ids_of(second["valid"]) == [0, 1, 2, 3, 4]


def test_small_blocks_make_one_part_and_large_ones_several(kept, monkeypatch):
    small = penstock.data.range(100, override_num_blocks=10)
    placed(DataConfig(), 1, train=small)
    assert len(kept) == 1
    monkeypatch.setattr(shards, "_PART_BYTES", 200)
    (found,) = placed(DataConfig(), 1, train=small)
    assert len(found["train"].parts) == 4
    assert ids_of(found["train"]) == list(range(100))


def test_blocks_that_differ_lie_in_parts_of_their_own():
    first = penstock.data.from_items([{"id": 1}]).map(lambda row: row)
    second = penstock.data.from_items([{"id": 2.5}])
    config = DataConfig(datasets_to_split=[])
    (found,) = placed(config, 1, train=first.union(second))
    assert len(found["train"].parts) == 2
    frame = ShardIterator("train", found["train"]).materialize().to_pandas()
    assert list(frame["id"]) == [1, 2.5]


def test_rows_are_read_without_a_copy(kept):
    (found,) = placed(DataConfig(), 1, train=penstock.data.range(1000))
    table = shards.table_of(kept[0])
    values = table.column("id").chunk(0).to_numpy()
    start = np.asarray(kept[0]).ctypes.data
    assert start <= values.ctypes.data < start + np.asarray(kept[0]).nbytes
    assert found["train"].rows == 1000


def test_no_rows_are_columns_all_the_same():
    (found,) = placed(DataConfig(), 1, train=penstock.data.range(0))
    iterator = ShardIterator("train", found["train"])
    assert iterator.count() == 0
    assert iterator.schema().base_schema == pa.schema({"id": pa.int64()})
    assert list(iterator.iter_batches()) == []
    assert iterator.materialize().to_pandas()["id"].dtype == "int64"


def test_a_subclass_parts_data_in_its_own_way():
    class Own(DataConfig):
        def configure(self, datasets, world_size, worker_handles, worker_node_ids, **_):
            return [
                {"train": datasets["train"].filter(expr=f"id % {world_size} == {rank}").iterator()}
                for rank in range(world_size)
            ]

    first, second = placed(Own(), 2, train=penstock.data.range(6))
    assert ids_of(first["train"]) == [0, 2, 4]
    assert ids_of(second["train"]) == [1, 3, 5]


def test_options_reach_the_run_of_their_data_set_alone():
    options = penstock.data.ExecutionOptions(preserve_order=False)
    datasets = {name: penstock.data.range(1) for name in ("train", "valid")}
    config = DataConfig(datasets_to_split=[], execution_options={"train": options})
    (found,) = config.configure(datasets, 1, None, None)
    assert not found["train"].get_context().execution_options.preserve_order
    assert found["valid"].get_context().execution_options.preserve_order
    assert datasets["train"].context.execution_options.preserve_order
