"""Row groups that a filter skips hold no row that it would have kept."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock
from penstock.data.expressions import col, lit, when

ROWS = 60
TIMES = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=7 * i) for i in range(8)]  # noqa: DTZ001
CONSTANTS = {
    "i": [-3, 0, 1, 2, 7, 2.5, 300],
    "u": [0, 1, 5, 200, -1],
    "x": [-1.5, 0.0, -0.0, 2.0, math.inf, math.nan, 3],
    "s": ["", "a", "ab", "b", "ß", "zz"],
    "t": TIMES,
    "b": [True, False],
    "d": ["9", "10", "100", "-1"],
    "m": [decimal.Decimal(text) for text in ("-1.50", "0.00", "0.01", "9.99", "10.00", "1.5")],
    "e": [moment.date() for moment in TIMES[::3]] + [dt.date(1969, 12, 31)],
    "z": [moment.replace(tzinfo=dt.UTC) for moment in TIMES],
    "y": [b"", b"\x00", b"a", b"\xff", b"\xff\x00"],
    "w": [-math.inf, -2.5, -0.0, 0.0, 1e-300, 2.5, math.nan],
    "l": [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1, 2.5],
    "o": [dt.time(0), dt.time(1, 2, 3, 4), dt.time(23, 59, 59)],
    "g": ["", "long" * 50, "longer" * 50, "é"],
}
TYPES = {
    "i": pa.int32(),
    "u": pa.uint8(),
    "x": pa.float32(),
    "s": pa.string(),
    "t": pa.timestamp("ms"),
    "b": pa.bool_(),
    "d": pa.string(),
    "m": pa.decimal128(9, 2),
    "e": pa.date32(),
    "z": pa.timestamp("us", "Europe/Rome"),
    "y": pa.binary(),
    "w": pa.float64(),
    "l": pa.int64(),
    "o": pa.time64("us"),
    "g": pa.large_string(),
}


def make_table(draw):
    """Rows in runs, so that many row groups hold one value, only nulls, or only NaN."""
    columns = {}
    for name, arrow_type in TYPES.items():
        fitting = [c for c in CONSTANTS[name] if fits(c, arrow_type)]
        values = []
        while len(values) < ROWS:
            value = None if draw.random() < 0.3 else draw.choice(fitting)
            values += [value] * draw.choice([1, 1, 2, 6])
        columns[name] = pa.array(values[:ROWS], arrow_type)
    return pa.table(columns)


def fits(value, arrow_type):
    try:
        pa.array([value], arrow_type)
    except (pa.ArrowException, OverflowError):
        return False
    return True


def make_leaf(draw):  # noqa: PLR0911 - one return for each kind of leaf
    name = draw.choice(list(TYPES))
    column = col(name)
    constant = draw.choice(CONSTANTS[name])
    choice = draw.randrange(9)
    if choice == 0:
        return draw.choice([column.is_null(), column.is_not_null()])
    if choice == 1:
        values = draw.sample(CONSTANTS[name], k=draw.randrange(3))
        return column.is_in([*values, None] if draw.random() < 0.3 else values)
    if choice == 2 and name == "s":
        joined = column + "b" == "ab"
        return draw.choice([column.str.starts_with("a"), column.str.len() > 1, joined])
    if choice == 3 and name in "iux":
        return draw.choice(
            [
                column.cast("double") > constant,
                column.cast("int8", safe=False) < 2,
                column.fill_null(1) == constant,
                column * 2 >= constant,
                -column <= constant,
                10 / column > 1.0,
                col("i") < col("x"),
            ]
        )
    if choice == 3 and name == "d":
        return column.cast("int64") < draw.choice([9, 10, 50])
    if choice == 4 and name in "xw":
        return column.is_nan()
    if choice == 5 and name != "b":
        return column.between(constant, draw.choice(CONSTANTS[name]))
    if choice == 6:
        return when(col("b"), column.is_null()).otherwise(column == constant)
    left, right = (column, lit(constant)) if draw.random() < 0.8 else (lit(constant), column)
    if name == "b":
        return draw.choice([left == right, column, ~column])
    return draw.choice(
        [left == right, left != right, left < right, left <= right, left > right, left >= right]
    )


def make_expression(draw, depth=2):
    choice = draw.randrange(4) if depth else 0
    if choice == 1:
        return make_expression(draw, depth - 1) & make_expression(draw, depth - 1)
    if choice == 2:
        return make_expression(draw, depth - 1) | make_expression(draw, depth - 1)
    if choice == 3:
        return ~make_expression(draw, depth - 1)
    return make_leaf(draw)


def outcome(dataset, expression):
    try:
        return repr(dataset.filter(expr=expression).take_all())
    except ValueError:
        return None


@pytest.mark.parametrize("seed", range(8))
def test_a_filter_keeps_the_same_rows_with_and_without_statistics(tmp_path, seed):
    draw = random.Random(seed)
    table = make_table(draw)
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path, row_group_size=3)
    pruned = penstock.data.read_parquet(str(path))
    whole = penstock.data.from_arrow(pq.read_table(path))
    for _ in range(15):
        expression = make_expression(draw)
        expected = outcome(whole, expression)
        if expected is not None:  # Rows that fail may be skipped too.
            assert outcome(pruned, expression) == expected, repr(expression)
