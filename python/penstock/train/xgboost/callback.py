"""`RayTrainReportCallback`: reports XGBoost's metrics and keeps its models. Imports XGBoost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.train.checkpoint import Checkpoint
from penstock.train.session import get_context, report
from penstock.train.xgboost.config import require_xgboost

require_xgboost("RayTrainReportCallback")

import xgboost  # noqa: E402 - only now is it known to be there
from xgboost.callback import TrainingCallback  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MODEL_FILE = "model.ubj"
_FILE_KEY = "model_file"
_ROUNDS_KEY = "boosted_rounds"


class RayTrainReportCallback(TrainingCallback):
    """For `xgboost.train(callbacks=[...])` in a training loop.

    Args:
        metrics: which of XGBoost's metrics to report: a name such as "valid-logloss", a list, or
            {name to report it by: XGBoost's name}. All by default.
        filename: of the model in its checkpoint; the ending chooses XGBoost's format.
        frequency: a checkpoint each so many rounds; 0: none on the way.
        checkpoint_at_end: one after the last round.
        results_postprocessing_fn: gets the metrics and returns what is to be reported.

    """

    CHECKPOINT_NAME = MODEL_FILE

    def __init__(
        self,
        metrics: str | Sequence[str] | Mapping[str, str] | None = None,
        filename: str = MODEL_FILE,
        frequency: int = 0,
        checkpoint_at_end: bool = True,  # noqa: FBT001, FBT002 - Ray's signature
        results_postprocessing_fn: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        if frequency < 0:
            raise ValueError(f"frequency must not be negative; got: {frequency}")
        super().__init__()
        self._names = _named(metrics)
        self._filename = filename
        self._frequency = frequency
        self._at_end = checkpoint_at_end
        self._postprocess = results_postprocessing_fn
        self._last: dict[str, Any] = {}
        self._kept_rounds = -1  # The size of the model that was kept last.

    @classmethod
    def get_model(cls, checkpoint: Checkpoint, filename: str | None = None) -> xgboost.Booster:
        """Return the model that this callback kept in a checkpoint, whose metadata name its file.

        Raises:
            FileNotFoundError: the checkpoint has no such file.

        """
        name = filename or checkpoint.get_metadata().get(_FILE_KEY, MODEL_FILE)
        with checkpoint.as_directory() as folder:
            file = Path(folder) / name
            if not file.exists():
                raise FileNotFoundError(f"The checkpoint has no file {name}: {checkpoint.path}")
            model = xgboost.Booster()
            model.load_model(file)
            return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Report a round."""
        self._last = self._metrics(evals_log)
        if self._frequency and (epoch + 1) % self._frequency == 0:
            self._keep(model)
        else:
            report(self._last)
        return False

    def after_training(self, model: Any) -> Any:
        """Keep the model, unless the last round did."""
        if self._at_end and model.num_boosted_rounds() != self._kept_rounds:
            self._keep(model)
        return model

    def _keep(self, model: Any) -> None:
        self._kept_rounds = model.num_boosted_rounds()
        if get_context().get_world_rank() != 0:  # All workers have the same model.
            report(self._last)
            return
        with tempfile.TemporaryDirectory() as folder:
            model.save_model(Path(folder) / self._filename)
            checkpoint = Checkpoint.from_directory(folder)
            checkpoint.set_metadata({_FILE_KEY: self._filename, _ROUNDS_KEY: self._kept_rounds})
            report(self._last, checkpoint=checkpoint)

    def _metrics(self, evals_log: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, Any]:
        found = {
            f"{data}-{metric}": _plain(values[-1])
            for data, metrics in evals_log.items()
            for metric, values in metrics.items()
        }
        if self._names is not None:
            absent = [name for name in self._names.values() if name not in found]
            if absent:
                raise KeyError(
                    f"XGBoost reported no metric by this name; it reported: "
                    f"{', '.join(found) or 'none'}; got: {', '.join(absent)}"
                )
            found = {name: found[theirs] for name, theirs in self._names.items()}
        return found if self._postprocess is None else self._postprocess(found)


def _plain(value: Any) -> Any:
    """Return a number as Python's own; XGBoost gives NumPy's where there are several workers."""
    return value.item() if hasattr(value, "item") else value


def _named(metrics: str | Sequence[str] | Mapping[str, str] | None) -> dict[str, str] | None:
    """Return {name to report it by: XGBoost's name}; None: report all."""
    if not metrics:
        return None
    if isinstance(metrics, str):
        return {metrics: metrics}
    if hasattr(metrics, "items"):
        return dict(metrics.items())
    return {name: name for name in metrics}
