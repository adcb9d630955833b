"""A Python function called for each row: Daft. Argument: rows."""

import sys

import daft
from report import report

count = int(sys.argv[1])


@daft.func  # type: ignore[untyped-decorator]
def double(number: int) -> int:
    """Return twice the number."""
    return number * 2


frame = daft.range(count)
frame = frame.select(double(frame["id"]).alias("id"))
result = frame.agg(frame["id"].count().alias("rows"), frame["id"].sum().alias("sum"))
row = result.to_pylist()[0]
report(rows=row["rows"], checksum=row["sum"])
