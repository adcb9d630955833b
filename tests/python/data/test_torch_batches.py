from __future__ import annotations

import numpy as np
import pytest

import penstock

torch = pytest.importorskip("torch")


@pytest.fixture
def ds():
    return penstock.data.from_numpy(np.arange(24, dtype=np.float32).reshape(6, 2, 2))


def rows_of(n):
    return [{"a": i, "b": i / 2, "label": i % 2} for i in range(n)]


def test_columns_become_tensors_of_their_types(ds):
    batches = list(ds.iter_torch_batches(batch_size=4))
    assert [tuple(batch["data"].shape) for batch in batches] == [(4, 2, 2), (2, 2, 2)]
    assert batches[0]["data"].dtype == torch.float32
    assert torch.equal(torch.cat([b["data"] for b in batches]).flatten(), torch.arange(24.0))


def test_tensors_may_be_changed_and_the_data_set_stays(ds):
    held = ds.materialize()
    for batch in held.iter_torch_batches(batch_size=3):
        batch["data"].add_(1)
    assert held.take(1)[0]["data"].tolist() == [[0, 1], [2, 3]]


def test_dtypes_apply_to_all_columns_or_each(ds):
    numbers = penstock.data.from_items(rows_of(3))
    (batch,) = numbers.iter_torch_batches(dtypes=torch.float16)
    assert {tensor.dtype for tensor in batch.values()} == {torch.float16}
    (batch,) = numbers.iter_torch_batches(dtypes={"a": torch.int32})
    assert (batch["a"].dtype, batch["b"].dtype) == (torch.int32, torch.float64)


def test_a_collate_function_gets_arrays_and_gives_the_batch(ds):
    batches = ds.iter_torch_batches(batch_size=6, collate_fn=lambda b: b["data"].sum())
    assert list(batches) == [276.0]


def test_options_that_a_collate_function_must_do_itself_are_refused(ds):
    with pytest.raises(ValueError, match="dtypes and device"):
        ds.iter_torch_batches(collate_fn=len, dtypes=torch.int8)
    with pytest.raises(ValueError, match="dtypes and device"):
        ds.iter_torch_batches(collate_fn=len, device="cpu")
    with pytest.raises(ValueError, match="pin_memory"):
        ds.iter_torch_batches(collate_fn=len, pin_memory=True)


def test_rows_that_differ_in_shape_become_a_list_of_tensors():
    rows = [{"x": np.ones(n + 1, dtype=np.int16)} for n in range(3)]
    (batch,) = penstock.data.from_items(rows).iter_torch_batches()
    assert [tuple(tensor.shape) for tensor in batch["x"]] == [(1,), (2,), (3,)]


@pytest.mark.parametrize("value", ["text", b"bytes", None, np.datetime64("2026-01-01", "us")])
def test_what_torch_has_no_type_for_is_named(value):
    ds = penstock.data.from_items([{"odd": value}])
    with pytest.raises(TypeError, match="column: 'odd'"):
        list(ds.iter_torch_batches())


def test_batches_can_be_shuffled(ds):
    held = penstock.data.range(100)
    options = {"local_shuffle_buffer_size": 50, "local_shuffle_seed": 1, "batch_size": 10}
    rows = torch.cat([b["id"] for b in held.iter_torch_batches(**options)]).tolist()
    assert sorted(rows) == list(range(100)) != rows


def test_to_torch_gives_features_and_label():
    data = penstock.data.from_items(rows_of(4)).to_torch(
        label_column="label", batch_size=2, feature_column_dtypes=torch.float32
    )
    batches = list(data)
    assert [tuple(features.shape) for features, _ in batches] == [(2, 2), (2, 2)]
    assert batches[1][1].tolist() == [[0], [1]]
    assert len(list(data)) == 2


def test_to_torch_groups_features_as_asked():
    ds = penstock.data.from_items(rows_of(2))
    (batch,) = ds.to_torch(feature_columns={"x": ["a"], "y": ["a", "label"]}, batch_size=2)
    assert {key: tuple(value.shape) for key, value in batch[0].items()} == {
        "x": (2, 1),
        "y": (2, 2),
    }
    assert batch[1] is None
    (batch,) = ds.to_torch(
        feature_columns=[["a"], ["b"]],
        feature_column_dtypes=[torch.int8, torch.float32],
        batch_size=2,
    )
    assert [tensor.dtype for tensor in batch[0]] == [torch.int8, torch.float32]
    with pytest.raises(TypeError, match="feature_column_dtypes"):
        ds.to_torch(feature_columns=["a"], feature_column_dtypes={"x": torch.int8})


def test_an_iterator_gives_torch_batches_too(ds):
    first, second = ds.streaming_split(2)
    counts = [sum(len(b["data"]) for b in it.iter_torch_batches()) for it in (first, second)]
    assert counts == [3, 3]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_may_lie_on_a_gpu(ds):
    (batch,) = ds.iter_torch_batches(device="cuda", pin_memory=True)
    assert batch["data"].is_cuda
    assert batch["data"].sum().item() == 276.0
