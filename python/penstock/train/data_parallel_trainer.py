"""`DataParallelTrainer`: the same loop in several workers, each with its part of the data."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import uuid
from typing import TYPE_CHECKING, Any

from penstock.train.backend import BackendConfig
from penstock.train.checkpoint import Checkpoint
from penstock.train.config import ScalingConfig
from penstock.train.data_config import DataConfig
from penstock.train.run_config import RunConfig
from penstock.worker.callables import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock.data.dataset import Dataset
    from penstock.train.controller import Job
    from penstock.train.result import Result

    Datasets = Mapping[str, Dataset | Callable[[], Dataset]]


class DataParallelTrainer:
    """Runs a training loop in worker processes, and starts them again where they fail.

    Args:
        train_loop_per_worker: the loop: a function without arguments, or with one for
            `train_loop_config`. In it `penstock.train.report` and the like may be called.
        train_loop_config: handed to the loop; {} by default.
        backend_config: the framework that joins the workers.
        scaling_config: how many workers, and what each may use.
        run_config: where the training writes, what it keeps, how often it starts again.
        datasets: by name; the loop gets its part with `get_dataset_shard`. Each is run once,
            before the workers start, and its rows wait in shared memory.
        dataset_config: how data sets are shared out.
        resume_from_checkpoint: what `get_checkpoint` returns when the training begins.
        metadata: values that JSON can hold; every checkpoint gets them.

    """

    _goes_on = True  # From the latest checkpoint of a training of the same name.

    def __init__(
        self,
        train_loop_per_worker: Callable[..., Any],
        *,
        train_loop_config: Mapping[str, Any] | None = None,
        backend_config: BackendConfig | None = None,
        scaling_config: ScalingConfig | None = None,
        run_config: RunConfig | None = None,
        datasets: Datasets | None = None,
        dataset_config: DataConfig | None = None,
        resume_from_checkpoint: Checkpoint | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.backend_config = _given("backend_config", backend_config, BackendConfig)
        self.scaling_config = _given("scaling_config", scaling_config, ScalingConfig)
        self.run_config = _given("run_config", run_config, RunConfig)
        self.dataset_config = _given("dataset_config", dataset_config, DataConfig)
        if resume_from_checkpoint is not None:
            _given("resume_from_checkpoint", resume_from_checkpoint, Checkpoint)
        self.datasets = _checked_datasets(datasets)
        self.resume_from_checkpoint = resume_from_checkpoint
        self.metadata = _checked_metadata(metadata)
        self._loop = train_loop_per_worker
        self._arguments = _loop_arguments(train_loop_per_worker, train_loop_config)

    def fit(self) -> Result:
        """Run the training to its end.

        Raises:
            UnplaceableError: the workers can never fit the machine.
            TrainingFailedError: a loop raised, or a worker died, more often than `FailureConfig`
                allows. What a loop raised makes an error that is also of its class.
            Exception: what running a data set raised.

        """
        from penstock.train import controller

        return controller.run(self._job())

    def _job(self) -> Job:
        from penstock.train.controller import Job

        return Job(
            name=self.run_config.name or _default_name(type(self).__name__),
            loop=self._loop,
            arguments=self._arguments,
            backend_config=self.backend_config,
            scaling_config=self.scaling_config,
            run_config=self.run_config,
            data_config=self.dataset_config,
            datasets=self.datasets,
            metadata=self.metadata,
            resume_from=self.resume_from_checkpoint,
            goes_on=self._goes_on,
        )


def _default_name(trainer: str) -> str:
    now = dt.datetime.now().astimezone()
    return f"{trainer}_{now:%Y-%m-%d_%H-%M-%S}_{uuid.uuid4().hex[:6]}"


def _given(name: str, value: Any, kind: type[Any]) -> Any:
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}; got: {value!r}")
    return value


def _checked_datasets(datasets: Any) -> dict[str, Any]:
    if datasets is None:
        return {}
    if not hasattr(datasets, "items"):
        raise TypeError(f"datasets must be a dict of data sets by name; got: {datasets!r}")
    for name, dataset in datasets.items():
        if not isinstance(name, str):
            raise TypeError(f"The names of datasets must be text; got: {name!r}")
        if not callable(dataset) and not hasattr(dataset, "streaming_split"):
            raise TypeError(
                f"datasets[{name!r}] must be a penstock.data.Dataset, or a function that returns "
                f"one; got: {dataset!r}"
            )
    return dict(datasets)


def _checked_metadata(metadata: Any) -> dict[str, Any]:
    if metadata is None:
        return {}
    if not hasattr(metadata, "items"):
        raise TypeError(f"metadata must be a dict; got: {metadata!r}")
    json.dumps(dict(metadata))  # What JSON cannot hold fails now, not in a worker.
    return dict(metadata)


def _loop_arguments(loop: Any, config: Any) -> tuple[Any, ...]:
    if not callable(loop):
        raise TypeError(f"train_loop_per_worker must be a function; got: {loop!r}")
    if config is not None and not hasattr(config, "items"):
        raise TypeError(f"train_loop_config must be a dict; got: {config!r}")
    parameters = len(inspect.signature(loop).parameters)
    if parameters > 1:
        raise ValueError(
            "train_loop_per_worker must take no argument, or one: train_loop_config; "
            f"{name_of(loop)} takes: {parameters}"
        )
    if parameters == 0 and config:
        raise ValueError(
            f"train_loop_config is given, but {name_of(loop)} takes no argument; give it one"
        )
    return ({} if config is None else config,) if parameters else ()
