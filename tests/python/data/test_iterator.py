from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

import penstock


@pytest.fixture
def ds():
    return penstock.data.range(10, override_num_blocks=3)


def sizes(batches):
    return [len(batch["id"]) for batch in batches]


def test_batches_have_the_size_asked_for_across_blocks(ds):
    batches = list(ds.iter_batches(batch_size=4))
    assert [batch["id"].tolist() for batch in batches] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]


def test_the_smaller_last_batch_can_be_dropped(ds):
    assert sizes(ds.iter_batches(batch_size=4, drop_last=True)) == [4, 4]


def test_a_batch_has_256_rows_by_default():
    assert sizes(penstock.data.range(600).iter_batches()) == [256, 256, 88]


def test_batch_size_none_gives_whole_blocks(ds):
    assert sum(sizes(ds.iter_batches(batch_size=None))) == 10


@pytest.mark.parametrize(
    ("batch_format", "kind"),
    [("default", dict), ("numpy", dict), ("pandas", pd.DataFrame), ("pyarrow", pa.Table)],
)
def test_batches_come_in_the_format_asked_for(ds, batch_format, kind):
    batches = list(ds.iter_batches(batch_format=batch_format))
    assert [type(batch) for batch in batches] == [kind]


def test_rows_are_plain_dicts(ds):
    rows = list(ds.iter_rows())
    assert rows == [{"id": i} for i in range(10)]
    assert type(rows[0]["id"]) is int


def test_iterables_start_anew_each_time(ds):
    for iterable in (ds.iter_rows(), ds.iter_batches(batch_size=3)):
        assert len(list(iterable)) == len(list(iterable)) > 0


def test_a_collate_function_sees_each_batch(ds):
    assert list(ds.iter_batches(batch_size=5, _collate_fn=lambda b: sum(b["id"]))) == [10, 35]


def test_arguments_are_checked_before_the_first_batch(ds):
    with pytest.raises(ValueError, match="Batch size"):
        ds.iter_batches(batch_size=0)
    with pytest.raises(ValueError, match="batch format"):
        ds.iter_batches(batch_format="rows")
    with pytest.raises(ValueError, match="prefetch_batches"):
        ds.iter_batches(prefetch_batches=-1)
    with pytest.raises(ValueError, match="local_shuffle_buffer_size"):
        ds.iter_batches(local_shuffle_buffer_size=0)
    with pytest.raises(ValueError, match="needs a batch_size"):
        ds.iter_batches(local_shuffle_buffer_size=10, batch_size=None)


def test_an_iterator_object_does_what_the_data_set_does(ds):
    iterator = ds.iterator()
    assert isinstance(iterator, penstock.data.DataIterator)
    assert len(list(iterator.iter_rows())) == 10
    assert sizes(iterator.iter_batches(batch_size=5)) == [5, 5]
    assert iterator.schema().names == ["id"]
    assert iterator.materialize().count() == 10
    assert iterator.get_context() is ds.context
    assert "10 rows" in iterator.stats()
    assert "Dataset(" in repr(iterator)
