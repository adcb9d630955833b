from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest
from pyarrow import csv

import penstock
from penstock.data.reading.csv_options import csv_options


def options(*, parse=None, read=None, convert=None):
    return csv_options(parse_options=parse, read_options=read, convert_options=convert)


def test_defaults_say_nothing():
    assert options(parse=csv.ParseOptions(), read=csv.ReadOptions()) == {}
    assert options(convert=csv.ConvertOptions()) == {}


def test_delimiter_quotes_and_escapes_are_translated():
    parse = csv.ParseOptions(delimiter=";", quote_char=False, escape_char="\\")
    assert options(parse=parse) == {"delimiter": ";", "quote": "", "escape": "\\"}


def test_column_names_types_and_nulls_are_translated():
    read = csv.ReadOptions(column_names=["a", "b"], skip_rows=1)
    convert = csv.ConvertOptions(column_types={"a": pa.int64()}, null_values=["-"])
    assert options(read=read, convert=convert) == {
        "column_names": ["a", "b"],
        "skip_rows": 1,
        "column_types": {"a": "int64"},
        "null_values": ["-"],
    }


def test_generated_column_names_mean_that_there_is_no_header():
    assert options(read=csv.ReadOptions(autogenerate_column_names=True)) == {"header_row": False}


def test_what_only_concerns_pyarrows_speed_is_left_out():
    assert options(read=csv.ReadOptions(use_threads=False, block_size=1 << 10)) == {}


def test_a_function_for_lines_that_do_not_fit_is_refused_with_what_to_do():
    parse = csv.ParseOptions(invalid_row_handler=lambda _: "skip")
    with pytest.raises(NotImplementedError, match=r"parse_options\.invalid_row_handler; read the"):
        options(parse=parse)


def test_formats_of_times_keep_the_place_of_iso_8601(tmp_path):
    convert = csv.ConvertOptions(timestamp_parsers=["%d.%m.%Y", csv.ISO8601])
    assert options(convert=convert) == {"timestamp_formats": ["%d.%m.%Y", "ISO8601"]}
    (tmp_path / "a.csv").write_text("t\n01.02.2020\n")
    (tmp_path / "b.csv").write_text("t\n2020-02-01 00:00:00\n")
    rows = penstock.data.read_csv(tmp_path, convert_options=convert).take_all()
    assert [row["t"] for row in rows] == [datetime(2020, 2, 1)] * 2  # noqa: DTZ001
    alone = csv.ConvertOptions(timestamp_parsers=[csv.ISO8601])
    rows = penstock.data.read_csv(tmp_path / "b.csv", convert_options=alone).take_all()
    assert rows == [{"t": datetime(2020, 2, 1)}]  # noqa: DTZ001


def test_an_option_without_a_counterpart_is_refused_by_name():
    with pytest.raises(NotImplementedError, match=r"parse_options\.ignore_empty_lines"):
        options(parse=csv.ParseOptions(ignore_empty_lines=False))
