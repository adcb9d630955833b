"""First row of a text-generation pipeline: Ray. Arguments: prompts, model folder."""

import sys

import numpy as np
import ray
from ray_setup import start_ray
from report import report
from tiny_gpt2 import BATCH_ROWS, Generator, checksum, prompts

count, folder = int(sys.argv[1]), sys.argv[2]
start_ray()
dataset = ray.data.from_numpy(np.array(prompts(count))).map_batches(
    Generator, fn_constructor_args=(folder,), batch_size=BATCH_ROWS, concurrency=2
)
row = dataset.take(1)[0]
report(rows=1, checksum=checksum(row["text"]))
