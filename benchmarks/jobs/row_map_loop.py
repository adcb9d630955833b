"""A Python function called for each row: the bare loop. Argument: rows."""

import sys

from report import report


def double(row: dict[str, int]) -> dict[str, int]:
    """Return twice the number."""
    return {"id": row["id"] * 2}


count = int(sys.argv[1])
total = 0
for number in range(count):
    total += double({"id": number})["id"]
report(rows=count, checksum=total)
