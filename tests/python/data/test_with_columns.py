from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.data.datatype import DataType
from penstock.data.expressions import coalesce, col, lit, when


@pytest.fixture
def ds():
    moment = dt.datetime(2024, 2, 29, 13, 45, 10)  # noqa: DTZ001
    return penstock.data.from_arrow(
        pa.table(
            {
                "a": [1, -7, None],
                "s": ["Ab ", "ß", None],
                "t": [moment, None, moment],
                "l": [[3, 1], [], None],
                "r": pa.array([{"q": 1}, {"q": None}, None]),
                "m": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
                "f": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int32(), 2)),
            }
        )
    )


def values(ds, expression):
    return [row["out"] for row in ds.with_column("out", expression).take_all()]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (col("a") / 2, [0, -3, None]),
        (col("a") // 2, [0, -4, None]),
        (col("a") % 2, [1, 1, None]),
        (10 % col("a").abs(), [0, 3, None]),
        (-10 // col("a").abs(), [-10, -2, None]),
        ((col("a").cast(float) + 0.5) // 2, [0.0, -4.0, None]),
        (col("a") ** 2, [1, 49, None]),
        (col("a").cast(float) / 2, [0.5, -3.5, None]),
        ((col("a") / 2.0).round(), [0.0, -4.0, None]),
        ((col("a") / 4).ceil(), [0.0, -1.0, None]),
        (col("a").sign(), [1, -1, None]),
        (col("a").between(0, 5), [True, False, None]),
        (col("a").is_in([1, None]), [True, False, True]),
        (col("a").not_in([1]), [False, True, True]),
        (col("a").fill_null(0), [1, -7, 0]),
        (coalesce(col("a"), col("l").list.len(), 5), [1, -7, 5]),
        (when(col("a") > 0, "+").when(col("a") < 0, "-").otherwise("?"), ["+", "-", "?"]),
        (when(col("a") > 0, None).otherwise(col("a")), [None, -7, None]),
        (col("a").cast(DataType.string()), ["1", "-7", None]),
        (col("a").cast(pa.int8()), [1, -7, None]),
        (lit(1), [1, 1, 1]),
        (col("s").str.strip().str.upper(), ["AB", "ẞ", None]),
        ("<" + col("s") + ">", ["<Ab >", "<ß>", None]),
        (col("s").str.len(), [3, 1, None]),
        (col("s").str.pad(4, "*", "left"), ["*Ab ", "***ß", None]),
        (col("s").str.slice(0, 1), ["A", "ß", None]),
        (col("s").str.replace("b", "c"), ["Ac ", "ß", None]),
        (col("s").str.split("b"), [["A", " "], ["ß"], None]),
        (col("s").str.concat("x", separator="-"), ["Ab -x", "ß-x", None]),
        (col("s").str.match("%b_"), [True, False, None]),
        (col("s").str.extract("(?P<first>[A-Z])"), [{"first": "A"}, None, None]),
        (lit("2024-05-06").str.strptime("%Y-%m-%d").dt.month(), [5, 5, 5]),
        (col("t").dt.year(), [2024, None, 2024]),
        (col("t").dt.strftime("%H:%M"), ["13:45", None, "13:45"]),
        (col("t").dt.floor("hour").dt.minute(), [0, None, 0]),
        (lit(dt.date(2024, 1, 1)).dt.until(col("t").cast("date32")), [59, None, 59]),
        (col("l").list.len(), [2, 0, None]),
        (col("l").list[:1], [[3], [], None]),
        (col("l").list.sort(), [[1, 3], [], None]),
        (col("l").list.sum(), [4, 0, None]),
        (col("f").arr.to_list().list[1], [2, 4, None]),
        (col("r").struct["q"], [1, None, None]),
        (col("r").struct[0], [1, None, None]),
        (col("r").struct[np.int64(0)], [1, None, None]),
        (col("f").arr.to_list().list[np.int64(1)], [2, 4, None]),
        (col("m").map.keys(), [["k"], [], None]),
        (col("m").map.get("k"), [1, None, None]),
    ],
    ids=repr,
)
def test_an_expression_yields_what_arrow_does(ds, expression, expected):
    assert values(ds, expression) == expected


def test_columns_are_replaced_in_their_place_and_added_at_the_end():
    ds = penstock.data.from_items([{"a": 1, "b": 2}])
    changed = ds.with_columns({"c": col("a") + col("b"), "a": col("b"), "b": col("a")})
    assert changed.take_all() == [{"a": 2, "b": 1, "c": 3}]
    assert list(changed.take_all()[0]) == ["a", "b", "c"]


def test_expressions_may_carry_their_names():
    ds = penstock.data.from_items([{"a": 1}])
    twice = (col("a") * 2).alias("b")
    expected = [{"a": 1, "b": 2}]
    assert ds.with_columns(twice).take_all() == expected
    assert ds.with_columns([twice]).take_all() == expected
    assert ds.with_columns([twice], lit(3).alias("c")).take_all() == [{"a": 1, "b": 2, "c": 3}]


def test_the_schema_and_the_count_are_known_without_a_run():
    ds = penstock.data.range(10).with_column("half", col("id") / 2.0)
    assert ds.schema().names == ["id", "half"]
    assert ds.count() == 10


def test_what_makes_no_columns_is_refused():
    ds = penstock.data.range(3)
    with pytest.raises(TypeError, match=r"needs an expression .*got: 3"):
        ds.with_column("a", 3)
    with pytest.raises(TypeError, match="name must be text"):
        ds.with_column(3, col("id"))
    with pytest.raises(ValueError, match=r"needs \.alias"):
        ds.with_columns(col("id") + 1)
    with pytest.raises(ValueError, match="at least one"):
        ds.with_columns()
    with pytest.raises(ValueError, match="twice: 'a'"):
        ds.with_columns(col("id").alias("a"), lit(1).alias("a"))


def test_a_failure_names_column_and_expression():
    ds = penstock.data.range(3).with_column("bad", 1 / col("id"))
    with pytest.raises(Exception, match=r"Column 'bad' = \(1 / id\): divide by zero"):
        ds.take_all()
    with pytest.raises(Exception, match=r"reads column 'nope', which does not exist"):
        penstock.data.range(3).with_column("b", col("nope")).take_all()


def test_rows_beyond_a_limit_are_not_computed():
    text = penstock.data.from_items([{"s": s} for s in ["1", "2", "x"]])
    numbers = text.limit(2).with_column("n", col("s").cast(int))
    assert [row["n"] for row in numbers.take_all()] == [1, 2]


def test_pyarrow_compute_can_be_imported_after_expressions_have_run():
    script = (
        "import penstock as ray\n"
        "from penstock.data import col\n"
        "ds = ray.data.from_items([{'a': 1}]).with_column('b', col('a') + 1)\n"
        "assert ds.take_all() == [{'a': 1, 'b': 2}]\n"
        "import pyarrow.compute as pc\n"
        "print(pc.sum([1, 2]).as_py())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("3\n", 0), done.stderr
