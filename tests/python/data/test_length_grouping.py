"""`group_by_length=`: what the engine is told, and what a length may be."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import penstock
from penstock.data import GroupByLength
from penstock.data.length_grouping import AddLengths


def keep(batch):
    return batch


def operators(ds):
    return json.loads(ds._plan.to_json())["ops"]


class Words:
    """A tokenizer of one text at a time, whose result is no plain list."""

    def encode(self, text):
        return SimpleNamespace(ids=text.split())


class Whole:
    """A tokenizer that is called with many texts."""

    def __call__(self, texts):
        return {"input_ids": [text.split() for text in texts]}


class Padded:
    """A tokenizer whose texts all come out with eight tokens."""

    def __call__(self, texts):
        masks = [[1] * len(text.split()) + [0] * (8 - len(text.split())) for text in texts]
        return {"input_ids": [[7] * 8 for _ in texts], "attention_mask": masks}


class PaddedOneByOne:
    """The same, for one text at a time."""

    def encode(self, text):
        return SimpleNamespace(ids=[7] * 8, attention_mask=Padded()([text])["attention_mask"][0])


@pytest.fixture
def ds():
    return penstock.data.from_items([{"text": "a b c"}, {"text": "a"}, {"text": None}])


def lengths(ds, by, column=None):
    """Return the hidden column that a stage of functions adds."""
    grown = ds._with_lengths(AddLengths(by, column))
    assert grown.columns() == [*ds.columns(), "__penstock_length"]
    return [row["__penstock_length"] for row in grown.take_all()]


def test_a_column_is_told_by_name_and_the_function_promises_to_keep_its_rows():
    grouped = penstock.data.range(3).map_batches(keep, batch_size=2, group_by_length="text")
    _, stage = operators(grouped)
    assert stage["options"]["by_length"] == {
        "column": "text",
        "drops_column": False,
        "window_rows": 0,
        "padded_length_max": 0,
    }
    assert stage["functions"][0]["keeps_rows"] is True


def test_limits_are_told_and_may_stand_instead_of_a_batch_size():
    ds = penstock.data.range(3)
    by = GroupByLength("text", max_padded_length=4096, window_rows=100)
    told = operators(ds.map_batches(keep, group_by_length=by))[-1]["options"]["by_length"]
    assert (told["padded_length_max"], told["window_rows"]) == (4096, 100)


def test_a_function_or_a_tokenizer_is_a_stage_before_that_adds_a_column_to_be_dropped():
    ds = penstock.data.range(3)
    for by in (lambda batch: batch["text"], GroupByLength(Words(), column="text")):
        _, before, stage = operators(ds.map_batches(keep, batch_size=2, group_by_length=by))
        assert before["functions"][0]["keeps_rows"] is True
        assert stage["options"]["by_length"]["column"] == "__penstock_length"
        assert stage["options"]["by_length"]["drops_column"] is True


def test_a_function_of_batches_gives_the_lengths(ds):
    assert lengths(ds, lambda batch: [len(text or "") for text in batch["text"]]) == [5, 1, 0]
    assert lengths(ds, lambda batch: np.full(len(batch["text"]), 7, np.int32)) == [7, 7, 7]


def test_tokenizers_count_the_tokens_of_a_column_nulls_as_none(ds):
    assert lengths(ds, Words(), "text") == [3, 1, 0]
    assert lengths(ds, Whole(), "text") == [3, 1, 0]


def test_padding_is_no_token(ds):
    assert lengths(ds, PaddedOneByOne(), "text") == [3, 1, 0]
    assert lengths(ds, Padded(), "text") == [3, 1, 0]


def test_the_other_columns_stay_what_they_are(every_column):
    before = every_column.take_all()
    after = every_column._with_lengths(AddLengths(lambda batch: [1, 2], None)).take_all()
    assert [row.pop("__penstock_length") for row in after] == [1, 2]
    assert repr(after) == repr(before)


@pytest.fixture
def every_column():
    rows = [{"nested": [{"a": 1}], "number": 1, "tensor": np.zeros((2, 2))}]
    rows.append({"nested": None, "number": None, "tensor": np.ones((2, 2))})
    return penstock.data.from_items(rows)


@pytest.mark.parametrize("bad", [[1], [1.5] * 3, [[1, 2]] * 3, None], ids=repr)
def test_lengths_that_are_none_say_so(ds, bad):
    with pytest.raises(ValueError, match=r"A length is a whole number, one for each of the . row"):
        lengths(ds, lambda batch: bad)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "text", "column": "text"}, "column belongs to a tokenizer"),
        ({"by": Words()}, "needs the column whose texts it gets"),
        ({"by": "text", "max_padded_length": 0}, "max_padded_length must be at least 1"),
        ({"by": "text", "window_rows": 0}, "window_rows must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_a_value_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        GroupByLength(**arguments)


def test_a_length_is_a_column_a_function_or_a_tokenizer(ds):
    with pytest.raises(TypeError, match="column's name, a function of batches or a tokenizer"):
        ds.map_batches(keep, batch_size=2, group_by_length=3)
    with pytest.raises(TypeError, match="column must be a column's name"):
        GroupByLength(Words(), column=3)


def test_a_function_that_may_change_the_number_of_rows_cannot_be_grouped(ds):
    with pytest.raises(ValueError, match="must keep their number"):
        ds.map_batches(keep, batch_size=2, group_by_length="text", udf_modifying_row_count=True)


def test_grouping_needs_a_size_of_batches(ds):
    for given in ({}, {"batch_size": "auto"}, {"num_gpus": 1}):
        with pytest.raises(ValueError, match="group_by_length needs a number as batch_size, or"):
            ds.map_batches(keep, group_by_length="text", **given)


@pytest.mark.parametrize("given", [{}, {"batch_size": "auto"}, {"num_gpus": 1}], ids=str)
def test_a_limit_alone_bounds_batches_that_would_grow_without_it(given):
    by = GroupByLength("text", max_padded_length=100)
    ds = penstock.data.range(3).map_batches(keep, group_by_length=by, **given)
    options = operators(ds)[-1]["options"]
    assert options["grows_batches"] is False
    assert "batch_rows" not in options


@pytest.mark.parametrize("verb", ["map", "flat_map", "filter"])
def test_row_functions_take_no_grouping(ds, verb):
    with pytest.raises(TypeError, match="unexpected keyword argument: group_by_length"):
        getattr(ds, verb)(keep, group_by_length="text")
