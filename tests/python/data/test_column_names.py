from __future__ import annotations

import pandas as pd
import pytest

import penstock
from penstock.data import col

BROKEN = "a\ud800"  # Half of a character: UTF-8 has no bytes for it.
COMPLAINT = r"without lone surrogates; rename the column; got: 'a\\ud800'"


def one():
    return penstock.data.range(1)


def frame(names, value=1):
    return pd.DataFrame([[value] * len(names)]).set_axis(pd.Index(names, dtype=object), axis=1)


@pytest.mark.parametrize("value", [1, [1]], ids=["plain", "nested"])
@pytest.mark.parametrize(
    "make",
    [
        lambda value: penstock.data.from_items([{BROKEN: value}]),
        lambda value: penstock.data.from_pandas(frame([BROKEN], value)),
        lambda value: one().map(lambda row: {BROKEN: value}),
        lambda value: one().flat_map(lambda row: [{BROKEN: value}]),
        lambda value: one().map_batches(lambda batch: {BROKEN: [value]}),
        lambda value: one().map_batches(lambda batch: [{BROKEN: value}]),
        lambda value: one().map_batches(lambda batch: frame([BROKEN], value)),
        lambda value: one().add_column(BROKEN, lambda batch: [value]),
        lambda value: one().rename_columns({"id": BROKEN}),
        lambda value: one().rename_columns([BROKEN]),
        lambda value: one().select_columns([BROKEN]),
        lambda value: one().drop_columns([BROKEN]),
        lambda value: one().filter(expr=col(BROKEN) == value),
    ],
    ids=[
        "from_items",
        "from_pandas",
        "map",
        "flat_map",
        "map_batches to a dict",
        "map_batches to rows",
        "map_batches to a frame",
        "add_column",
        "rename_columns",
        "rename_columns of all",
        "select_columns",
        "drop_columns",
        "filter",
    ],
)
def test_a_name_that_is_no_utf8_is_refused_by_name(make, value):
    with pytest.raises(ValueError, match=COMPLAINT):
        make(value).take_all()


@pytest.mark.parametrize("name", [1, 1.5, None, ("a", "b")])
@pytest.mark.parametrize("value", [1, [1]], ids=["plain", "nested"])
def test_a_frames_names_become_text(name, value):
    wanted = [{str(name): value}]
    columns = pd.Index([name], dtype=object, tupleize_cols=False)
    odd = pd.DataFrame([[value]]).set_axis(columns, axis=1)
    assert penstock.data.from_pandas(odd).take_all() == wanted
    assert one().map_batches(lambda batch: odd).take_all() == wanted


@pytest.mark.parametrize("names", [["a", "a"], [1, "1"]])
@pytest.mark.parametrize("value", [1, [1]], ids=["plain", "nested"])
def test_two_columns_of_one_name_are_refused(names, value):
    with pytest.raises(ValueError, match="Two columns would have one name"):
        penstock.data.from_pandas(frame(names, value))


def test_two_keys_of_one_name_are_refused():
    with pytest.raises(ValueError, match="one name; rename one of them; got: 1 and '1'"):
        penstock.data.from_items([{1: 2, "1": 3}])


def test_text_that_is_no_utf8_is_refused_with_its_column():
    with pytest.raises(ValueError, match="Column 'x' holds text that UTF-8 cannot hold"):
        penstock.data.from_items([{"x": BROKEN}])
    with pytest.raises(ValueError, match=r"text that UTF-8 can hold; got: 'a\\ud800'"):
        one().filter(expr=col("x") == BROKEN)


@pytest.mark.parametrize("use", ["limit", "repartition", "take"])
def test_numbers_beyond_64_bits_are_refused_by_name(use):
    with pytest.raises(ValueError, match="must fit 64 bits; got: 10000"):
        getattr(one(), use)(10**30)
