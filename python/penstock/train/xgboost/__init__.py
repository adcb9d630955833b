"""Training of XGBoost models in several worker processes. Needs the extra `xgboost`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazily import found

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
    return found(__name__, name, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
