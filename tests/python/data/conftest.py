from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.data import DataContext


@pytest.fixture
def context() -> Iterator[DataContext]:
    """A context of its own for the test: what it changes is gone afterwards."""
    from penstock.data import DataContext

    with DataContext.current(DataContext()) as fresh:
        yield fresh
