"""Runs a training from its data to its result, again and again where it fails."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.train import shards
from penstock.train.context import TrainContext
from penstock.train.errors import training_failed
from penstock.train.placement import workers_that_fit
from penstock.train.record import Record
from penstock.train.result import Result, result_of
from penstock.train.session import Assignment
from penstock.train.storage import for_run
from penstock.train.supervision import Supervisor
from penstock.train.worker import Task
from penstock.train.worker_group import WorkerFailedError, WorkerGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock.data.dataset import Dataset
    from penstock.train.backend import BackendConfig
    from penstock.train.checkpoint import Checkpoint
    from penstock.train.config import ScalingConfig
    from penstock.train.data_config import DataConfig
    from penstock.train.run_config import RunConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """All that a training consists of."""

    name: str
    loop: Callable[..., Any]
    arguments: tuple[Any, ...]
    backend_config: BackendConfig
    scaling_config: ScalingConfig
    run_config: RunConfig
    data_config: DataConfig
    datasets: Mapping[str, Dataset | Callable[[], Dataset]] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    resume_from: Checkpoint | None = None
    goes_on: bool = True  # From the latest checkpoint of a training of its name.


def run(job: Job) -> Result:
    """Run a training.

    Raises:
        UnplaceableError: it does not fit the machine.
        TrainingFailedError: it failed more often than it may.

    """
    import penstock

    workers = workers_that_fit(job.scaling_config, penstock.cluster_resources())
    record = _record_of(job)
    datasets = {name: ds() if callable(ds) else ds for name, ds in job.datasets.items()}
    placed = shards.place(job.data_config.configure(datasets, workers, None, None))
    attempts = _Attempts(job, record, placed)
    try:
        values = attempts.until_done()
    finally:
        record.save()
    return result_of(record, return_value=values[0])


def _record_of(job: Job) -> Record:
    config = job.run_config
    storage = for_run(config.storage_path, config.storage_filesystem, job.name)
    storage.create()
    record = Record(storage, config.checkpoint_config)
    if not job.goes_on:
        record.begin_anew()
    elif record.load():
        record.rewind()
        record.delete_unfinished()
    return record


class _Attempts:
    """Starts the workers, and starts them again where they fail."""

    def __init__(self, job: Job, record: Record, placed: list[dict[str, shards.Shard]]) -> None:
        self._job = job
        self._record = record
        self._placed = placed

    def until_done(self) -> list[Any]:
        failures_max = self._job.run_config.failure_config.max_failures
        failures = 0
        while True:
            try:
                return self._once()
            except WorkerFailedError as failed:
                error = training_failed(failed.failures, len(self._placed), failures)
            if failures_max != -1 and failures >= failures_max:
                raise error
            failures += 1
            logger.warning("The training starts again; failure %d: %s", failures, error)
            self._record.rewind()
            self._record.delete_unfinished()

    def _once(self) -> list[Any]:
        import penstock

        job = self._job
        config = job.backend_config
        backend = config.backend_cls()
        resources = job.scaling_config.worker_resources
        env = job.run_config.worker_runtime_env
        with WorkerGroup(len(self._placed), resources, env) as group:
            group.gather(
                [
                    actor.assign.remote(own)
                    for actor, own in zip(group.actors, self._assignments(), strict=True)
                ]
            )
            backend.on_start(group, config)
            backend.on_training_start(group, config)
            task = penstock.put(Task(job.loop, job.arguments, config.train_func_context))
            group.gather([actor.begin.remote(task) for actor in group.actors])
            values = Supervisor(group, self._record).watch()
            backend.on_shutdown(group, config)
        return values

    def _assignments(self) -> list[Assignment]:
        record = self._record
        number = record.next_number()
        checkpoint = record.latest or self._job.resume_from
        return [
            Assignment(self._context(rank), placed, checkpoint, number)
            for rank, placed in enumerate(self._placed)
        ]

    def _context(self, rank: int) -> TrainContext:
        job = self._job
        return TrainContext(
            world_rank=rank,
            world_size=len(self._placed),
            experiment_name=job.name,
            storage=self._record.storage,
            resources=job.scaling_config.worker_resources,
            metadata=job.metadata,
        )
