"""Rows prepared as DataFrames that come back as records."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

import penstock
from prepare_with_pandas import main, prepare, prepared

pd = pytest.importorskip("pandas")


def test_records_have_the_columns_that_were_there_and_those_that_were_added():
    rows = penstock.data.from_items([{"id": row, "text": "Word " * row} for row in range(10)])
    assert prepared(rows, batch_rows=4).take_all() == [
        {"id": row, "text": "word " * row, "words": row, "place": row % 4} for row in range(10)
    ]


def test_cudf_takes_the_place_of_pandas_where_it_is(monkeypatch):
    made = []

    class DataFrame(pd.DataFrame):
        def __init__(self, *arguments, **options):
            made.append(len(arguments))
            super().__init__(*arguments, **options)

    cudf = types.ModuleType("cudf")
    cudf.DataFrame = DataFrame
    cudf.__spec__ = types.SimpleNamespace(name="cudf")
    monkeypatch.setitem(sys.modules, "cudf", cudf)
    assert prepare({"text": np.array(["A b"], dtype=object)}) == [
        {"text": "a b", "words": 2, "place": 0}
    ]
    assert made


def test_pictures_of_differing_sizes_pass_through_records():
    def described(batch):
        frame = pd.DataFrame(batch)
        frame["seen"] = True
        return frame.to_dict("records")

    pictures = [np.full((2 + row % 3, 3, 3), row, np.uint8) for row in range(9)]
    rows = penstock.data.from_items([{"image": picture} for picture in pictures])
    answers = rows.map_batches(described, batch_size=3).take_all()
    assert [row["image"].shape for row in answers] == [picture.shape for picture in pictures]
    assert all((row["image"] == place).all() for place, row in enumerate(answers))
    assert all(row["seen"] for row in answers)


def test_the_program_counts_the_words_of_docstrings(capsys):
    main(["--limit", "50"])
    out = capsys.readouterr().out
    assert "'place': 2" in out
    assert "50 rows, " in out
