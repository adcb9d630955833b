"""The MiniLM job with one more stage, which does nothing: Penstock. Argument: texts file."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from report import report

import penstock
from minilm import BATCH_ROWS, MiniLM


class Keep:
    """Does nothing."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the batch."""
        return batch


texts = json.loads(Path(sys.argv[1]).read_text())
dataset = (
    penstock.data.from_items([{"text": text} for text in texts])
    .map_batches(MiniLM, batch_size=BATCH_ROWS, concurrency=2)
    .map_batches(Keep, batch_size=BATCH_ROWS, concurrency=1)
)
rows, total = 0, 0.0
for batch in dataset.iter_batches(batch_size=None):
    rows += len(batch["embedding"])
    total += float(np.abs(batch["embedding"]).sum(dtype=np.float64))
report(rows=rows, checksum=total)
