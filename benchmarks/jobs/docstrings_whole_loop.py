"""Whole docstrings through MiniLM: the bare loop. Arguments: texts file, embeddings file."""

import json
import sys
from pathlib import Path

import numpy as np
from docstrings_whole import BATCH_ROWS, PaddedMiniLM, rows_alike
from report import report

texts = json.loads(Path(sys.argv[1]).read_text())
model = PaddedMiniLM()
embeddings = []
for start in range(0, len(texts), BATCH_ROWS):
    batch = {"text": np.array(texts[start : start + BATCH_ROWS], dtype=object)}
    embeddings.append(model(batch)["embedding"])
report(rows=sum(map(len, embeddings)), checksum=rows_alike(embeddings, sys.argv[2]))
