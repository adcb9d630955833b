"""A job that leaves rows out, for tests that run these again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from part_files import part_files

import penstock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from penstock.data import Dataset

ROWS = 200
BAD = {0, 7, 8, 130, ROWS - 1}

Rows = dict[str, Any]


def double(bad: set[int]) -> Callable[[Rows], Rows]:
    """Return a function that fails for these rows; it is called `double` whichever they are."""

    def double(batch: Rows) -> Rows:
        for number in batch["id"].tolist():
            if number in bad:
                raise ValueError(f"row {number} is bad")
        return {"id": batch["id"], "double": batch["id"] * 2}

    return double


def write_source(folder: Path) -> str:
    """Write what the job reads into a folder; return its path."""
    folder.mkdir()
    for number in range(4):
        first = number * (ROWS // 4)
        table = pa.table({"id": range(first, first + ROWS // 4)})
        pq.write_table(table, folder / f"{number}.parquet")
    return str(folder)


def job(source: str, bad: set[int], **options: Any) -> Dataset:
    rows = penstock.data.read_parquet(source)
    rows.context.rows_per_chunk = ROWS // 4  # So that there are letters in several files.
    return rows.map_batches(double(bad), batch_size=16, on_error="dead_letter", **options)


def in_order_of_names(folder: Path) -> list[int]:
    return [
        number for file in part_files(folder) for number in pq.read_table(file)["id"].to_pylist()
    ]


def left_out(folder: Path) -> list[int]:
    return sorted(row["row"]["id"] for row in penstock.dead_letters(folder).take_all())


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
