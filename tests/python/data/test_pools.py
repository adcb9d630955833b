"""How many workers a stage has, of what, and what becomes of those that grow old."""

from __future__ import annotations

import os
import re
import threading
import time

import numpy as np
import pytest

import penstock
from penstock.exceptions import UnplaceableError


class Who:
    """Says which process answers."""

    def __call__(self, batch):
        return {"id": batch["id"], "process": np.full(len(batch["id"]), os.getpid())}


def processes(ds):
    return len({row["process"] for row in ds.take_all()})


@pytest.fixture
def session():
    yield penstock.init
    penstock.shutdown()


def test_stages_that_need_the_whole_gpu_take_turns(session):
    session(num_gpus=1, num_cpus=1)
    ds = penstock.data.range(100, override_num_blocks=10)
    for _ in range(3):
        ds = ds.map_batches(Who, batch_size=10, num_gpus=1, concurrency=1)
    assert [row["id"] for row in ds.take_all()] == list(range(100))


def test_stages_that_need_all_processors_take_turns(session):
    session(num_cpus=2)
    ds = penstock.data.from_numpy(np.arange(1000)).repartition(100)
    for _ in range(2):
        ds = ds.map_batches(lambda batch: batch, num_cpus=2, concurrency=2)
    assert ds.count() == 1000


def test_a_pool_has_no_more_workers_than_its_resources_allow(session):
    session(num_gpus=1, resources={"licence": 2})
    ds = penstock.data.range(100, override_num_blocks=10)
    assert "2 workers" in plan_of(ds.map_batches(Who, num_gpus=0.5, concurrency=4))
    assert processes(ds.map_batches(Who, batch_size=1, concurrency=4, num_gpus=0.5)) <= 2
    assert (
        processes(ds.map_batches(Who, batch_size=1, concurrency=4, resources={"licence": 1})) <= 2
    )


def plan_of(ds):
    ds.count()
    return re.sub(r"\s+", " ", ds.stats().replace("  2  ", " 2 workers "))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"num_gpus": 3}, "more GPUs .* num_gpus to at most 1, it is 3"),
        ({"num_cpus": 9}, "more processors .* at most 2, it is 9"),
        ({"memory": 1 << 60}, "more memory"),
        ({"resources": {"licence": 1}}, "has none; leave out resources={'licence': ...}, it is 1"),
    ],
)
def test_what_can_never_fit_is_refused_before_anything_runs(session, tmp_path, asked, words):
    session(num_cpus=2, num_gpus=1)

    def mark(batch):
        (tmp_path / "ran").touch()
        return batch

    ds = penstock.data.range(10).map_batches(mark).map_batches(Who, concurrency=1, **asked)
    with pytest.raises(UnplaceableError, match=rf"(?s)MapBatches\(Who\).*{words}"):
        ds.take_all()
    assert not (tmp_path / "ran").exists()


def test_a_worker_answers_no_more_batches_than_allowed():
    ds = penstock.data.range(100).map_batches(
        Who, batch_size=5, concurrency=2, max_batches_per_worker=3
    )
    rows = ds.take_all()
    batches = {}
    for row in rows:
        batches.setdefault(row["process"], set()).add(row["id"] // 5)
    assert [row["id"] for row in rows] == list(range(100))
    assert max(map(len, batches.values())) <= 3
    assert "replaced for their age or size" in ds.stats()


def test_a_leaky_worker_is_replaced_once_it_has_grown_too_large():
    class Leaky:
        def __init__(self):
            self.kept = []

        def __call__(self, batch):
            self.kept.append(np.ones(4 << 20, np.uint8))
            return Who()(batch)

    ds = penstock.data.range(200).map_batches(
        Leaky, batch_size=1, concurrency=1, worker_memory_limit=200 << 20
    )
    assert [row["id"] for row in ds.take_all()] == list(range(200))
    assert processes(ds) > 1


class MeetsOthers:
    """Answers once so many workers have been built."""

    def __init__(self, folder, workers):
        self.folder, self.workers = folder, workers
        self.end = time.monotonic() + 20
        (folder / str(os.getpid())).touch()

    def __call__(self, batch):
        while len(list(self.folder.iterdir())) < self.workers and time.monotonic() < self.end:
            pass
        return batch


class SlowAlone:
    """Takes its time as long as no other worker has been built."""

    def __init__(self, folder):
        self.folder = folder
        (folder / str(os.getpid())).touch()

    def __call__(self, batch):
        end = time.monotonic() + 0.05
        while len(list(self.folder.iterdir())) == 1 and time.monotonic() < end:
            pass
        return Who()(batch)


def test_an_elastic_pool_starts_with_its_initial_workers_and_grows_while_work_waits(tmp_path):
    ds = penstock.data.range(400).map_batches(
        SlowAlone, fn_constructor_args=[tmp_path], batch_size=1, concurrency=(1, 3, 1)
    )
    rows = ds.take_all()
    assert [row["id"] for row in rows] == list(range(400))
    assert len({row["process"] for row in rows[:5]}) == 1
    assert 2 <= len({row["process"] for row in rows}) <= 3


@pytest.mark.parametrize(
    ("asked", "workers"),
    [({"min_size": 3}, 3), ({"min_size": 3, "initial_size": 5}, 5), ({"initial_size": 5}, 5)],
    ids=str,
)
def test_a_pool_without_a_most_has_the_workers_that_its_other_sizes_ask_for(
    session, tmp_path, asked, workers
):
    session(num_cpus=2)
    strategy = penstock.data.ActorPoolStrategy(**asked)
    ds = penstock.data.range(100).map_batches(
        MeetsOthers, fn_constructor_args=[tmp_path, workers], batch_size=1, compute=strategy
    )
    assert ds.count() == 100
    assert len(list(tmp_path.iterdir())) == workers


class MeetsOthersBesideAThread(MeetsOthers):
    def __init__(self, folder, workers):
        super().__init__(folder, workers)
        threading.Thread(target=threading.Event().wait, daemon=True).start()


def test_statistics_say_of_each_pool_how_its_workers_were_started_and_why(tmp_path):
    ds = penstock.data.range(60)
    for name, function, options in (
        ("shared", MeetsOthersBesideAThread, {"concurrency": 3, "share_model": True}),
        ("forked", MeetsOthers, {"concurrency": 3}),
        ("small", MeetsOthers, {"concurrency": 2}),
    ):
        (tmp_path / name).mkdir()
        given = [tmp_path / name, options["concurrency"]]
        ds = ds.map_batches(function, fn_constructor_args=given, batch_size=1, **options)
    ds.count()
    (said,) = (line for line in ds.stats().splitlines() if line.startswith("Workers: "))
    shared, forked, small = said.split("; ")
    assert "MapBatches(MeetsOthersBesideAThread) 3 spawned: an import or a constructor" in shared
    assert forked == "MapBatches(MeetsOthers) 1 spawned, 2 forked"
    assert small == (
        "MapBatches(MeetsOthers) 2 spawned: fewer than 3 start no sooner by being forked"
    )


def test_growing_batches_grow_within_a_few_batches():
    def spin(batch):
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            pass
        return {"rows": np.full(len(batch["id"]), len(batch["id"]))}

    ds = penstock.data.range(10_000).map_batches(spin, batch_size="auto", concurrency=1)
    sizes = [len(batch["rows"]) for batch in ds.iter_batches(batch_size=None)]
    assert sum(sizes) == 10_000
    assert max(sizes[:30]) >= 512


def test_growing_batches_say_what_they_have_come_to_and_lose_no_row():
    ds = penstock.data.range(20_000).map_batches(
        lambda batch: {"id": batch["id"], "rows": np.full(len(batch["id"]), len(batch["id"]))},
        batch_size="auto",
        concurrency=1,
    )
    rows = ds.take_all()
    assert [row["id"] for row in rows] == list(range(20_000))
    assert rows[0]["rows"] == 16
    assert re.search(r"rows a batch, grown to: \d+", ds.stats())


def test_each_worker_sees_its_own_gpus(session):
    session(num_gpus=2)

    class Devices:
        def __call__(self, batch):
            return {"devices": [os.environ["CUDA_VISIBLE_DEVICES"]] * len(batch["id"])}

    def seen(**asked):
        ds = penstock.data.range(40).map_batches(Devices, batch_size=1, **asked)
        return {row["devices"] for row in ds.take_all()}

    assert seen(num_gpus=2, concurrency=1) == {"0,1"}
    assert seen(num_gpus=0.5, concurrency=2) <= {"0"}
    assert seen(num_gpus=1, concurrency=2) <= {"0", "1"}


def test_a_worker_that_makes_way_for_its_successor_answers_all_its_batches_first(session):
    session(num_gpus=1)
    ds = penstock.data.range(40).map_batches(
        Who, batch_size=1, num_gpus=1, concurrency=1, max_batches_per_worker=20
    )
    assert processes(ds) == 2


def test_a_resource_is_free_only_once_its_worker_has_gone(session, tmp_path):
    session(num_gpus=1)

    class Lingers:
        def __init__(self):
            import atexit

            self.mark = tmp_path / "alive"
            self.mark.touch(exist_ok=False)  # Fails while another one is there.
            atexit.register(self.mark.unlink)

        def __call__(self, batch):
            return batch

    ds = penstock.data.range(20).map_batches(
        Lingers, batch_size=1, num_gpus=1, concurrency=1, max_batches_per_worker=4
    )
    assert ds.count() == 20


def test_threads_share_what_their_process_asks_for(session):
    session(num_gpus=2, num_cpus=4)
    pool = penstock.data.ThreadPoolStrategy()

    class Devices:
        def __call__(self, batch):
            return {"devices": [os.environ["CUDA_VISIBLE_DEVICES"]] * len(batch["id"])}

    ds = penstock.data.range(40).map_batches(
        Devices, batch_size=1, num_gpus=2, num_cpus=4, compute=pool
    )
    assert {row["devices"] for row in ds.take_all()} == {"0,1"}
