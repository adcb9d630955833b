"""First row of a text-generation pipeline: Daft. Arguments: prompts, model folder."""

import sys

import daft
import tiny_gpt2
from daft import DataType, Series
from report import report

count, folder = int(sys.argv[1]), sys.argv[2]


@daft.cls(max_concurrency=2)
class Generator:
    """Continues each prompt of a batch."""

    def __init__(self, folder: str) -> None:
        """Load the pipeline."""
        self._generator = tiny_gpt2.Generator(folder)

    @daft.method.batch(return_dtype=DataType.string(), batch_size=tiny_gpt2.BATCH_ROWS)  # type: ignore[untyped-decorator]
    def generate(self, texts: Series) -> list[str]:
        """Return each prompt with its continuation."""
        return self._generator.generate(texts.to_pylist())


frame = daft.from_pydict({"data": tiny_gpt2.prompts(count)})
frame = frame.select(Generator(folder).generate(frame["data"]).alias("text"))
for row in frame.iter_rows():
    report(rows=1, checksum=tiny_gpt2.checksum(row["text"]))
    break
