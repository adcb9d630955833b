from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import penstock

installed = importlib.util.find_spec("tensorflow") is not None
needs_tensorflow = pytest.mark.skipif(not installed, reason="needs tensorflow")


@pytest.fixture
def ds():
    return penstock.data.from_items([{"a": i, "b": [float(i)] * 2, "y": i % 2} for i in range(4)])


@pytest.mark.skipif(installed, reason="tensorflow is installed")
def test_without_tensorflow_the_extra_is_named(ds):
    with pytest.raises(ImportError, match=r"penstock\[tensorflow\]"):
        ds.to_tf("a", "y")
    with pytest.raises(ImportError, match=r"penstock\[tensorflow\]"):
        ds.iter_tf_batches()


@needs_tensorflow
def test_to_tf_gives_features_and_labels(ds):
    ((features, labels), _) = ds.to_tf("a", "y", batch_size=2)
    assert features.numpy().tolist() == [0, 1]
    assert labels.numpy().tolist() == [0, 1]


@needs_tensorflow
def test_several_columns_give_a_dict(ds):
    ((features, _, more),) = ds.to_tf(["a", "y"], "y", additional_columns="a", batch_size=4)
    assert sorted(features) == ["a", "y"]
    assert more.numpy().tolist() == [0, 1, 2, 3]


@needs_tensorflow
def test_batches_are_dicts_of_tensors(ds):
    (batch,) = ds.iter_tf_batches()
    assert np.allclose(batch["a"].numpy(), [0, 1, 2, 3])
