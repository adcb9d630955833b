"""The docstrings of the standard library through MiniLM: the bare loop. Argument: texts file."""

import json
import sys
from pathlib import Path

import numpy as np
from report import report

from minilm import BATCH_ROWS, MiniLM

texts = json.loads(Path(sys.argv[1]).read_text())
model = MiniLM()
rows, total = 0, 0.0
for start in range(0, len(texts), BATCH_ROWS):
    batch = {"text": np.array(texts[start : start + BATCH_ROWS], dtype=object)}
    embedding = model(batch)["embedding"]
    rows += len(embedding)
    total += float(np.abs(embedding).sum(dtype=np.float64))
report(rows=rows, checksum=total)
