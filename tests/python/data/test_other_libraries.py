"""Data sets and frames of other libraries; each test runs where the library is installed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from penstock.data import (
    MaterializedDataset,
    from_blocks,
    from_daft,
    from_dask,
    from_huggingface,
    from_modin,
    from_spark,
    from_tf,
    from_torch,
)


class TestHuggingFace:
    @pytest.fixture
    def dataset(self):
        datasets = pytest.importorskip("datasets")
        return datasets.Dataset.from_dict(
            {"x": list(range(100)), "t": [f"t{i}" for i in range(100)]}
        )

    def test_a_table_is_taken_as_it_is(self, dataset):
        ds = from_huggingface(dataset)
        assert isinstance(ds, MaterializedDataset)
        assert ds.take(1) == [{"x": 0, "t": "t0"}]
        assert ds.count() == 100

    def test_chosen_rows_are_gathered(self, dataset):
        ds = from_huggingface(dataset.select([5, 3, 1]))
        assert [row["x"] for row in ds.take_all()] == [5, 3, 1]
        assert from_huggingface(dataset.select([])).columns() == ["x", "t"]

    def test_a_stream_is_read_shard_by_shard_in_order(self, dataset, capsys):
        ds = from_huggingface(dataset.to_iterable_dataset(num_shards=4))
        assert not isinstance(ds, MaterializedDataset)
        assert [row["x"] for row in ds.take_all()] == list(range(100))
        ds.explain()
        assert "splits=4" in capsys.readouterr().out

    def test_a_split_must_be_chosen(self, dataset):
        import datasets

        with pytest.raises(TypeError, match=r"one split.* got those named: train"):
            from_huggingface(datasets.DatasetDict(train=dataset))
        with pytest.raises(TypeError, match="needs a data set of datasets; got: 3"):
            from_huggingface(3)


class TestTorch:
    torch = pytest.importorskip("torch")

    def test_a_map_style_data_set_keeps_its_order(self):
        class Squares(self.torch.utils.data.Dataset):
            def __len__(self):
                return 50

            def __getitem__(self, index):
                import torch

                return torch.full((2, 3), float(index))

        ds = from_torch(Squares())
        items = [row["item"] for row in ds.take_all()]
        assert [int(item[0, 0]) for item in items] == list(range(50))
        assert items[0].shape == (2, 3)
        assert items[0].dtype == np.float32

    def test_tuples_become_structs_that_keep_their_types(self):
        class Pairs(self.torch.utils.data.Dataset):
            def __len__(self):
                return 3

            def __getitem__(self, index):
                import torch

                return torch.ones(2, 2, dtype=torch.uint8) * index, f"label {index}"

        ds = from_torch(Pairs())
        assert ds.take_all()[2] == {"item": {"0": [[2, 2], [2, 2]], "1": "label 2"}}
        assert "uint8" in str(ds.schema().types[0])

    def test_an_iterable_data_set_is_one_task(self):
        class Count(self.torch.utils.data.IterableDataset):
            def __iter__(self):
                return iter(range(3000))

        assert [row["item"] for row in from_torch(Count()).take_all()] == list(range(3000))

    def test_what_a_data_set_raises_is_shown(self):
        class Fails(self.torch.utils.data.Dataset):
            def __len__(self):
                return 1

            def __getitem__(self, index):
                raise KeyError("broken item")

        with pytest.raises(KeyError, match="broken item"):
            from_torch(Fails()).take_all()

    def test_only_torch_data_sets_are_taken(self):
        with pytest.raises(TypeError, match=r"needs a torch.utils.data.Dataset; got: \[1\]"):
            from_torch([1])


def test_blocks_of_any_kind_become_blocks():
    ds = from_blocks([{"a": np.array([1, 2])}, pd.DataFrame({"a": [3]})])
    assert [row["a"] for row in ds.take_all()] == [1, 2, 3]


def test_a_daft_frame_is_taken():
    daft = pytest.importorskip("daft")
    ds = from_daft(daft.from_pydict({"a": [1, 2], "s": ["x", "y"]}))
    assert ds.take_all() == [{"a": 1, "s": "x"}, {"a": 2, "s": "y"}]


def test_a_dask_frame_is_taken():
    frames = pytest.importorskip("dask.dataframe")
    ds = from_dask(frames.from_pandas(pd.DataFrame({"a": [1, 2, 3, 4]}), npartitions=2))
    assert [row["a"] for row in ds.take_all()] == [1, 2, 3, 4]


def test_frames_that_offer_the_methods_are_taken():
    import pyarrow as pa

    class Frame:
        def _to_pandas(self):
            return pd.DataFrame({"a": [1]})

        toPandas = _to_pandas  # noqa: N815 - Spark's name

    class NewFrame:
        def toArrow(self):  # noqa: N802 - Spark's name
            return pa.table({"a": [1, 2]})

    class Elements:
        def as_numpy_iterator(self):
            return iter([(np.int64(1), np.zeros(2)), (np.int64(2), np.ones(2))])

    assert from_modin(Frame()).take_all() == [{"a": 1}]
    assert from_spark(Frame()).take_all() == [{"a": 1}]
    assert from_spark(NewFrame()).count() == 2
    assert [row["0"] for row in from_tf(Elements()).take_all()] == [1, 2]


@pytest.mark.parametrize("take", [from_daft, from_dask, from_modin, from_spark, from_tf])
def test_other_values_are_refused(take):
    with pytest.raises(TypeError, match="got: int"):
        take(3)
