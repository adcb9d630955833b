"""A text-generation pipeline in many workers: Daft.

Arguments: prompts, blocks, workers, model folder. Daft's runner for one machine cannot repartition;
the batch size stands for the blocks.
"""

import sys

import daft
import tiny_gpt2
from daft import DataType, Series
from report import report

count, blocks, workers = map(int, sys.argv[1:4])
folder = sys.argv[4]


@daft.cls(max_concurrency=workers)
class Generator:
    """Continues each prompt of a batch."""

    def __init__(self, folder: str) -> None:
        """Load the pipeline."""
        self._generator = tiny_gpt2.Generator(folder)

    @daft.method.batch(return_dtype=DataType.string(), batch_size=count // blocks)  # type: ignore[untyped-decorator]
    def generate(self, texts: Series) -> list[str]:
        """Return each prompt with its continuation."""
        return self._generator.generate(texts.to_pylist())


frame = daft.from_pydict({"data": tiny_gpt2.prompts(count)})
frame = frame.select(Generator(folder).generate(frame["data"]).alias("text"))
texts = [row["text"] for row in frame.iter_rows()]
report(rows=len(texts), checksum=sum(map(tiny_gpt2.checksum, texts)))
