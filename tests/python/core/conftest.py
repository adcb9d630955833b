"""A runtime for the tests of a module, and gates that tasks wait at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from named_pipes import Gate

import penstock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def runtime() -> Iterator[None]:
    penstock.shutdown()
    penstock.init(num_cpus=2, resources={"seat": 2})
    yield
    penstock.shutdown()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


@pytest.fixture
def second_gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "second_gate")
