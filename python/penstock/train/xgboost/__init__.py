"""Training of XGBoost models in several worker processes. Needs the extra `xgboost`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.train.xgboost.callback import RayTrainReportCallback
    from penstock.train.xgboost.config import XGBoostConfig
    from penstock.train.xgboost.trainer import XGBoostTrainer

__all__ = ["RayTrainReportCallback", "XGBoostConfig", "XGBoostTrainer"]

_HOMES = {
    "RayTrainReportCallback": "callback",
    "XGBoostConfig": "config",
    "XGBoostTrainer": "trainer",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'penstock.train.xgboost' has no attribute {name!r}")
    home = importlib.import_module(f"penstock.train.xgboost.{_HOMES[name]}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
