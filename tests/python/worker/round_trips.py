"""Takes values into shared memory and back."""

from __future__ import annotations

from penstock import _worker
from penstock.worker import arrow, batches


def round_trip(values):
    """Return the column as Arrow sees it after packing."""
    batch = batches.encode({"x": values}, "f").pack()
    return arrow.record_batch(batch).column(0)


def as_numpy(values):
    return batches.to_numpy(batches.encode({"x": values}, "f").pack())["x"]


def is_plain(values) -> bool:
    return _worker.encode({"x": values})[1] == []
