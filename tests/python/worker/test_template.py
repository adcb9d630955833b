"""Pools of three workers and more: the first is spawned, the others are forked from a template."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from rendezvous import meet, rendezvous

import penstock
from penstock.exceptions import WorkerCrashedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORKERS = 4
BATCHES = 2 * WORKERS  # Each worker holds two, so that none is left out.


THREAD = """
    import threading
    threading.Thread(target=threading.Event().wait, daemon=True).start()
"""

CLEANS_UP = """
    import os, weakref

    class Made:
        pass

    def clean_up():
        with open(os.environ["PENSTOCK_TEST_CLEANED"], "a") as file:
            file.write("x")

    made = Made()
    weakref.finalize(made, clean_up)
"""


class Witness:
    """Says of its worker how it came to be, once all workers of the pool have met."""

    def __init__(self, address: str, *, learnt: str = "") -> None:
        self.address = address
        self.inherited = learnt in sys.modules
        if learnt:
            __import__(learnt)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        self.address = meet(self.address)
        facts = [os.getpid(), os.getppid(), self.inherited, os.getpgid(0), np.random.rand()]
        names = ["process", "parent", "inherited", "group", "drawn"]
        return {name: [fact] for name, fact in zip(names, facts, strict=True)}


def pool(address: str, *, learnt: str) -> penstock.data.Dataset:
    return penstock.data.range(BATCHES).map_batches(
        Witness,
        batch_size=1,
        concurrency=WORKERS,
        fn_constructor_args=(address,),
        fn_constructor_kwargs={"learnt": learnt},
    )


def witnesses(folder: Path, *, learnt: str = "") -> list[dict[str, Any]]:
    """Return what each worker says of itself."""
    with rendezvous(folder, parties=WORKERS) as address:
        said = pool(address, learnt=learnt).take_all()
    return list({fact["process"]: fact for fact in said}.values())


def statistics(folder: Path, *, learnt: str = "") -> str:
    with rendezvous(folder, parties=WORKERS) as address:
        return pool(address, learnt=learnt).materialize().stats()


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """Write a module that workers can import, and return its name."""
    (folder / "taught.py").write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(folder)
    return "taught"


def test_all_workers_but_the_first_come_from_one_template(tmp_path):
    facts = witnesses(tmp_path)
    assert len({fact["process"] for fact in facts}) == WORKERS
    parents = [fact["parent"] for fact in facts]
    assert parents.count(os.getpid()) == 1
    assert len(set(parents)) == 2


def test_the_statistics_say_how_workers_were_started_and_why(tmp_path, monkeypatch):
    assert f"Workers: 1 spawned, {WORKERS - 1} forked" in statistics(tmp_path)
    learnt = module(tmp_path, monkeypatch, THREAD)
    assert "Workers: 4 spawned: an import or a constructor started threads" in statistics(
        tmp_path, learnt=learnt
    )


def test_threads_that_a_library_ends_at_a_fork_do_not_hinder_it(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")  # NumPy's import starts them.
    learnt = module(tmp_path, monkeypatch, "import numpy")
    assert f"Workers: 1 spawned, {WORKERS - 1} forked" in statistics(tmp_path, learnt=learnt)


def test_forked_workers_lead_process_groups_of_their_own(tmp_path):
    assert all(fact["group"] == fact["process"] for fact in witnesses(tmp_path))


def test_what_the_first_worker_imports_the_others_have_before_they_are_built(tmp_path, monkeypatch):
    learnt = module(tmp_path, monkeypatch, "")
    inherited = [fact["inherited"] for fact in witnesses(tmp_path, learnt=learnt)]
    assert inherited.count(True) == WORKERS - 1


def test_no_constructor_waits_for_the_end_of_the_first_one(tmp_path):
    class Meets:
        def __init__(self, address):
            meet(address)

        def __call__(self, batch):
            return batch

    with rendezvous(tmp_path, parties=WORKERS) as address:
        said = (
            penstock.data.range(BATCHES)
            .map_batches(Meets, batch_size=1, concurrency=WORKERS, fn_constructor_args=(address,))
            .materialize()
            .stats()
        )
    assert f"Workers: 1 spawned, {WORKERS - 1} forked" in said


def test_forked_workers_draw_random_numbers_of_their_own(tmp_path, monkeypatch):
    learnt = module(tmp_path, monkeypatch, "import numpy.random")
    drawn = {fact["drawn"] for fact in witnesses(tmp_path, learnt=learnt)}
    assert len(drawn) == WORKERS


def test_what_an_import_made_is_not_cleaned_up_by_each_forked_worker(tmp_path, monkeypatch):
    cleaned = tmp_path / "cleaned"
    monkeypatch.setenv("PENSTOCK_TEST_CLEANED", str(cleaned))
    learnt = module(tmp_path, monkeypatch, CLEANS_UP)
    witnesses(tmp_path, learnt=learnt)
    assert cleaned.read_text() == "x"  # Once: by the worker that was spawned.


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(THREAD, id="a thread is started"),
        pytest.param(
            """
            import os
            os.register_at_fork(after_in_child=lambda: os._exit(7))
            """,
            id="a fork ends at once",
        ),
    ],
)
def test_where_a_fork_would_not_work_the_workers_are_spawned(tmp_path, monkeypatch, text):
    learnt = module(tmp_path, monkeypatch, text)
    facts = witnesses(tmp_path, learnt=learnt)
    assert {fact["parent"] for fact in facts} == {os.getpid()}
    assert not any(fact["inherited"] for fact in facts)


def test_an_import_that_fails_in_the_template_is_left_to_the_workers(tmp_path, monkeypatch):
    learnt = module(
        tmp_path,
        monkeypatch,
        """
        import sys
        if "--template" in sys.orig_argv and not hasattr(sys, "tried"):
            sys.tried = True  # Which forked workers inherit.
            raise SystemExit("not here")
        """,
    )
    inherited = [fact["inherited"] for fact in witnesses(tmp_path, learnt=learnt)]
    assert inherited == [False] * WORKERS


def test_an_import_that_never_ends_in_the_template_leaves_the_workers_to_be_spawned(
    tmp_path, monkeypatch
):
    learnt = module(
        tmp_path,
        monkeypatch,
        """
        import signal, sys
        if "--template" in sys.orig_argv and signal.getitimer(signal.ITIMER_REAL)[0] > 0:
            signal.setitimer(signal.ITIMER_REAL, 0.001)  # The time is over.
            while True:
                signal.pause()
        """,
    )
    assert f"Workers: {WORKERS} spawned: the template process was killed by signal 14" in (
        statistics(tmp_path, learnt=learnt)
    )


class Fails:
    """Does `act` in a forked worker."""

    def __init__(self, address: str, driver: int, act: Callable[[], None]) -> None:
        self.address, self.driver, self.act = address, driver, act

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        self.address = meet(self.address)
        if os.getppid() != self.driver:
            self.act()
        return batch


def failure(folder: Path, act: Callable[[], None]) -> str:
    with (
        rendezvous(folder, parties=WORKERS) as address,
        pytest.raises(WorkerCrashedError) as raised,
    ):
        penstock.data.range(BATCHES).map_batches(
            Fails,
            batch_size=1,
            concurrency=WORKERS,
            fn_constructor_args=(address, os.getpid(), act),
            max_task_retries=0,
        ).take_all()
    return str(raised.value)


def test_the_signal_that_ends_a_forked_worker_is_named(tmp_path):
    said = failure(tmp_path, lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert "was killed by signal 9 (SIGKILL)" in said


def test_the_exit_code_of_a_forked_worker_is_named(tmp_path):
    assert "exited with code 5" in failure(tmp_path, lambda: os._exit(5))


def test_the_end_of_the_template_ends_its_workers_and_is_named(tmp_path):
    def end_template():
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()

    said = failure(tmp_path, end_template)
    assert "because the template process was killed by signal 9" in said
