"""Data sets can be pickled, with what they read from memory."""

from __future__ import annotations

import pickle

import cloudpickle
import numpy as np
import pytest

import penstock


def test_a_data_set_over_a_function_comes_back_alike() -> None:
    dataset = penstock.data.range(10).map_batches(lambda batch: {"id": batch["id"] + 1})
    came = cloudpickle.loads(cloudpickle.dumps(dataset))
    assert came.take_all() == dataset.take_all()


def test_what_a_data_set_holds_in_memory_travels_with_it() -> None:
    arrays = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    left = penstock.data.from_items([{"a": 1, "b": "x"}, {"a": 2, "b": None}])
    right = penstock.data.from_items([{"a": 3, "b": "z"}])
    for dataset in (left.union(right), penstock.data.from_numpy(arrays), left.materialize()):
        came = pickle.loads(pickle.dumps(dataset))
        assert type(came) is type(dataset)
        assert str(came.take_all()) == str(dataset.take_all())


def test_a_data_set_that_cannot_be_written_down_says_why() -> None:
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    files.pipe("/travelling/a.txt", b"one line")
    dataset = penstock.data.read_text("/travelling/a.txt", filesystem=files)
    with pytest.raises(NotImplementedError, match="file system that is open"):
        pickle.dumps(dataset)
