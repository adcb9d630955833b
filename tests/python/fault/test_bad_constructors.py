"""What constructors do to the process that they run in, in every kind of pool."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock.data import ThreadPoolStrategy

if TYPE_CHECKING:
    from collections.abc import Callable

POOLS = [
    pytest.param({"concurrency": 1}, id="one worker"),
    pytest.param({"concurrency": 4}, id="forked workers"),
    pytest.param({"compute": ThreadPoolStrategy(2)}, id="threads"),
    pytest.param({"concurrency": 3, "share_model": True}, id="a shared model"),
]
ROWS = 40


def run(kind: type, pool: dict[str, Any], *args: Any) -> list[dict[str, Any]]:
    numbers = penstock.data.range(ROWS)
    return numbers.map_batches(kind, batch_size=2, fn_constructor_args=args, **pool).take_all()


class Forks:
    """Leaves a child in its constructor, and waits until that has ended."""

    def __init__(self, act: Callable[[], object]) -> None:
        child = os.fork()
        if child == 0:
            act()
            self.code = -1
        else:
            self.code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"id": batch["id"], "code": [self.code] * len(batch["id"])}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(
    ("act", "code"),
    [
        pytest.param(lambda: None, 0, id="returns"),
        pytest.param(lambda: {}["missing"], 1, id="raises"),
        pytest.param(lambda: sys.exit(3), 3, id="exits"),
    ],
)
def test_a_child_that_comes_back_from_a_constructor_ends_and_its_parent_works(pool, act, code):
    assert run(Forks, pool, act) == [{"id": row, "code": code} for row in range(ROWS)]


@pytest.mark.parametrize("pool", POOLS)
def test_a_constructor_may_close_every_descriptor_that_it_finds(pool):
    class Closes:
        def __init__(self):
            os.closerange(0, 201)

        def __call__(self, batch):
            return batch

    assert run(Closes, pool) == [{"id": row} for row in range(ROWS)]


def test_what_a_constructor_opens_in_place_of_what_it_closed_stays_open():
    class Reopens:
        def __init__(self):
            os.closerange(0, 201)
            self.opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(16)]

        def __call__(self, batch):
            return {"open": [len([os.fstat(descriptor) for descriptor in self.opened])]}

    assert {row["open"] for row in run(Reopens, {"concurrency": 4})} == {16}


@pytest.mark.parametrize("pool", POOLS)
def test_a_constructor_may_change_the_folder_of_its_worker_alone(pool, tmp_path):
    class Moves:
        def __init__(self, folder):
            os.chdir(folder)

        def __call__(self, batch):
            return {"folder": [str(Path.cwd())]}

    before = Path.cwd()
    assert {row["folder"] for row in run(Moves, pool, str(tmp_path))} == {str(tmp_path)}
    assert Path.cwd() == before


def test_the_memory_of_the_job_stays_bounded_while_a_constructor_prints_a_gigabyte(run_script):
    done = run_script(
        """
import os, resource
import penstock

class Floods:
    def __init__(self):
        lines = b"a line of the flood\\n" * (1 << 16)
        for _ in range((1 << 30) // len(lines)):
            os.write(1, lines)
            os.write(2, b"x" * len(lines))

    def __call__(self, batch):
        return batch

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

penstock.data.range(1).map_batches(lambda batch: batch).count()
before = used()
count = penstock.data.range(1).map_batches(Floods, concurrency=1).count()
print("grown by", used() - before, count)
"""
    )
    grown, count = done.stdout.splitlines()[-1].split()[2:]
    assert count == "1"
    assert int(grown) < 64


@pytest.mark.parametrize(("workers", "shares"), [(1, False), (3, False), (3, True)])
def test_a_constructor_that_eats_all_memory_ends_the_job_and_is_named(
    run_script, memory_group, workers, shares
):
    group = memory_group(600 << 20)
    done = run_script(
        f"""
with open("{group}/tasks", "w") as tasks:
    tasks.write("0")
import penstock

class Eats:
    def __init__(self):
        eaten = []
        while True:
            eaten.append(bytes(bytearray(b"x") * (1 << 20)))

    def __call__(self, batch):
        return batch

try:
    penstock.data.range(9).map_batches(
        Eats, batch_size=1, concurrency={workers}, share_model={shares}
    ).take_all()
except penstock.exceptions.WorkerCrashedError as error:
    print(str(error).splitlines()[0])
"""
    )
    assert "MapBatches(Eats): a worker process was killed by the kernel for want of memory" in (
        done.stdout
    ), done.stderr
