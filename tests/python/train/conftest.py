"""What the tests of trainings share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock.train import RunConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run_config(tmp_path: Path) -> Callable[..., RunConfig]:
    """Make the settings of a training that writes to a folder of the test's own."""

    def make(**options: Any) -> RunConfig:
        return RunConfig(**{"storage_path": str(tmp_path / "results"), "name": "run", **options})

    return make
