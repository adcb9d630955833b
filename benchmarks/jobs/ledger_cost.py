"""The same job with a ledger and without one."""

from __future__ import annotations

import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from parquet_mean import parquet_mean
from report import report

if TYPE_CHECKING:
    from penstock.data import Dataset


def write(dataset: Dataset, column: str, *, with_ledger: bool) -> None:
    """Write it and report how long that took; `column` is what the check adds up."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        dataset.write_parquet(f"{folder}/out", mode=None if with_ledger else "append")
        seconds = time.perf_counter() - start
        rows, mean = parquet_mean(f"{folder}/out", column)
    report(rows=rows, checksum=round(mean, 6), seconds_inside=seconds)


def copy(*, with_ledger: bool) -> None:
    """Copy the Parquet files of the folder that the argument names."""
    import penstock

    write(penstock.data.read_parquet(sys.argv[1]), "fare", with_ledger=with_ledger)


def embed(*, with_ledger: bool) -> None:
    """Embed the texts of the file that the argument names with MiniLM."""
    import json
    from pathlib import Path

    import penstock
    from minilm import BATCH_ROWS, MiniLM

    def lengths(batch: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        return {**batch, "length": np.linalg.norm(batch["embedding"], axis=1)}

    texts = json.loads(Path(sys.argv[1]).read_text())
    embedded = penstock.data.from_items([{"text": text} for text in texts]).map_batches(
        MiniLM, batch_size=BATCH_ROWS, concurrency=2
    )
    write(embedded.map_batches(lengths, concurrency=1), "length", with_ledger=with_ledger)
