"""The docstrings of the standard library through MiniLM: Penstock. Argument: texts file."""

import json
import sys
from pathlib import Path

import numpy as np
from report import report

import penstock
from minilm import BATCH_ROWS, MiniLM

texts = json.loads(Path(sys.argv[1]).read_text())
dataset = penstock.data.from_items([{"text": text} for text in texts]).map_batches(
    MiniLM, batch_size=BATCH_ROWS, concurrency=2
)
rows, total = 0, 0.0
for batch in dataset.iter_batches(batch_size=None):
    rows += len(batch["embedding"])
    total += float(np.abs(batch["embedding"]).sum(dtype=np.float64))
report(rows=rows, checksum=total)
