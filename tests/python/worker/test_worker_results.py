"""What a function may return, and what is refused."""

from __future__ import annotations

import array
from collections import UserDict, deque

import numpy as np
import pyarrow as pa
import pytest
from round_trips import round_trip

from penstock.worker import arrow, batches
from penstock.worker.failure import BadReturnError


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (range(3), [0, 1, 2]),
        (deque([1, 2]), [1, 2]),
        (array.array("d", [0.5]), [0.5]),
        (memoryview(np.arange(2)), [0, 1]),
    ],
)
def test_other_sequences_are_columns(values, wanted):
    assert round_trip(values).to_pylist() == wanted


def test_any_mapping_is_a_batch():
    batch = batches.encode(UserDict({"x": [1, 2]}), "f").pack()
    assert batches.to_numpy(batch)["x"].tolist() == [1, 2]


def test_masked_values_are_null():
    values = np.ma.MaskedArray([1, 2, 3], mask=[False, True, False])
    assert round_trip(values).to_pylist() == [1, None, 3]


def test_memory_mapped_arrays_and_matrices_are_arrays(tmp_path):
    mapped = np.memmap(tmp_path / "x", dtype="i4", mode="w+", shape=(3,))
    mapped[:] = [1, 2, 3]
    assert round_trip(mapped).to_pylist() == [1, 2, 3]


def test_tensors_of_torch_are_columns_off_the_graph():
    torch = pytest.importorskip("torch")
    graph = torch.arange(4.0, requires_grad=True) * 2
    assert round_trip(graph).to_pylist() == [0, 2, 4, 6]
    half = torch.ones(2, 3, dtype=torch.bfloat16)
    assert round_trip(half).type == pa.fixed_shape_tensor(pa.float32(), (3,))


def test_data_frames_are_batches():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "s": ["a", None],
            "c": pd.Categorical(["x", "y"]),
            "i": pd.array([1, None], dtype="Int64"),
            "t": [np.ones(2), np.zeros(2)],
            7: [0.5, np.nan],
        }
    )
    again = arrow.record_batch(batches.encode(frame, "f").pack())
    assert again.schema.names == ["n", "s", "c", "i", "t", "7"]
    assert again.column("s").to_pylist() == ["a", None]
    assert again.column("c").to_pylist() == ["x", "y"]
    assert again.column("i").to_pylist() == [1, None]
    assert again.schema.field("t").type == pa.fixed_shape_tensor(pa.float64(), (2,))
    assert np.isnan(again.column("7").to_pylist()[1])


def test_rows_take_keys_in_order_of_appearance_and_lack_of_one_is_null():
    batch = batches.encode([{"a": 1}, {"b": "x", "a": 2}, {"b": None}], "f").pack()
    rows = arrow.record_batch(batch).to_pylist()
    assert rows == [{"a": 1, "b": None}, {"a": 2, "b": "x"}, {"a": None, "b": None}]


def test_a_row_value_that_is_not_plain_takes_its_column_to_arrow():
    rows = [{"x": None}, {"x": np.float32(1)}, {"x": np.float32(2)}, {"x": None}]
    assert batches.encode(rows, "f").describe()[0].type_name == "float"
    lists = [{"x": [1]}, {"x": None}, {}, {"x": [2, 3]}]
    batch = batches.encode(lists, "f").pack()
    assert arrow.record_batch(batch).column(0).to_pylist() == [[1], None, None, [2, 3]]


def test_no_rows_are_no_columns():
    assert not batches.encode([], "f").has_columns


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "got: NoneType: None"),
        (np.arange(3), r"got: ndarray of length 3: array\(\[0, 1, 2\]\)"),
        ("text", "got: str of length 4: 'text'"),
        ({1, 2}, "got: set of length 2"),
        ([1, 2], "item 0 is no row dict; .* got: int: 1"),
        ([{"a": 1}, 5], "item 1 is no row dict; .* got: int: 5"),
        ({1: [1]}, "name is no text; got: int: 1"),
        ([{1: 1}], "a column's name must be text; got: 1"),
        ({"a\ud800": [1]}, r"without lone surrogates; rename the column; got: 'a\\ud800'"),
        ([{"a\ud800": 1}], r"without lone surrogates; rename the column; got: 'a\\ud800'"),
        ({"x": 5}, "got for column 'x': int: 5"),
        ({"x": "abc"}, "got for column 'x': str: 'abc'"),
        ({"x": {"a": [1]}}, "got for column 'x': dict"),
        ({"x": np.array(5)}, "got for column 'x': ndarray"),
        ({"x": np.float32(5)}, "got for column 'x': float32"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "differ in length; .* got: 'a' with 2, 'b' with 3"),
        ({"x": [1, "a"]}, "no common type; .* got for column 'x': \\[1, 'a'\\]"),
        ({"x": [2**64]}, "got for column 'x': \\[18446744073709551616\\]"),
        ({"x": [object()]}, "got for column 'x': \\[<object"),
        ({"x": np.zeros(2, [("a", "i4")])}, "structured array; .* column 'x'"),
        ({"x": np.zeros(2, "c8")}, "complex numbers; .* column 'x': complex64"),
        (pa.array([1]), "got: Int64Array of length 1"),
    ],
)
def test_what_cannot_be_columns_is_refused_with_names(result, said):
    with pytest.raises(BadReturnError, match=said) as caught:
        batches.encode(result, "Model.__call__")
    assert "Model.__call__" in str(caught.value)
