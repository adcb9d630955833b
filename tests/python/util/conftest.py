"""What the tests of `penstock.util` share."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from turnstiles import Turnstile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make_turnstile(tmp_path: Path) -> Iterator[Callable[[], Turnstile]]:
    """Make turnstiles, which are open when the test has ended, however it has."""
    made: list[Turnstile] = []
    numbers = itertools.count()

    def make() -> Turnstile:
        made.append(Turnstile(tmp_path / f"turnstile-{next(numbers)}"))
        return made[-1]

    yield make
    for gate in made:
        gate.let_through(1000)
        gate.close()
