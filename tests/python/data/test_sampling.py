from __future__ import annotations

import pytest

import penstock


@pytest.fixture
def ds():
    return penstock.data.range(10_000, override_num_blocks=10)


def ids(ds):
    return [row["id"] for row in ds.take_all()]


def test_a_sample_has_about_the_share_asked_for_in_order(ds):
    sample = ids(ds.random_sample(0.25, seed=3))
    assert 2300 < len(sample) < 2700
    assert sample == sorted(sample)
    assert ids(ds.random_sample(0.0)) == []
    assert len(ids(ds.random_sample(1.0))) == 10_000


def test_the_same_seed_gives_the_same_rows_whatever_works_above(ds):
    sample = ds.random_sample(0.1, seed=3)
    assert ids(sample) == ids(ds.random_sample(0.1, seed=3))
    worked = ds.random_sample(0.1, seed=3).map_batches(lambda b: b, batch_size=7, concurrency=2)
    assert ids(worked) == ids(sample)
    below = ds.map_batches(
        lambda b: b, batch_size=64, concurrency=2, udf_modifying_row_count=False
    ).random_sample(0.1, seed=3)
    assert ids(below) == ids(sample)
    assert ids(ds.random_sample(0.1, seed=4)) != ids(sample)


def test_without_a_seed_a_sample_is_repeatable_but_another_differs(ds):
    sample = ds.random_sample(0.5)
    assert ids(sample) == ids(sample)
    assert ids(ds.random_sample(0.5)) != ids(sample)


def test_a_sample_of_a_limit_sees_no_row_beyond_it(ds):
    assert max(ids(ds.limit(100).random_sample(0.5, seed=1))) < 100
    assert len(ids(ds.random_sample(0.5, seed=1).limit(100))) == 100


def test_a_sample_is_counted_by_running(ds):
    sample = ds.random_sample(0.5, seed=1)
    assert sample.count() == len(ids(sample)) < 10_000
    assert sample.schema().names == ["id"]


def test_a_fraction_out_of_range_is_refused(ds):
    for fraction in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            ds.random_sample(fraction)


def test_train_and_test_rows_are_all_rows_once(ds):
    train, test = ds.streaming_train_test_split(0.2, seed=5)
    assert sorted(ids(train) + ids(test)) == list(range(10_000))
    assert 1800 < test.count() < 2200
    renamed = test.select_columns(["id"]).map_batches(lambda b: b, batch_size=100)
    assert not set(ids(renamed)) & set(ids(train))


def test_equal_values_stay_together_when_split_by_hash(ds):
    keyed = ds.map_batches(lambda b: {"k": b["id"] % 50, "id": b["id"]})
    train, test = keyed.streaming_train_test_split(0.3, split_type="hash", hash_column="k")
    assert not set(train.unique("k")) & set(test.unique("k"))
    assert train.count() + test.count() == 10_000


def test_split_arguments_that_contradict_each_other_are_refused(ds):
    with pytest.raises(ValueError, match="hash_column"):
        ds.streaming_train_test_split(0.2, split_type="hash")
    with pytest.raises(ValueError, match="hash_column"):
        ds.streaming_train_test_split(0.2, hash_column="id")
    with pytest.raises(ValueError, match="split_type"):
        ds.streaming_train_test_split(0.2, split_type="odd")
    with pytest.raises(ValueError, match="test_size"):
        ds.streaming_train_test_split(1.2)
    with pytest.raises(TypeError, match="by a column of integers, text or binary"):
        penstock.data.from_items([{"x": 0.5}]).streaming_train_test_split(
            0.2, split_type="hash", hash_column="x"
        )[0].take_all()


def test_blocks_come_in_an_order_that_the_seed_decides(ds):
    shuffled = ids(ds.randomize_block_order(seed=7))
    assert shuffled != list(range(10_000))
    assert sorted(shuffled) == list(range(10_000))
    assert shuffled[:1000] == list(range(shuffled[0], shuffled[0] + 1000))
    assert ids(ds.randomize_block_order(seed=7)) == shuffled
    assert ids(ds.randomize_block_order(seed=8)) != shuffled


def test_a_limit_above_takes_the_first_rows_of_the_random_order(ds):
    shuffled = ds.randomize_block_order(seed=7)
    assert ids(shuffled.limit(1500)) == ids(shuffled)[:1500]
    assert shuffled.count() == 10_000


def test_materialised_blocks_are_reordered_too(ds):
    held = ds.materialize()
    assert sorted(ids(held.randomize_block_order(seed=1))) == list(range(10_000))


def test_the_block_order_is_not_changed_below_what_depends_on_it(ds):
    for made in (ds.limit(5), ds.repartition(3), ds.random_sample(0.5)):
        with pytest.raises(NotImplementedError, match="before limit"):
            made.randomize_block_order(seed=1)


def test_a_global_shuffle_says_what_there_is_instead(ds):
    with pytest.raises(NotImplementedError, match="local_shuffle_buffer_size"):
        ds.random_shuffle(seed=1)
