"""First row of a text-generation pipeline: the bare loop. Arguments: prompts, model folder."""

import sys

from report import report
from tiny_gpt2 import BATCH_ROWS, Generator, checksum, prompts

count, folder = int(sys.argv[1]), sys.argv[2]
texts = prompts(count)
generator = Generator(folder)
for start in range(0, count, BATCH_ROWS):
    first = generator.generate(texts[start : start + BATCH_ROWS])[0]
    report(rows=1, checksum=checksum(first))
    break
