"""A batch is run again as often as the budget of what ended it allows, and the error says so."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import penstock
from penstock.data import Retries
from penstock.exceptions import UserCodeException, WorkerCrashedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class TeapotError(Exception):
    """An exception that the engine has never heard of."""


class Flaw:
    """Does something the first times that it is called, in whatever process."""

    def __init__(self, folder: Path, how: Callable[[], object], times: int) -> None:
        self._folder, self._how, self._times = folder, how, times

    def __call__(self) -> None:
        calls = self.calls()
        (self._folder / str(time.monotonic_ns())).touch()
        if calls < self._times:
            self._how()

    def calls(self) -> int:
        return len(list(self._folder.iterdir()))


def raising(error: BaseException) -> Callable[[], object]:
    def how() -> object:
        raise error

    return how


@pytest.fixture
def flaw(tmp_path: Path) -> Callable[..., Flaw]:
    def make(how: Callable[[], object], times: int) -> Flaw:
        folder = tmp_path / f"calls {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return Flaw(folder, how, times)

    return make


def rows(flaw: Flaw, **options: Any) -> list[int]:
    def work(batch: dict[str, Any]) -> dict[str, Any]:
        if 5 in batch["id"]:
            flaw()
        return batch

    job = penstock.data.range(8, override_num_blocks=1).map_batches(work, batch_size=2, **options)
    return [row["id"] for row in job.take_all()]


class TestExceptions:
    def test_a_batch_that_raised_runs_again(self, flaw: Callable[..., Flaw]) -> None:
        broken = flaw(raising(ConnectionResetError("gone")), 3)
        retries = Retries(exceptions={ConnectionError: 3}, wait_s=0)
        assert rows(broken, retries=retries) == list(range(8))
        assert broken.calls() == 4

    def test_classes_of_ones_own_are_known(self, flaw: Callable[..., Flaw]) -> None:
        retries = Retries(exceptions={TeapotError: -1}, wait_s=0)
        assert rows(flaw(raising(TeapotError("short and stout")), 5), retries=retries) == list(
            range(8)
        )

    def test_others_end_the_job_at_once(self, flaw: Callable[..., Flaw]) -> None:
        broken = flaw(raising(ValueError("wrong for ever")), 1)
        with pytest.raises(ValueError, match="wrong for ever"):
            rows(broken, retries=Retries(exceptions={ConnectionError: 3}, io=3, wait_s=0))
        assert broken.calls() == 1

    def test_the_error_says_what_was_tried_and_how_often(self, flaw: Callable[..., Flaw]) -> None:
        broken = flaw(raising(ConnectionResetError("gone")), 99)
        with pytest.raises(ConnectionResetError) as raised:
            rows(broken, retries=Retries(exceptions={ConnectionError: 2}, wait_s=0))
        assert broken.calls() == 3
        assert "ConnectionError 3 times (retries allowed: 2)" in str(raised.value)
        assert "gone" in str(raised.value)

    def test_errors_of_files_and_connections_run_again_unless_they_last(
        self, flaw: Callable[..., Flaw]
    ) -> None:
        retries = Retries(io=4, wait_s=0)
        assert rows(flaw(raising(TimeoutError("late")), 4), retries=retries) == list(range(8))
        lasting = flaw(raising(FileNotFoundError("no such file")), 1)
        with pytest.raises(FileNotFoundError):
            rows(lasting, retries=retries)
        assert lasting.calls() == 1

    def test_it_waits_before_it_runs_again(self, flaw: Callable[..., Flaw]) -> None:
        broken = flaw(raising(ConnectionResetError("gone")), 2)
        begin_s = time.monotonic()
        rows(broken, retries=Retries(exceptions={ConnectionError: 2}, wait_s=0.6))
        assert time.monotonic() - begin_s >= 0.3 + 0.6

    def test_what_a_generator_yielded_before_is_not_yielded_twice(
        self, flaw: Callable[..., Flaw]
    ) -> None:
        broken = flaw(raising(ConnectionResetError("gone")), 2)

        def each(batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
            for row in batch["id"].tolist():
                if row == 5:
                    broken()
                yield {"id": np.array([row])}

        job = penstock.data.range(8, override_num_blocks=1).map_batches(
            each, batch_size=8, retries=Retries(exceptions={ConnectionError: 2}, wait_s=0)
        )
        assert [row["id"] for row in job.take_all()] == list(range(8))

    def test_rows_are_left_out_only_when_the_budget_is_used_up(
        self, flaw: Callable[..., Flaw]
    ) -> None:
        retries = Retries(exceptions={ConnectionError: 3}, wait_s=0)
        broken = flaw(raising(ConnectionResetError("gone")), 3)
        assert rows(broken, retries=retries, on_error="drop") == list(range(8))
        broken = flaw(raising(ConnectionResetError("gone")), 99)
        assert rows(broken, retries=retries, on_error="drop") == [0, 1, 2, 3, 4, 6, 7]


class TestDeaths:
    def test_each_cause_has_a_budget_of_its_own(self, flaw: Callable[..., Flaw]) -> None:
        broken = flaw(lambda: os._exit(3), 99)
        with pytest.raises(WorkerCrashedError, match=r"crash 2 times \(retries allowed: 1\)"):
            rows(broken, retries=Retries(crash=1, timeout=5))
        assert broken.calls() == 2

    def test_a_batch_that_takes_too_long_may_be_run_once_only(
        self, flaw: Callable[..., Flaw]
    ) -> None:
        broken = flaw(lambda: time.sleep(60), 99)
        with pytest.raises(WorkerCrashedError, match=r"time-out 1 times \(retries allowed: 0\)"):
            rows(broken, retries=Retries(timeout=0), batch_timeout_s=0.5)
        assert broken.calls() == 1

    def test_what_is_not_said_is_as_max_task_retries(self, flaw: Callable[..., Flaw]) -> None:
        broken = flaw(lambda: os._exit(3), 99)
        with pytest.raises(WorkerCrashedError, match=r"crash 3 times \(retries allowed: 2\)"):
            rows(broken, retries=Retries(timeout=0), max_task_retries=2)


class TestRaysNames:
    @pytest.mark.parametrize("asked", [True, [KeyError, ConnectionError]])
    def test_retry_exceptions(self, flaw: Callable[..., Flaw], asked: Any) -> None:
        broken = flaw(raising(ConnectionResetError("gone")), 1)
        assert rows(broken, retry_exceptions=asked) == list(range(8))

    def test_actor_task_retry_on_errors_is_for_classes(self, flaw: Callable[..., Flaw]) -> None:
        broken = flaw(raising(ConnectionResetError("gone")), 1)

        class Model:
            def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
                broken()
                return batch

        context = penstock.data.DataContext.get_current()
        context.actor_task_retry_on_errors = [ConnectionError]
        try:
            job = penstock.data.range(3)
            good = job.map_batches(Model, concurrency=1)
            bad = job.map_batches(lambda batch: 1 / 0)
        finally:
            context.actor_task_retry_on_errors = False
        assert good.count() == 3
        with pytest.raises(UserCodeException):
            bad.materialize()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"crash": -2}, ValueError, "crash must be at least 0, or -1 for no limit; got: -2"),
        ({"io": 1.5}, TypeError, "io"),
        ({"io": None}, TypeError, "io"),
        ({"exceptions": [ValueError]}, TypeError, "{class: number}"),
        ({"exceptions": {"ValueError": 1}}, TypeError, "classes of exceptions; got: 'ValueError'"),
        ({"exceptions": {ValueError: -3}}, ValueError, r"exceptions\[ValueError\] must be"),
        ({"wait_s": -1}, ValueError, "wait_s"),
        ({"wait_max_s": None}, TypeError, "wait_max_s must be a number of seconds"),
    ],
)
def test_budgets_that_make_no_sense_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Retries(**options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"retries": 3}, TypeError, "retries must be a penstock.data.Retries; got: 3"),
        ({"retries": Retries(), "retry_exceptions": True}, ValueError, "give one of them"),
        ({"retry_exceptions": ["x"]}, TypeError, "classes of exceptions; got: 'x'"),
        ({"retry_exceptions": 3}, TypeError, "True, False or exceptions; got: 3"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        penstock.data.range(3).map(lambda row: row, **options)


class TestWorkersThatDieWhileTheyAreBuilt:
    @staticmethod
    def job(flaw: Flaw, **options: Any) -> Any:
        class Model:
            def __init__(self) -> None:
                flaw()

            def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
                return batch

        return penstock.data.range(3).map_batches(Model, concurrency=1, **options)

    def test_those_that_somebody_kills_are_replaced(self, flaw: Callable[..., Flaw]) -> None:
        killed = flaw(lambda: os.kill(os.getpid(), signal.SIGKILL), 5)
        assert self.job(killed, max_restarts=-1).count() == 3
        assert killed.calls() == 6

    def test_they_count_as_restarts(self, flaw: Callable[..., Flaw]) -> None:
        killed = flaw(lambda: os.kill(os.getpid(), signal.SIGKILL), 99)
        with pytest.raises(WorkerCrashedError, match="max_restarts=4"):
            self.job(killed, max_restarts=4).materialize()
        assert killed.calls() == 5

    def test_a_class_that_ends_its_worker_still_ends_the_job(
        self, flaw: Callable[..., Flaw]
    ) -> None:
        ended = flaw(lambda: os._exit(3), 99)
        with pytest.raises(WorkerCrashedError, match="try 3 of 3"):
            self.job(ended, max_restarts=-1).materialize()
        assert ended.calls() == 3
