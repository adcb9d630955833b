"""Whole docstrings through MiniLM: Penstock.

Arguments: texts file, embeddings file, "grouped" to have texts of like length in a batch.
"""

import json
import sys
from pathlib import Path

from docstrings_whole import BATCH_ROWS, PaddedMiniLM, rows_alike
from report import report

import penstock

texts = json.loads(Path(sys.argv[1]).read_text())
# A thousand tokens at once are enough for the processor, and leave less to pad than 64 long texts.
by_length = penstock.data.GroupByLength("text", max_padded_length=4096)
grouped = by_length if "grouped" in sys.argv[3:] else None
dataset = penstock.data.from_items([{"text": text} for text in texts]).map_batches(
    PaddedMiniLM, batch_size=BATCH_ROWS, group_by_length=grouped, concurrency=2
)
embeddings = [batch["embedding"] for batch in dataset.iter_batches(batch_size=None)]
report(rows=sum(map(len, embeddings)), checksum=rows_alike(embeddings, sys.argv[2]))
