"""A text-generation pipeline in many workers: the bare loop has none.

Arguments: prompts, blocks, workers, model folder.
"""

import sys

from report import report
from tiny_gpt2 import Generator, checksum, prompts

count, blocks = map(int, sys.argv[1:3])
folder = sys.argv[4]
batch_rows = count // blocks
texts = prompts(count)
generator = Generator(folder)
rows, total = 0, 0
for start in range(0, count, batch_rows):
    generated = generator.generate(texts[start : start + batch_rows])
    rows += len(generated)
    total += sum(map(checksum, generated))
report(rows=rows, checksum=total)
