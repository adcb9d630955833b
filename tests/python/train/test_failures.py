"""Tests of trainings that fail, and start again."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from pathlib import Path

import pytest

from penstock import train
from penstock.exceptions import RayActorError
from penstock.train import (
    BackendConfig,
    Checkpoint,
    DataParallelTrainer,
    FailureConfig,
    ScalingConfig,
    TrainingFailedError,
)
from penstock.train.backend import Backend

TWO = ScalingConfig(num_workers=2)
_ENDS_WITHIN_MS = 30_000


def wait_until_gone(process_id: int) -> None:
    """Wait for the end of a process that is not of this one's own."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = poll.poll(_ENDS_WITHIN_MS)
    os.close(descriptor)
    assert ended, f"The process {process_id} is still there"


def test_what_a_loop_raises_is_raised_with_its_traceback_first(run_config):
    def loop():
        if train.get_context().get_world_rank() == 1:
            raise ZeroDivisionError("no such loss")

    trainer = DataParallelTrainer(loop, scaling_config=TWO, run_config=run_config())
    with pytest.raises(ZeroDivisionError) as caught:
        trainer.fit()
    error = caught.value
    assert isinstance(error, TrainingFailedError)
    assert str(error).startswith("Traceback (most recent call last):\n")
    first_frame = str(error).splitlines()[1]
    assert "test_failures.py" in first_frame
    assert "in loop" in first_frame
    assert "Worker 1 of 2 raised this." in str(error)
    assert list(error.worker_failures) == [1]


def test_the_other_workers_end_when_one_raises(tmp_path, run_config):
    def loop(config):
        context = train.get_context()
        if context.get_world_rank() == 0:
            Path(config["pid"]).write_text(str(os.getpid()))
            train.report({})
            threading.Event().wait()
        train.report({})
        raise ValueError("enough")

    file = tmp_path / "pid"
    trainer = DataParallelTrainer(
        loop, train_loop_config={"pid": str(file)}, scaling_config=TWO, run_config=run_config()
    )
    with pytest.raises(ValueError, match="enough"):
        trainer.fit()
    if file.exists():  # Else the worker was ended before its loop began.
        wait_until_gone(int(file.read_text()))


def test_a_dead_worker_ends_the_training_though_others_wait_for_it(tmp_path, run_config):
    def loop(config):
        rank = train.get_context().get_world_rank()
        (Path(config["folder"]) / str(rank)).write_text(str(os.getpid()))
        if rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

    trainer = DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(tmp_path)},
        scaling_config=TWO,
        run_config=run_config(),
    )
    with pytest.raises(TrainingFailedError, match="Worker 1 of 2 died") as caught:
        trainer.fit()
    assert isinstance(caught.value.__cause__, RayActorError)
    if (tmp_path / "0").exists():
        wait_until_gone(int((tmp_path / "0").read_text()))


def save(folder: Path, step: int) -> Checkpoint:
    folder.mkdir(exist_ok=True)
    (folder / "step").write_text(str(step))
    return Checkpoint(folder)


def count_to_five(config):
    """Count on from the latest checkpoint; the first time, worker 1 fails at step 3."""
    rank = train.get_context().get_world_rank()
    folder = Path(config["folder"])
    found = train.get_checkpoint()
    begun = 0 if found is None else int((Path(found.path) / "step").read_text()) + 1
    (folder / f"begun-{rank}-{begun}").touch()
    for step in range(begun, 5):
        train.report({"step": step - 0.5})
        if rank == 1 and step == 3 and not (folder / "failed").exists():
            (folder / "failed").touch()
            if config["dies"]:
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("once")
        train.report({"step": step}, checkpoint=save(folder / str(rank), step))


@pytest.mark.parametrize("dies", [True, False])
def test_a_training_starts_again_from_its_latest_checkpoint(dies, tmp_path, run_config):
    result = DataParallelTrainer(
        count_to_five,
        train_loop_config={"folder": str(tmp_path), "dies": dies},
        scaling_config=TWO,
        run_config=run_config(failure_config=FailureConfig(max_failures=1)),
    ).fit()
    assert result.metrics == {"step": 4}
    assert [row["step"] * 2 for row in result.metrics_history] == list(range(-1, 9))
    assert sorted(path.name for path in tmp_path.glob("begun-1-*")) == ["begun-1-0", "begun-1-3"]
    assert (Path(result.checkpoint.path) / "step").read_text() == "4"
    folders = sorted(path.name for path in Path(result.path).glob("checkpoint_*"))
    assert folders == [Path(kept.path).name for kept, _ in result.best_checkpoints]


class OwnBackend(BackendConfig):
    """Joins workers as a test says."""

    def __init__(self, backend: type[Backend], context: object = contextlib.nullcontext) -> None:
        self._backend = backend
        self._context = context

    @property
    def backend_cls(self):
        return self._backend

    @property
    def train_func_context(self):
        return self._context


def test_workers_end_with_the_training_whoever_has_their_handles(run_config):
    held = []

    class Keeping(Backend):
        def on_start(self, worker_group, backend_config):
            held.extend(worker_group.actors)
            held.append(worker_group.execute(os.getpid))

    DataParallelTrainer(
        lambda: None,
        backend_config=OwnBackend(Keeping),
        scaling_config=TWO,
        run_config=run_config(),
    ).fit()
    *_, process_ids = held
    for process_id in process_ids:
        wait_until_gone(process_id)


def test_a_worker_that_dies_while_they_are_joined_ends_the_training(run_config):
    def join():
        if train.get_context().get_world_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

    class Joining(Backend):
        def on_start(self, worker_group, backend_config):
            worker_group.execute(join)

    trainer = DataParallelTrainer(
        lambda: None,
        backend_config=OwnBackend(Joining),
        scaling_config=TWO,
        run_config=run_config(),
    )
    with pytest.raises(TrainingFailedError, match="Worker 1 of 2 died"):
        trainer.fit()


def test_others_do_not_hear_of_a_failure_before_the_driver(tmp_path, run_config):
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)

    @contextlib.contextmanager
    def telling():
        try:
            yield
        finally:
            Path(fifo).write_text("over")

    def loop():
        if train.get_context().get_world_rank() == 1:
            raise ValueError("the first of all")
        Path(fifo).read_text()
        os.kill(os.getpid(), signal.SIGKILL)

    trainer = DataParallelTrainer(
        loop,
        backend_config=OwnBackend(Backend, telling),
        scaling_config=TWO,
        run_config=run_config(),
    )
    with pytest.raises(TrainingFailedError, match="the first of all"):
        trainer.fit()


def test_a_training_that_fails_too_often_fails(tmp_path, run_config):
    def loop(config):
        folder = Path(config["folder"])
        (folder / f"start{len(list(folder.iterdir()))}").touch()
        raise OSError(28, "disk full")

    starts = tmp_path / "starts"
    starts.mkdir()
    trainer = DataParallelTrainer(
        loop,
        train_loop_config={"folder": str(starts)},
        run_config=run_config(failure_config=FailureConfig(max_failures=2)),
    )
    with pytest.raises(OSError, match="disk full") as caught:
        trainer.fit()
    assert caught.value.errno == 28
    assert "started again 2 times" in str(caught.value)
    assert len(list(starts.iterdir())) == 3


def test_the_folder_tells_what_was_reported_before_a_failure(run_config, tmp_path):
    def loop():
        train.report({"step": 0})
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        DataParallelTrainer(loop, run_config=run_config()).fit()
    assert train.Result.from_path(tmp_path / "results" / "run").metrics == {"step": 0}


def test_a_loop_that_exits_has_failed(run_config):
    def loop():
        raise SystemExit(3)

    with pytest.raises(TrainingFailedError, match=r"The training loop raised SystemExit\(3\)"):
        DataParallelTrainer(loop, run_config=run_config()).fit()


def test_a_loop_that_cannot_be_sent_to_a_process_is_refused(run_config):
    lock = threading.Lock()

    def loop():
        return lock

    with pytest.raises(TypeError, match="lock"):
        DataParallelTrainer(loop, run_config=run_config()).fit()


INTERRUPTED = """
import os, threading
from penstock.train import DataParallelTrainer, RunConfig, ScalingConfig

def loop():
    with open({fifo!r}, "w") as told:
        told.write(f"{{os.getpid()}}\\n")
    threading.Event().wait()

DataParallelTrainer(
    loop,
    scaling_config=ScalingConfig(num_workers=2),
    run_config=RunConfig(storage_path={folder!r}),
).fit()
"""


def lines_from(descriptor: int, count: int) -> list[str]:
    """Read lines from a named pipe that several processes write to."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    data = b""
    while data.count(b"\n") < count:
        assert poll.poll(_ENDS_WITHIN_MS), f"Only this came: {data!r}"
        data += os.read(descriptor, 4096)
    return data.decode().split()


def test_ctrl_c_ends_all_workers(tmp_path, start_script):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    descriptor = os.open(fifo, os.O_RDWR)  # For writing too: so that it never ends.
    with start_script(INTERRUPTED.format(fifo=str(fifo), folder=str(tmp_path))) as driver:
        workers = [int(line) for line in lines_from(descriptor, 2)]
        driver.send_signal(signal.SIGINT)
        _, told = driver.communicate(timeout=30)
    os.close(descriptor)
    assert "KeyboardInterrupt" in told
    for process_id in workers:
        wait_until_gone(process_id)
