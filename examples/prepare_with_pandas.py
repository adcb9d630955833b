"""Prepares rows with pandas, or on a GPU with cuDF, and gives them on as a list of records.

    python examples/prepare_with_pandas.py --limit 1000

cuDF has the interface of pandas: where it is installed, the same function runs on the GPU.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import penstock as ray
from docstrings import collect

if TYPE_CHECKING:
    import numpy as np

    from penstock.data import Dataset

    Batch = dict[str, np.ndarray[Any, Any]]


def prepare(batch: Batch) -> list[dict[str, Any]]:
    """Return the rows, each with its number of words and its place in the batch."""
    frames = importlib.import_module("cudf" if importlib.util.find_spec("cudf") else "pandas")
    frame = frames.DataFrame(batch)
    frame["text"] = frame["text"].str.lower()
    frame["words"] = frame["text"].str.split().str.len()
    frame["place"] = range(len(frame))
    records: list[dict[str, Any]] = frame.to_dict("records")
    return records


def prepared(rows: Dataset, *, batch_rows: int = 64) -> Dataset:
    """Return the prepared rows, in their order."""
    return rows.map_batches(prepare, batch_size=batch_rows)


def main(arguments: list[str]) -> None:
    """Prepare docstrings of the standard library and show a few."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=int, default=1000, help="read so many docstrings")
    options = parser.parse_args(arguments)
    rows = [docstring._asdict() for docstring in collect(limit=options.limit)]
    ready = prepared(ray.data.from_items(rows)).materialize()
    ready.show(3)
    print(f"{ready.count()} rows, {ready.sum('words')} words")


if __name__ == "__main__":
    main(sys.argv[1:])
