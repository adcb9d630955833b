"""Row functions run one after the other over each row."""

from __future__ import annotations

import numpy as np
import pytest

from penstock import _worker
from penstock.worker import batches


def chain(*steps):
    made = _worker.RowChain()
    for kind, function in steps:
        made.add(kind, function)
    return made


def run(columns, *steps):
    batch = batches.encode(columns, "f").pack()
    encoded = chain(*steps).run(batch, batches.other_values(batch))
    output = batches.finish(encoded, "f")
    if not output.has_columns:
        return []
    packed = output.pack()
    return packed.to_rows(batches.other_values(packed))


def test_a_map_gets_and_returns_rows():
    assert run({"id": [1, 2]}, ("row", lambda row: {"x": row["id"] + 1})) == [{"x": 2}, {"x": 3}]


def test_a_map_may_change_its_row_in_place():
    def double(row):
        row["id"] *= 2
        return row

    assert run({"id": [1, 2]}, ("row", double)) == [{"id": 2}, {"id": 4}]


def test_a_flat_map_returns_any_iterable_of_rows():
    def repeat(row):
        for i in range(row["n"]):
            yield {"i": i}

    assert run({"n": [0, 2, 1]}, ("flat_row", repeat)) == [{"i": 0}, {"i": 1}, {"i": 0}]
    assert run({"n": [1]}, ("flat_row", lambda row: [row, row])) == [{"n": 1}, {"n": 1}]


def test_chains_mix_kinds_in_their_order():
    rows = run(
        {"n": range(4)},
        ("filter_row", lambda row: row["n"] % 2 == 0),
        ("flat_row", lambda row: [{"m": row["n"]}, {"m": row["n"] + 1}]),
        ("row", lambda row: {"k": row["m"] * 10}),
        ("filter_row", lambda row: np.bool_(row["k"] != 10)),
    )
    assert rows == [{"k": 0}, {"k": 20}, {"k": 30}]


def test_no_rows_leave_no_columns():
    assert run({"n": [1]}, ("flat_row", lambda row: [])) == []


def test_nested_values_reach_the_function_as_python_values():
    rows = run({"l": [[1, 2], None]}, ("row", lambda row: {"n": repr(row["l"])}))
    assert rows == [{"n": "[1, 2]"}, {"n": "None"}]


def test_a_mask_says_which_rows_all_filters_keep():
    batch = batches.encode({"n": np.arange(6)}, "f").pack()
    filters = chain(
        ("filter_row", lambda row: row["n"] > 1), ("filter_row", lambda row: row["n"] % 2)
    )
    assert list(filters.mask(batch, [])) == [0, 0, 0, 1, 0, 1]


def test_the_chain_knows_where_it_raised():
    def fail(row):
        if row["n"] == 2:
            raise KeyError("n")
        return row

    batch = batches.encode({"n": range(4)}, "f").pack()
    failing = chain(("row", lambda row: row), ("row", fail))
    with pytest.raises(KeyError):
        failing.run(batch, [])
    assert (failing.row, failing.step) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "result", "wanted"),
    [
        ("row", None, "a dict"),
        ("row", [1], "a dict"),
        ("flat_row", {"a": 1}, "dicts"),
        ("flat_row", "text", "dicts"),
        ("flat_row", 5, "dicts"),
        ("flat_row", [5], "dicts"),
    ],
)
def test_what_is_no_row_is_refused(kind, result, wanted):
    batch = batches.encode({"n": [1]}, "f").pack()
    with pytest.raises(TypeError) as caught:
        chain((kind, lambda row: result)).run(batch, [])
    came = result[0] if result == [5] else result
    assert caught.value.args == (0, wanted, came)
