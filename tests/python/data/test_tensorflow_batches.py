"""TensorFlow's tensors and data sets; `make test-tensorflow` runs what is marked."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import penstock


@pytest.fixture
def tf():
    import tensorflow as tf

    return tf


@pytest.fixture
def ds():
    return penstock.data.from_items([{"a": i, "b": [float(i)] * 2, "y": i % 2} for i in range(4)])


def test_without_tensorflow_the_extra_is_named(ds, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r"to_tf .*'penstock\[tensorflow\]'"):
        ds.to_tf("a", "y")
    with pytest.raises(ImportError, match=r"iter_tf_batches .*'penstock\[tensorflow\]'"):
        ds.iter_tf_batches()


@pytest.mark.tensorflow
class TestBatches:
    def test_to_tf_gives_features_and_labels(self, ds):
        ((features, labels), _) = ds.to_tf("a", "y", batch_size=2)
        assert features.numpy().tolist() == [0, 1]
        assert labels.numpy().tolist() == [0, 1]

    def test_several_columns_give_a_dict(self, ds):
        ((features, _, more),) = ds.to_tf(["a", "y"], "y", additional_columns="a", batch_size=4)
        assert sorted(features) == ["a", "y"]
        assert more.numpy().tolist() == [0, 1, 2, 3]

    def test_a_last_batch_of_fewer_rows_fits_the_types_that_the_first_row_shows(self, ds):
        batches = list(ds.to_tf(["a", "b"], "y", batch_size=3))
        assert [features["a"].shape.as_list() for features, _ in batches] == [[3], [1]]
        assert [features["b"].to_list() for features, _ in batches] == [
            [[0, 0], [1, 1], [2, 2]],
            [[3, 3]],
        ]

    def test_given_types_are_what_the_tensors_have(self, ds, tf):
        spec = tf.TensorSpec([None], tf.int32)
        dataset = ds.to_tf("a", "y", feature_type_spec=spec, label_type_spec=spec, batch_size=4)
        assert dataset.element_spec == (spec, spec)
        ((features, _),) = dataset
        assert features.dtype == tf.int32

    def test_batches_are_dicts_of_tensors(self, ds, tf):
        (batch,) = ds.iter_tf_batches()
        assert np.allclose(batch["a"].numpy(), [0, 1, 2, 3])
        (batch,) = ds.iter_tf_batches(dtypes={"a": tf.float16})
        assert (batch["a"].dtype, batch["y"].dtype) == (tf.float16, tf.int64)

    def test_text_becomes_tensors_of_bytes(self):
        texts = penstock.data.from_items([{"s": "a"}, {"s": "ä"}])
        (batch,) = texts.iter_tf_batches()
        assert batch["s"].numpy().tolist() == [b"a", "ä".encode()]

    def test_lists_of_any_lengths_become_ragged_tensors_of_their_type(self, tf):
        rows = penstock.data.from_items([{"v": [2**40 + i] * i} for i in range(3)])
        wanted = [[], [2**40 + 1], [2**40 + 2] * 2]
        (batch,) = rows.iter_tf_batches()
        assert isinstance(batch["v"], tf.RaggedTensor)
        assert (batch["v"].to_list(), batch["v"].dtype) == (wanted, tf.int64)
        ((features, _),) = rows.to_tf("v", "v", batch_size=3)
        assert (features.to_list(), features.dtype) == (wanted, tf.int64)

    @pytest.mark.parametrize("is_given", [False, True])
    def test_tensors_of_varying_shapes_are_ragged_in_every_batch(self, is_given, tf):
        rows = penstock.data.range(4, override_num_blocks=1).map(
            lambda row: {"v": np.full((2, 1 + row["id"] // 2), 1.5)}
        )
        spec = tf.RaggedTensorSpec([None, None, None], tf.float64, ragged_rank=2)
        batches = (
            rows.to_tf("v", "v", batch_size=2, feature_type_spec=spec, label_type_spec=spec)
            if is_given
            else rows.materialize().to_tf("v", "v", batch_size=2)
        )
        assert batches.element_spec == (spec, spec)
        assert [features.to_list() for features, _ in batches] == [
            [[[1.5]] * 2] * 2,
            [[[1.5, 1.5]] * 2] * 2,
        ]


@pytest.mark.tensorflow
class TestDataSets:
    def test_elements_become_rows_in_their_order(self, tf):
        numbers = tf.data.Dataset.range(3)
        assert penstock.data.from_tf(numbers).take_all() == [{"item": i} for i in range(3)]

    def test_dicts_become_columns_and_tuples_columns_named_by_their_places(self, tf):
        columns = tf.data.Dataset.from_tensor_slices({"a": [1, 2], "s": ["x", "y"]})
        assert penstock.data.from_tf(columns).take_all() == [
            {"a": 1, "s": b"x"},
            {"a": 2, "s": b"y"},
        ]
        pairs = tf.data.Dataset.from_tensor_slices((np.zeros((2, 3), "f4"), [7, 8]))
        ds = penstock.data.from_tf(pairs)
        assert [row["1"] for row in ds.take_all()] == [7, 8]
        assert ds.take(1)[0]["0"].shape == (3,)
