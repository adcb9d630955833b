"""Data sets that are read, transformed and written as streams, under Ray Data's names.

Nothing here is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.data.context import (
        DataContext,
        DatasetContext,
        ExecutionOptions,
        ExecutionResources,
    )
    from penstock.data.dataset import Dataset, MaterializedDataset
    from penstock.data.expressions import Expr, col, lit
    from penstock.data.iterator import DataIterator
    from penstock.data.memory import from_arrow, from_items, from_numpy, from_pandas
    from penstock.data.read import range, range_tensor, read_csv, read_json, read_parquet
    from penstock.data.schema import Schema
    from penstock.data.strategy import ActorPoolStrategy, TaskPoolStrategy
    from penstock.data.write import SaveMode

__all__ = [
    "ActorPoolStrategy",
    "DataContext",
    "DataIterator",
    "Dataset",
    "DatasetContext",
    "ExecutionOptions",
    "ExecutionResources",
    "Expr",
    "MaterializedDataset",
    "SaveMode",
    "Schema",
    "TaskPoolStrategy",
    "col",
    "from_arrow",
    "from_items",
    "from_numpy",
    "from_pandas",
    "lit",
    "range",
    "range_tensor",
    "read_csv",
    "read_json",
    "read_parquet",
]

_MODULES = {
    "context": ("DataContext", "DatasetContext", "ExecutionOptions", "ExecutionResources"),
    "dataset": ("Dataset", "MaterializedDataset"),
    "expressions": ("Expr", "col", "lit"),
    "iterator": ("DataIterator",),
    "memory": ("from_arrow", "from_items", "from_numpy", "from_pandas"),
    "read": ("range", "range_tensor", "read_csv", "read_json", "read_parquet"),
    "schema": ("Schema",),
    "strategy": ("ActorPoolStrategy", "TaskPoolStrategy"),
    "write": ("SaveMode",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'penstock.data' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"penstock.data.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
