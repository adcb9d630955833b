"""Data sets whose functions run with worker options that tests choose by the engine's names."""

from __future__ import annotations

import json
from typing import Any

import penstock
from penstock._core import Function
from penstock.data.dataset import Dataset
from penstock.worker.payload import pack_function


def over_rows(
    rows: int,
    function: Any,
    *,
    arguments: tuple[Any, ...] = (),
    kind: str = "batches",
    **options: Any,
) -> Dataset:
    """Return a data set of numbers run through `function`, a row a batch; see WorkerOptions."""
    numbers = penstock.data.range(rows)
    workers = options.pop("workers")
    chosen = {
        "stateful": isinstance(function, type),
        "batch_rows": 1,
        "workers_min": workers,
        "workers_max": workers,
        **options,
    }
    payload = pack_function(
        function,
        constructor_args=arguments if isinstance(function, type) else None,
        batch_format="numpy" if kind == "batches" else "rows",
    )
    described = Function(function.__name__, kind, payload, keeps_rows=False)
    return Dataset(numbers._plan.functions([described], json.dumps(chosen)), numbers.context)
