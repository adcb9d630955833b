"""The loop of an `XGBoostTrainer` that is given `params` instead of a loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.train.session import get_checkpoint, get_context, get_dataset_shard

if TYPE_CHECKING:
    import xgboost

    from penstock.data.iterator import DataIterator

TRAIN = "train"
_MODEL = "xgb_model"


@dataclass
class Boosting:
    """What is to be trained. Called in each worker, with its rows."""

    params: dict[str, Any]
    label_column: str
    num_boost_round: int
    others: list[str]  # Data sets to evaluate on, beside the one to train on.
    checkpoint_frequency: int
    checkpoint_at_end: bool
    train_options: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> None:
        """Train on this worker's rows, together with the other workers."""
        import xgboost as xgb

        from penstock.train.xgboost.callback import RayTrainReportCallback

        matrices = {name: self._matrix(name) for name in [TRAIN, *self.others]}
        report_callback = RayTrainReportCallback(
            frequency=self.checkpoint_frequency, checkpoint_at_end=self.checkpoint_at_end
        )
        options = {"verbose_eval": False, **self.train_options}
        options["callbacks"] = [*(options.get("callbacks") or []), report_callback]
        rounds = self.num_boost_round
        model = self._begun()
        if model is not None:
            rounds = max(0, rounds - model.num_boosted_rounds())
            options[_MODEL] = model
        xgb.train(
            {"nthread": self._threads(), **self.params},
            matrices[TRAIN],
            num_boost_round=rounds,
            evals=[(matrix, name) for name, matrix in matrices.items()],
            **options,
        )

    def _begun(self) -> xgboost.Booster | None:
        """Return the model to go on from."""
        from penstock.train.xgboost.callback import RayTrainReportCallback

        checkpoint = get_checkpoint()
        return None if checkpoint is None else RayTrainReportCallback.get_model(checkpoint)

    def _threads(self) -> int:
        return max(1, int(get_context().get_trial_resources().get("CPU", 1)))

    def _matrix(self, name: str) -> xgboost.DMatrix:
        import xgboost as xgb

        frame = _frame_of(get_dataset_shard(name))
        if self.label_column not in frame.columns:
            raise ValueError(
                f"The data set {name!r} has no column for the label; columns: "
                f"{', '.join(map(str, frame.columns))}; label_column: {self.label_column!r}"
            )
        label = frame.pop(self.label_column)
        return xgb.DMatrix(frame, label=label)


def _frame_of(shard: DataIterator) -> Any:
    return shard.materialize().to_pandas()
