"""A stage's own environment reaches its workers, spawned and forked, over the driver's."""

from __future__ import annotations

import os

import pytest
from pools import over_rows
from rendezvous import meet, rendezvous


class Reader:
    """Says what its worker's environment holds, once all have met."""

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.built_with = os.environ.get("PENSTOCK_TEST")

    def __call__(self, batch):
        self.address = meet(self.address)
        return {"built_with": [self.built_with], "threads": [os.environ["OMP_NUM_THREADS"]]}


@pytest.mark.parametrize("workers", [1, 4])
def test_the_workers_see_the_stage_s_variables_over_the_driver_s(tmp_path, monkeypatch, workers):
    monkeypatch.setenv("PENSTOCK_TEST", "driver")
    with rendezvous(tmp_path, parties=workers) as address:
        rows = over_rows(
            2 * workers,
            Reader,
            workers=workers,
            arguments=(address,),
            environment=["PENSTOCK_TEST=stage", "OMP_NUM_THREADS=7"],
        ).take_all()
    assert rows == [{"built_with": "stage", "threads": "7"}] * 2 * workers


def test_another_stage_s_workers_do_not(monkeypatch):
    monkeypatch.setenv("PENSTOCK_TEST", "driver")
    first = over_rows(1, Reader, workers=1, environment=["PENSTOCK_TEST=stage"])
    second = first.map_batches(lambda batch: {**batch, "after": [os.environ["PENSTOCK_TEST"]]})
    assert [(row["built_with"], row["after"]) for row in second.take_all()] == [("stage", "driver")]
