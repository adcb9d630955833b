"""What `init` sets holds until `shutdown`, also for functions and classes that were used before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    penstock.shutdown()
    yield
    penstock.shutdown()


@penstock.remote
def variable() -> str | None:
    return os.environ.get("PENSTOCK_TEST_SESSION")


@penstock.remote
class Variable:
    def read(self) -> str | None:
        return os.environ.get("PENSTOCK_TEST_SESSION")


def test_the_environment_is_the_present_session_s() -> None:
    for value in ("first", "second"):
        penstock.init(num_cpus=1, runtime_env={"env_vars": {"PENSTOCK_TEST_SESSION": value}})
        assert penstock.get([variable.remote(), Variable.remote().read.remote()]) == [value] * 2
        penstock.shutdown()


def test_what_can_never_run_is_measured_by_the_present_session() -> None:
    two = variable.options(num_cpus=2)
    penstock.init(num_cpus=2)
    penstock.get(two.remote())
    penstock.shutdown()
    penstock.init(num_cpus=1)
    with pytest.raises(exceptions.UnplaceableError, match=r"CPU.*has 1"):
        two.remote()
