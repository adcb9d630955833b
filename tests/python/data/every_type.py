"""A table with every type of column that writers meet."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa

ZONE = "Europe/Berlin"
TEXTS = ['plain, "quoted"', "two\nlines\r\tand a tab \\ \u0007", "Zürich 😀 \u2028", "", None]


def flat_table():
    """Columns of single values."""
    moment = dt.datetime(2024, 2, 29, 23, 59, 58, 123456)  # noqa: DTZ001 - one without
    return pa.table(
        {
            "int8": pa.array([-128, 127, 0, None, 1], pa.int8()),
            "int64": pa.array([-(2**63), 2**63 - 1, 0, None, 1], pa.int64()),
            "uint64": pa.array([0, 2**63 - 1, 7, None, 1], pa.uint64()),
            "float32": pa.array([0.1, float("nan"), float("-inf"), None, 1.0], pa.float32()),
            "float64": pa.array([0.1, float("nan"), float("inf"), None, 1e300], pa.float64()),
            "bool": [True, False, None, True, False],
            "text": TEXTS,
            "binary": pa.array([b"\x00\xff", b"", b"abc", None, b"\n"], pa.binary()),
            "decimal": pa.array(
                [decimal.Decimal("12345678901234567890.12"), decimal.Decimal("-0.01"), None] * 1
                + [decimal.Decimal("0.00"), decimal.Decimal("1.00")],
                pa.decimal128(38, 2),
            ),
            "date": [dt.date(1969, 12, 31), dt.date(2024, 2, 29), None] + [moment.date()] * 2,
            "time": pa.array([dt.time(1, 2, 3, 4), None, *[dt.time()] * 3], pa.time64("us")),
            "moment": pa.array([moment, None, *[moment] * 3], pa.timestamp("us")),
            "zoned": pa.array([moment, None, *[moment] * 3], pa.timestamp("us", ZONE)),
            "nothing": pa.nulls(5),
        }
    )


def nested_table():
    """The same, with lists, structs and tensors."""
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(
        np.arange(20, dtype=np.float32).reshape(5, 2, 2)
    )
    return (
        flat_table()
        .append_column("list", pa.array([[1, None], [], None, [3], [4]]))
        .append_column(
            "struct", pa.array([{"a": 1, "b": [TEXTS[0]]}, None, *[{"a": 2, "b": []}] * 3])
        )
        .append_column("tensor", tensors)
    )
