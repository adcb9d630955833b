"""First row of a text-generation pipeline: Penstock. Arguments: prompts, model folder."""

import sys

import numpy as np
from report import report
from tiny_gpt2 import BATCH_ROWS, Generator, checksum, prompts

import penstock

count, folder = int(sys.argv[1]), sys.argv[2]
dataset = penstock.data.from_numpy(np.array(prompts(count))).map_batches(
    Generator, fn_constructor_args=(folder,), batch_size=BATCH_ROWS, concurrency=2
)
row = dataset.take(1)[0]
report(rows=1, checksum=checksum(row["text"]))
