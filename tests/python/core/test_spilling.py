"""Objects beyond the budget go to disk and come back as they were."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

import penstock
from penstock.core.connection import client

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = 1 << 20  # 8 MiB of them.
_BUDGET_BYTES = 32 << 20
_PATIENCE_S = 30


@pytest.fixture(autouse=True, scope="module")
def _little_memory() -> Iterator[None]:
    penstock.shutdown()
    penstock.init(num_cpus=2, object_store_memory=_BUDGET_BYTES)
    yield
    penstock.shutdown()


def counts() -> dict[str, int]:
    told: dict[str, int] = json.loads(client().ask("counts"))
    return told


def comes_within(name: str, most: int) -> bool:
    """Say whether a count falls so low; what is written to disk leaves the memory afterwards."""
    end_s = time.monotonic() + _PATIENCE_S
    while counts()[name] > most and time.monotonic() < end_s:
        os.sched_yield()
    return counts()[name] <= most


@penstock.remote
def numbers(start: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(start, start + _NUMBERS)


@penstock.remote
def total(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    return int(values.sum())


def test_more_than_the_memory_holds_comes_back_right() -> None:
    put = [penstock.put(np.arange(start, start + _NUMBERS)) for start in range(8)]
    made = [numbers.remote(start) for start in range(8, 16)]
    penstock.wait(made, num_returns=len(made))
    assert comes_within("segment_bytes", _BUDGET_BYTES)
    assert counts()["spilled_bytes"] >= 16 * 8 * _NUMBERS - _BUDGET_BYTES
    for start, reference in enumerate([*put, *made]):
        np.testing.assert_array_equal(penstock.get(reference), np.arange(start, start + _NUMBERS))
    sums = penstock.get([total.remote(reference) for reference in [*made, *put]])
    first = _NUMBERS * (_NUMBERS - 1) // 2
    assert sums == [first + start * _NUMBERS for start in [*range(8, 16), *range(8)]]


def test_what_was_spilled_goes_with_its_last_reference() -> None:
    kept = [penstock.put(np.full(_NUMBERS, value)) for value in range(8)]
    penstock.wait(kept, num_returns=len(kept))
    assert penstock.get(kept[0])[0] == 0
    assert comes_within("segment_bytes", _BUDGET_BYTES)
    assert counts()["spilled_bytes"] > 0
    kept.clear()
    assert comes_within("spilled_bytes", 0)
