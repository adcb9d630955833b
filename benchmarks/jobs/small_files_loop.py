"""The first row of many small files, or their number: the bare loop. Arguments: folder, what."""

import sys
from pathlib import Path

from report import report

folder, what = sys.argv[1:]
files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
if what == "take":
    report(rows=1, checksum=len(files[0].read_bytes()))
else:
    report(rows=len(files), checksum=len(files))
