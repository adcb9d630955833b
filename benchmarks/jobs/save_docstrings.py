"""Writes the standard library's docstrings as a JSON list. Arguments: file, at most how many."""

import json
import sys
from pathlib import Path

from docstrings import collect

file, *limit = sys.argv[1:]
found = collect(limit=int(limit[0]) if limit else None)
Path(file).write_text(json.dumps([docstring.text for docstring in found]))
