"""`from_huggingface`: Hugging Face data sets, as the Arrow tables that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.optional import require
from penstock.data.reading.custom import read_datasource
from penstock.data.reading.memory import from_arrow

if TYPE_CHECKING:
    from penstock.data.dataset import Dataset, MaterializedDataset

_ROWS_AT_ONCE = 10_000


def from_huggingface(
    dataset: Any,
    parallelism: int = -1,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
) -> MaterializedDataset | Dataset:
    """Take a Hugging Face data set: its Arrow table without a copy, or its stream.

    A `datasets.Dataset` that was filtered, sorted or shuffled is gathered first. A
    `datasets.IterableDataset` is read in worker processes, a shard a task, each time anew. Images
    and audio stay as they are stored: a struct of "bytes" and "path".

    Args:
        dataset: a `datasets.Dataset` or `datasets.IterableDataset`.
        parallelism: older name of `override_num_blocks`; -1: not set.
        concurrency: workers that read a stream at once.
        override_num_blocks: in how many pieces the input is read.

    Raises:
        ImportError: the library datasets is not installed.
        TypeError: neither of them; of a dict of splits, choose one.

    """
    require("datasets", extra="huggingface", needed_by="from_huggingface")
    import datasets

    if isinstance(dataset, datasets.DatasetDict | datasets.IterableDatasetDict):
        raise TypeError(
            "from_huggingface needs one split, such as dataset['train']; "
            f"got those named: {', '.join(map(str, dataset))}"
        )
    if isinstance(dataset, datasets.IterableDataset):
        from penstock.data.python_sources.huggingface import HuggingFaceDatasource

        return read_datasource(
            HuggingFaceDatasource(dataset),
            parallelism=parallelism,
            concurrency=concurrency,
            override_num_blocks=override_num_blocks,
        )
    if not isinstance(dataset, datasets.Dataset):
        raise TypeError(f"from_huggingface needs a data set of datasets; got: {dataset!r}")
    blocks = override_num_blocks if override_num_blocks is not None else parallelism
    return from_arrow(_tables(dataset), override_num_blocks=None if blocks == -1 else blocks)


def _tables(dataset: Any) -> list[Any]:
    from penstock.data.python_sources.huggingface import plain_table

    if getattr(dataset, "_indices", None) is None:
        return [plain_table(dataset.data.table)]
    batches = dataset.with_format("arrow").iter(batch_size=_ROWS_AT_ONCE)
    tables = [plain_table(batch) for batch in batches]
    return tables or [plain_table(dataset.data.table.slice(0, 0))]
