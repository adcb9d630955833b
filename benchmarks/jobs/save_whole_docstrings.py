"""Writes the standard library's whole docstrings as a JSON list. Arguments: file, how many."""

import ast
import json
import sys
import tokenize
from pathlib import Path

from docstrings import stdlib_modules

file, limit = sys.argv[1], int(sys.argv[2])
owners = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
texts: list[str] = []
for _, source in stdlib_modules():
    with tokenize.open(source) as stream:
        nodes = [node for node in ast.walk(ast.parse(stream.read())) if isinstance(node, owners)]
    texts.extend(text for node in nodes if (text := ast.get_docstring(node)))
    if len(texts) >= limit:
        break
Path(file).write_text(json.dumps(texts[:limit]))
