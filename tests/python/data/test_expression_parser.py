from __future__ import annotations

import json

import pytest

from penstock.data.expressions import coalesce, col, lit
from penstock.data.expressions.parser import parse


def tree(expression):
    return json.loads(expression.to_json())


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("a > 3", col("a") > 3),
        ("3 < a <= 9", (lit(3) < col("a")) & (col("a") <= 9)),
        ("a > 1 and b == 'x' or not c", ((col("a") > 1) & (col("b") == "x")) | ~col("c")),
        ("(a > 1) & ~(b < 2)", (col("a") > 1) & ~(col("b") < 2)),
        ("a in [1, 2]", col("a").is_in([1, 2])),
        ("a not in (1, 2)", col("a").not_in([1, 2])),
        ("a is None", col("a").is_null()),
        ("a is not None", col("a").is_not_null()),
        ("a.is_null()", col("a").is_null()),
        ("-a + 2 * b == -4", -col("a") + 2 * col("b") == -4),
        ("a / 2 > b // 2", col("a") / 2 > col("b") // 2),
        ("a % 2 == 0", col("a") % 2 == 0),
        ("abs(a) > 1", abs(col("a")) > 1),
        ("a ** 2 > 1", col("a") ** 2 > 1),
        ("a.str.lower() == 'x'", col("a").str.lower() == "x"),
        ("a.str.contains('x', ignore_case=True)", col("a").str.contains("x", ignore_case=True)),
        ("a.dt.year() > 2020", col("a").dt.year() > 2020),
        ("a.struct['b'] > 1", col("a").struct["b"] > 1),
        ("a.list[0] > 1", col("a").list[0] > 1),
        ("a.between(1, 2)", col("a").between(1, 2)),
        ("is_in(a, [1]) or is_nan(b)", col("a").is_in([1]) | col("b").is_nan()),
        ("is_valid(a) and not is_null(b)", col("a").is_not_null() & ~col("b").is_null()),
        ("coalesce(a, 0) > 1", coalesce(col("a"), 0) > 1),
        ("a > b'x'", col("a") > b"x"),
        ("col('odd name') > 1", col("odd name") > 1),
        ("  a == True  ", col("a") == True),  # noqa: E712
    ],
)
def test_text_in_pythons_syntax_means_the_same(text, expression):
    assert tree(parse(text)) == tree(expression)


@pytest.mark.parametrize(
    "text",
    [
        "a >",
        "a = 3",
        "",
        "f(a)",
        "a if b else c",
        "a.b > 1",
        "a.to_json()",
        "a.str.tree",
        "a.str._expr",
        "a.str[0]",
        "a.str > 1",
        "a[0]",
        "a is b",
        "a in b",
        "a > f'{b}'",
    ],
)
def test_other_text_is_a_value_error_that_shows_it(text):
    with pytest.raises(ValueError, match="expr ") as error:
        parse(text)
    assert repr(text) in str(error.value)
