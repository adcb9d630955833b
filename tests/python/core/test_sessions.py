"""What `init` sets holds until `shutdown`, also for functions and classes that were used before."""

from __future__ import annotations

import os
from pathlib import Path
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


def test_the_working_folder_is_that_of_tasks_and_actors_unless_they_have_their_own(
    tmp_path: Path,
) -> None:
    @penstock.remote
    def read() -> tuple[str, str]:
        import beside  # type: ignore[import-not-found]

        return str(Path.cwd()), beside.NAME

    @penstock.remote
    class Reader:
        def read(self) -> str:
            return Path("words").read_text()

    session, own = tmp_path / "session", tmp_path / "own"
    for folder in (session, own):
        folder.mkdir()
        (folder / "words").write_text(folder.name)
        (folder / "beside.py").write_text(f"NAME = {folder.name!r}")
    penstock.init(num_cpus=1, runtime_env={"working_dir": str(session)})
    assert penstock.get(read.remote()) == (str(session), "session")
    assert penstock.get(Reader.remote().read.remote()) == "session"
    another = {"runtime_env": {"working_dir": str(own)}}
    assert penstock.get(read.options(**another).remote()) == (str(own), "own")
    assert penstock.get(Reader.options(**another).remote().read.remote()) == "own"
    assert Path.cwd() not in (session, own)


def test_a_working_folder_that_is_not_there_is_refused_by_init(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="working_dir must be a folder on this machine"):
        penstock.init(runtime_env={"working_dir": str(tmp_path / "missing")})


def test_what_can_never_run_is_measured_by_the_present_session() -> None:
    two = variable.options(num_cpus=2)
    penstock.init(num_cpus=2)
    penstock.get(two.remote())
    penstock.shutdown()
    penstock.init(num_cpus=1)
    with pytest.raises(exceptions.UnplaceableError, match=r"CPU.*has 1"):
        two.remote()
