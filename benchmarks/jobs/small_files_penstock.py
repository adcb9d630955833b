"""The first row of many small files, or their number: Penstock. Arguments: folder, what."""

import sys

from report import report

import penstock

folder, what = sys.argv[1:]
dataset = penstock.data.read_binary_files(folder)
if what == "take":
    rows = dataset.take(1)
    report(rows=len(rows), checksum=len(rows[0]["bytes"]))
else:
    count = dataset.count()
    report(rows=count, checksum=count)
