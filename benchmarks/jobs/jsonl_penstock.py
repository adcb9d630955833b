"""How many lines of JSON pass a filter: Penstock. Argument: file."""

import sys

from report import report

import penstock

rows = penstock.data.read_json(sys.argv[1], lines=True)
count = rows.filter(expr=penstock.data.col("score") > 0.5).count()  # noqa: PLR2004 - half of them
report(rows=count, checksum=count)
