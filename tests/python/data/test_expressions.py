from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pytest

from penstock.data.expressions import col, lit


def tree(expression):
    return json.loads(expression.to_json())


def test_columns_and_constants_have_their_json_form():
    assert tree(col("a")) == {"column": "a"}
    assert tree(lit("x")) == {"literal": "x"}


@pytest.mark.parametrize(
    ("expression", "call"),
    [
        (col("a") == 1, "equal"),
        (col("a") != 1, "not_equal"),
        (col("a") < 1, "less"),
        (col("a") <= 1, "less_equal"),
        (col("a") > 1, "greater"),
        (col("a") >= 1, "greater_equal"),
        (col("a") + 1, "add"),
        (col("a") - 1, "subtract"),
        (col("a") * 1, "multiply"),
    ],
)
def test_operators_become_calls_of_arrows_functions(expression, call):
    assert tree(expression) == {"call": call, "arguments": [{"column": "a"}, {"literal": 1}]}


def test_the_constant_may_stand_on_the_left():
    assert tree(1 - col("a")) == tree(lit(1) - col("a"))
    assert tree(col("a") > 3) == tree(col("a") > 3)


def test_and_or_not_treat_nulls_by_three_valued_logic():
    both = (col("a") > 1) & ~(col("b") == 2)
    assert tree(both)["call"] == "and_kleene"
    assert tree(both)["arguments"][1]["call"] == "invert"
    assert tree((col("a") > 1) | (col("b") > 1))["call"] == "or_kleene"


def test_dates_times_and_infinities_carry_their_type():
    moment = dt.datetime.fromisoformat("2024-01-02 03:04:05")
    assert tree(lit(moment)) == {"literal": "2024-01-02 03:04:05", "type": "timestamp[us]"}
    assert tree(lit(moment.date())) == {"literal": "2024-01-02", "type": "date32"}
    assert tree(lit(float("-inf"))) == {"literal": "-inf", "type": "double"}


def test_a_list_of_values_is_one_call():
    assert tree(col("a").is_in([1, None])) == {
        "call": "is_in",
        "arguments": [{"column": "a"}],
        "options": {"values": [1, None]},
    }
    assert tree(~col("a").is_in([1])) == tree(col("a").not_in([1]))
    assert tree(col("a").is_in([dt.date(2024, 1, 2)]))["options"]["type"] == "date32"
    assert tree(col("a").is_in([1.5, float("inf")]))["options"] == {
        "values": [1.5, "inf"],
        "type": "double",
    }


@pytest.mark.parametrize("values", ["ab", 3, col("b"), [1, dt.date(2024, 1, 2)]])
def test_a_list_of_values_holds_constants_of_one_type(values):
    with pytest.raises(TypeError, match="is_in"):
        col("a").is_in(values)


def test_bytes_decimals_zones_and_durations_carry_their_type():
    berlin = dt.timezone(dt.timedelta(hours=1))
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=berlin)
    assert tree(lit(moment)) == {
        "literal": "2024-01-02 02:04:05Z",
        "type": "timestamp[us, tz=UTC]",
    }
    assert tree(lit(b"\x00\xff")) == {"literal": "AP8=", "type": "binary"}
    assert tree(lit(Decimal("-1.250"))) == {"literal": "-1.250", "type": "decimal128(4, 3)"}
    assert tree(lit(dt.timedelta(seconds=2))) == {"literal": 2_000_000, "type": "duration[us]"}


def test_numpy_scalars_are_constants():
    assert tree(lit(np.int32(3))) == {"literal": 3}


def test_other_constants_are_type_errors():
    with pytest.raises(TypeError, match=r"constant must be .*got: \{'x'\}"):
        col("a") == {"x"}  # noqa: B015


def test_an_expression_has_no_truth_value():
    with pytest.raises(TypeError, match="no truth value"):
        bool(col("a") > 1)


def test_expressions_show_themselves():
    assert repr((col("a") > 3) & col("b").is_null()) == "Expr(((a > 3) & is_null(b)))"
    assert repr(col("s").str.split(",").alias("t")) == (
        "Expr(split_pattern(s, pattern=',', reverse=False), 't')"
    )


def test_col_needs_a_name():
    with pytest.raises(TypeError, match="column's name"):
        col(3)
