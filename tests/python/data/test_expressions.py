from __future__ import annotations

import datetime as dt
import json

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


def test_a_long_list_nests_only_as_deep_as_its_logarithm():
    def depth(node):
        return 1 + max(map(depth, node.get("arguments", ())), default=0)

    assert depth(tree(col("a").is_in(range(1000)))) == 12


def test_numpy_scalars_are_constants():
    assert tree(lit(np.int32(3))) == {"literal": 3}


def test_other_constants_are_type_errors():
    with pytest.raises(TypeError, match=r"constant must be .*got: b'x'"):
        col("a") == b"x"  # noqa: B015


def test_an_expression_has_no_truth_value():
    with pytest.raises(TypeError, match="no truth value"):
        bool(col("a") > 1)


def test_is_in_tests_each_value_and_null():
    assert tree(col("a").is_in([1, 2])) == tree((col("a") == 1) | (col("a") == 2))
    assert tree(col("a").is_in([None])) == tree(col("a").is_null())
    assert tree(col("a").is_in([])) == {"literal": False}


def test_expressions_show_themselves():
    assert repr((col("a") > 3) & col("b").is_null()) == "Expr(((a > 3) & is_null(b)))"


def test_col_needs_a_name():
    with pytest.raises(TypeError, match="column's name"):
        col(3)
