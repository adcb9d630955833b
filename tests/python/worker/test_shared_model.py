"""Workers that are forked once the functions are built, and share the memory of what was built."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pools import over_rows
from rendezvous import meet, rendezvous

if TYPE_CHECKING:
    import penstock

WORKERS = 4
MODEL_BYTES = 128 << 20


class Model:
    """Large, and counts how often it was built."""

    def __init__(self, address: str, built: str, extra: str = "") -> None:
        with Path(built).open("a") as file:
            file.write("built\n")
        if extra == "thread":
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        self.weights = np.ones(MODEL_BYTES // 8)
        self.address = address

    def __call__(self, batch):
        self.address = meet(self.address)
        rollup = Path("/proc/self/smaps_rollup").read_text().splitlines()
        pss = next(int(line.split()[1]) << 10 for line in rollup if line.startswith("Pss:"))
        return {"process": [os.getpid()], "pss": [pss], "sum": [self.weights[:9].sum()]}


def shared(folder: Path, address: str, *extra: str) -> penstock.data.Dataset:
    return over_rows(
        2 * WORKERS,
        Model,
        workers=WORKERS,
        shares_model=True,
        arguments=(address, str(folder / "built"), *extra),
    )


def built(folder: Path) -> int:
    return len((folder / "built").read_text().splitlines())


def test_the_model_is_built_once_and_its_memory_is_shared(tmp_path):
    with rendezvous(tmp_path, parties=WORKERS) as address:
        rows = shared(tmp_path, address).take_all()
    assert built(tmp_path) == 1
    memory = {row["process"]: row["pss"] for row in rows}
    assert len(memory) == WORKERS
    assert sum(memory.values()) < 2 * MODEL_BYTES
    assert {row["sum"] for row in rows} == {9.0}


def test_the_statistics_say_that_the_model_is_shared(tmp_path):
    with rendezvous(tmp_path, parties=WORKERS) as address:
        said = shared(tmp_path, address).materialize().stats()
    assert f"Workers: {WORKERS} forked with their model" in said


def test_where_a_fork_would_break_it_each_worker_builds_its_own_and_the_reason_is_said(tmp_path):
    with rendezvous(tmp_path, parties=WORKERS) as address:
        said = shared(tmp_path, address, "thread").materialize().stats()
    assert f"Workers: {WORKERS} spawned: an import or a constructor started threads" in said
    assert built(tmp_path) == 1 + WORKERS


def test_what_the_constructor_raises_is_raised_by_the_workers_themselves():
    class Broken:
        def __init__(self):
            raise LookupError("no weights")

        def __call__(self, batch):
            return batch

    with pytest.raises(LookupError, match="no weights"):
        over_rows(8, Broken, workers=2, shares_model=True).take_all()


def test_a_template_that_dies_while_it_builds_leaves_the_building_to_the_workers(tmp_path):
    class Dies:
        def __init__(self, marker):
            if not Path(marker).exists():
                Path(marker).touch()
                os._exit(5)

        def __call__(self, batch):
            return batch

    ds = over_rows(8, Dies, workers=2, shares_model=True, arguments=(str(tmp_path / "marker"),))
    ds = ds.materialize()
    assert ds.count() == 8
    assert "Workers: 2 spawned: the template process exited with code 5" in ds.stats()


def test_what_the_constructor_prints_in_the_template_comes_back(capsys):
    class Speaks:
        def __init__(self):
            print("loading")

        def __call__(self, batch):
            return batch

    over_rows(8, Speaks, workers=2, shares_model=True).take_all()
    assert capsys.readouterr().out == "(MapBatches(Speaks)) loading\n"
