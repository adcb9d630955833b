"""A text-generation pipeline in many workers: Penstock.

Arguments: prompts, blocks, workers, model folder.
"""

import sys

import numpy as np
from report import report
from tiny_gpt2 import Generator, checksum, prompts

import penstock

count, blocks, workers = map(int, sys.argv[1:4])
folder = sys.argv[4]
dataset = penstock.data.from_numpy(np.array(prompts(count))).repartition(blocks)
dataset = dataset.map_batches(
    Generator, fn_constructor_args=(folder,), batch_size=count // blocks, concurrency=workers
)
texts = [row["text"] for row in dataset.iter_rows()]
report(rows=len(texts), checksum=sum(map(checksum, texts)))
