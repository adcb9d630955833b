"""What the tests of `penstock.util` share."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from gates import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make_gate(tmp_path: Path) -> Iterator[Callable[[], Gate]]:
    """Make gates, which are open when the test has ended, however it has."""
    gates: list[Gate] = []
    numbers = itertools.count()

    def make() -> Gate:
        gates.append(Gate(tmp_path / f"gate-{next(numbers)}"))
        return gates[-1]

    yield make
    for gate in gates:
        gate.let_through(1000)
        gate.close()
