"""How many lines of JSON pass a filter: pyarrow.json. Argument: file."""

import sys

import pyarrow.compute as pc
import pyarrow.json as pj
from report import report

table = pj.read_json(sys.argv[1])
count = table.filter(pc.field("score") > 0.5).num_rows  # noqa: PLR2004 - half of them
report(rows=count, checksum=count)
