"""`XGBoostTrainer`: a training loop that calls `xgboost.train`, the user's or its own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from penstock.data.optional import require
from penstock.train.data_config import EveryRowDataConfig
from penstock.train.data_parallel_trainer import DataParallelTrainer
from penstock.train.run_config import RunConfig
from penstock.train.xgboost.boosting import TRAIN, Boosting
from penstock.train.xgboost.config import XGBoostConfig, require_xgboost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import xgboost

    from penstock.train.checkpoint import Checkpoint
    from penstock.train.config import ScalingConfig
    from penstock.train.data_config import DataConfig
    from penstock.train.data_parallel_trainer import Datasets

_ROUNDS = 10
_OWN_OPTIONS = frozenset({"params", "dtrain", "num_boost_round", "evals", "evals_result"})


class XGBoostTrainer(DataParallelTrainer):
    """Trains one XGBoost model in several worker processes, joined by XGBoost's collectives.

    In its newer form it runs `train_loop_per_worker`, which calls `xgboost.train` itself. In its
    first form it is given `params`, `label_column` and `datasets`, of which it trains on "train"
    and evaluates on all; every row of each counts once. Models are kept as `CheckpointConfig` says
    (`checkpoint_frequency`, `checkpoint_at_end`), and `get_model` loads them.

    Args:
        train_loop_per_worker: see `DataParallelTrainer`.
        train_loop_config: see `DataParallelTrainer`.
        xgboost_config: how workers are joined.
        label_column: of all data sets.
        params: of `xgboost.train`; "nthread" is the worker's CPUs unless it is given.
        num_boost_round: rounds, those of a model to go on from included; 10 by default.
        scaling_config: see `DataParallelTrainer`.
        run_config: see `DataParallelTrainer`.
        datasets: see `DataParallelTrainer`.
        dataset_config: see `DataParallelTrainer`.
        resume_from_checkpoint: see `DataParallelTrainer`; in the first form a model to go on from.
        metadata: see `DataParallelTrainer`.
        train_options: in the first form: further arguments of `xgboost.train`.

    Raises:
        ImportError: XGBoost is not installed.
        TypeError: an argument of `xgboost.train` that it does not have.
        ValueError: arguments of both forms, or too few of one.

    """

    def __init__(
        self,
        train_loop_per_worker: Callable[..., Any] | None = None,
        *,
        train_loop_config: Mapping[str, Any] | None = None,
        xgboost_config: XGBoostConfig | None = None,
        label_column: str | None = None,
        params: Mapping[str, Any] | None = None,
        num_boost_round: int | None = None,
        scaling_config: ScalingConfig | None = None,
        run_config: RunConfig | None = None,
        datasets: Datasets | None = None,
        dataset_config: DataConfig | None = None,
        resume_from_checkpoint: Checkpoint | None = None,
        metadata: Mapping[str, Any] | None = None,
        **train_options: Any,
    ) -> None:
        require_xgboost("XGBoostTrainer")
        first_form = {
            "label_column": label_column,
            "params": params,
            "num_boost_round": num_boost_round,
            **train_options,
        }
        loop = train_loop_per_worker
        checkpoints = (run_config or RunConfig()).checkpoint_config
        if loop is not None:
            _refuse("train_loop_per_worker", first_form)
            _refuse(
                "train_loop_per_worker",
                {
                    "CheckpointConfig.checkpoint_frequency": checkpoints.checkpoint_frequency,
                    "CheckpointConfig.checkpoint_at_end": checkpoints.checkpoint_at_end,
                },
            )
        else:
            _refuse("params", {"train_loop_config": train_loop_config})
            require("pandas", extra="xgboost", needed_by="XGBoostTrainer(params=...)")
            self._goes_on = False  # Another training with other params, whatever its name is.
            dataset_config = dataset_config or EveryRowDataConfig()
            loop = Boosting(
                params=_checked_params(params),
                label_column=_checked_label(label_column),
                num_boost_round=_checked_rounds(num_boost_round),
                others=_checked_names(datasets),
                checkpoint_frequency=checkpoints.checkpoint_frequency or 0,
                checkpoint_at_end=checkpoints.checkpoint_at_end is not False,
                train_options=_checked_options(train_options),
            )
        super().__init__(
            loop,
            train_loop_config=train_loop_config,
            backend_config=xgboost_config or XGBoostConfig(),
            scaling_config=scaling_config,
            run_config=run_config,
            datasets=datasets,
            dataset_config=dataset_config,
            resume_from_checkpoint=resume_from_checkpoint,
            metadata=metadata,
        )

    @classmethod
    def get_model(cls, checkpoint: Checkpoint) -> xgboost.Booster:
        """Return the model in a checkpoint that this trainer or `RayTrainReportCallback` kept."""
        from penstock.train.xgboost.callback import RayTrainReportCallback

        return RayTrainReportCallback.get_model(checkpoint)


def _refuse(form: str, options: Mapping[str, Any]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ValueError(f"XGBoostTrainer with {form} does not take: {', '.join(given)}")


def _checked_params(params: Any) -> dict[str, Any]:
    if params is None:
        raise ValueError(
            "XGBoostTrainer needs a train_loop_per_worker, or params, label_column and datasets"
        )
    if not hasattr(params, "items"):
        raise TypeError(f"params must be a dict of XGBoost's parameters; got: {params!r}")
    return dict(params)


def _checked_label(label_column: Any) -> str:
    if not isinstance(label_column, str):
        raise TypeError(f"label_column must be a column's name; got: {label_column!r}")
    return label_column


def _checked_rounds(rounds: Any) -> int:
    if rounds is None:
        return _ROUNDS
    if isinstance(rounds, bool) or not isinstance(rounds, int):
        raise TypeError(f"num_boost_round must be a whole number; got: {rounds!r}")
    if rounds < 1:
        raise ValueError(f"num_boost_round must be at least 1; got: {rounds}")
    return rounds


def _checked_names(datasets: Datasets | None) -> list[str]:
    names = list(datasets or ())
    if TRAIN not in names:
        raise ValueError(
            f"XGBoostTrainer trains on the data set {TRAIN!r}, which is not among datasets; "
            f"got: {', '.join(map(repr, names)) or 'none'}"
        )
    return [name for name in names if name != TRAIN]


def _checked_options(options: dict[str, Any]) -> dict[str, Any]:
    if not options:
        return {}
    import xgboost

    known = set(inspect.signature(xgboost.train).parameters)
    for name in options:
        if name in _OWN_OPTIONS or name not in known:
            raise TypeError(
                f"XGBoostTrainer has no such argument, and xgboost.train gets none: {name}"
            )
    return options
