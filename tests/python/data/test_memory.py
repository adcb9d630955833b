from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import penstock


def test_dicts_are_rows():
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert penstock.data.from_items(rows).take_all() == rows


def test_other_items_get_the_column_item():
    assert penstock.data.from_items([1, 2]).take_all() == [{"item": 1}, {"item": 2}]


def test_keys_that_some_rows_lack_are_null_there():
    taken = penstock.data.from_items([{"a": 1}, {"b": 2}]).take_all()
    assert taken == [{"a": 1, "b": None}, {"a": None, "b": 2}]


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        {"x": {"y": 1}},
        dt.date(2024, 1, 2),
        dt.datetime.fromisoformat("2024-01-02 03:04:05"),
        decimal.Decimal("1.50"),
        b"bytes",
        None,
    ],
)
def test_values_of_any_arrow_type_come_back_as_they_went_in(value):
    assert penstock.data.from_items([{"v": value}]).take_all() == [{"v": value}]


def test_arrays_in_items_are_tensors():
    first = np.arange(4, dtype=np.float32).reshape(2, 2)
    taken = penstock.data.from_items([{"t": first}, {"t": first + 1}]).take_all()
    np.testing.assert_array_equal(taken[1]["t"], first + 1)


def test_items_may_not_mix_dicts_and_others():
    with pytest.raises(TypeError, match="differs from the first: 3"):
        penstock.data.from_items([{"a": 1}, 3])


def test_values_that_no_column_can_hold_are_a_type_error_that_names_the_column():
    with pytest.raises(TypeError, match="column 'odd'"):
        penstock.data.from_items([{"odd": object()}])


def test_no_items_are_an_empty_data_set():
    assert penstock.data.from_items([]).take_all() == []
    assert penstock.data.from_items([]).count() == 0


def test_items_can_be_cut_into_blocks():
    ds = penstock.data.from_items(list(range(10)), override_num_blocks=5)
    assert ds.num_blocks() == 5
    assert [row["item"] for row in ds.take_all()] == list(range(10))


@pytest.mark.parametrize("option", [{"override_num_blocks": 0}, {"parallelism": -2}])
def test_numbers_of_blocks_below_one_are_value_errors(option):
    with pytest.raises(ValueError, match="must be at least 1"):
        penstock.data.from_items([1], **option)


def test_an_array_is_the_column_data():
    array = np.arange(6).reshape(3, 2)
    batch = penstock.data.from_numpy(array).take_batch(3)
    np.testing.assert_array_equal(batch["data"], array)


def test_each_array_is_a_block():
    ds = penstock.data.from_numpy([np.arange(2), np.arange(3)])
    assert ds.num_blocks() == 2
    assert [row["data"] for row in ds.take_all()] == [0, 1, 0, 1, 2]


def test_an_array_without_axes_is_a_value_error():
    with pytest.raises(ValueError, match="at least one axis"):
        penstock.data.from_numpy(np.array(3))


def test_frames_lose_their_index_and_keep_their_columns():
    frame = pd.DataFrame({"n": [1, 2], "t": ["a", None], "f": [0.5, np.nan]}, index=[7, 8])
    back = penstock.data.from_pandas(frame).to_pandas()
    pd.testing.assert_frame_equal(back, frame.reset_index(drop=True))


def test_frames_with_pandas_own_types_go_through_arrow():
    frame = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["a", "b"])})
    taken = penstock.data.from_pandas(frame).take_all()
    assert taken == [{"n": 1, "c": "a"}, {"n": None, "c": "b"}]


def test_each_frame_is_a_block():
    frame = pd.DataFrame({"n": [1, 2]})
    assert penstock.data.from_pandas([frame, frame]).num_blocks() == 2


def test_arrow_tables_come_back_equal():
    table = pa.table({"n": [1, 2], "l": [[1], None]})
    back = penstock.data.from_arrow(table).take_batch(5, batch_format="pyarrow")
    assert back.equals(table)


def test_what_is_not_arrow_is_a_type_error():
    with pytest.raises(TypeError, match="needs Arrow tables; got: dict"):
        penstock.data.from_arrow({"n": [1]})


def test_items_may_hold_tensors_of_differing_shapes(tmp_path):
    images = [np.full((2 + i, 3, 3), i, np.uint8) for i in range(3)]
    ds = penstock.data.from_items([{"image": image} for image in images])
    assert [row["image"].shape for row in ds.take_all()] == [(2, 3, 3), (3, 3, 3), (4, 3, 3)]
    tops = ds.map(lambda row: {"top": int(row["image"].shape[0]), "sum": int(row["image"].sum())})
    assert tops.take_all() == [
        {"top": 2, "sum": 0},
        {"top": 3, "sum": 27},
        {"top": 4, "sum": 72},
    ]
    ds.write_parquet(str(tmp_path))
    again = penstock.data.read_parquet(str(tmp_path)).take_all()
    assert all(
        np.array_equal(row["image"], image) for row, image in zip(again, images, strict=True)
    )
