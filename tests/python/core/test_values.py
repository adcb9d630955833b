"""What has become of a task, an actor or an object is told by Ray's classes of exceptions."""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import fake_hub
import pytest
from fake_hub import FakeHub, inline
from named_pipes import Gate, wait_at

import penstock
from penstock import exceptions
from penstock.core import connection
from penstock.core.references import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from penstock import _worker

_SYSTEM_ERROR = 2


@pytest.mark.usefixtures("runtime")
def test_a_call_during_which_an_actor_dies_that_comes_back_says_so() -> None:
    @penstock.remote(max_restarts=1)
    class Mortal:
        def die(self) -> None:
            os._exit(3)

        def live(self) -> str:
            return "alive"

    mortal = Mortal.remote()
    call = mortal.die.remote()
    with pytest.raises(exceptions.ActorUnavailableError, match="code 3"):
        penstock.get(call)
    assert penstock.get(mortal.live.remote()) == "alive"
    with pytest.raises(exceptions.ActorDiedError):
        penstock.get(mortal.die.remote())


@pytest.mark.usefixtures("runtime")
def test_a_worker_that_cannot_start_in_its_environment_says_so(tmp_path: Path) -> None:
    nowhere = {"env_vars": {"PYTHONHOME": str(tmp_path)}}

    @penstock.remote(runtime_env=nowhere)
    def nothing() -> None:
        pass

    @penstock.remote(runtime_env=nowhere)
    class Nothing:
        def nothing(self) -> None:
            pass

    with pytest.raises(exceptions.RuntimeEnvSetupError):
        penstock.get(nothing.remote())
    nobody = Nothing.remote()
    with pytest.raises(exceptions.RuntimeEnvSetupError):
        penstock.get(nobody.nothing.remote())


@pytest.mark.usefixtures("runtime")
def test_a_working_folder_that_has_gone_meanwhile_says_so(gate: Gate, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    @penstock.remote
    def wait() -> str:
        return wait_at(gate.path)

    @penstock.remote(runtime_env={"working_dir": str(folder)})
    def nothing(_: str) -> None:
        pass

    task = nothing.remote(wait.remote())
    folder.rmdir()
    gate.open()
    with pytest.raises(exceptions.RuntimeEnvSetupError, match=str(folder)):
        penstock.get(task)


def test_an_object_that_there_is_no_room_for_says_so(
    run_script: Callable[[str], Any],
) -> None:
    done = run_script(
        "import tempfile\n"
        "tempfile.tempdir = '/proc'  # Nobody can write there.\n"
        "import numpy as np\n"
        "import penstock\n"
        "penstock.init(num_cpus=1, object_store_memory=16 << 20)\n"
        "kept = [penstock.put(np.zeros(1 << 20)) for _ in range(8)]\n"
        "try:\n"
        "    penstock.get(kept)\n"
        "except penstock.exceptions.ObjectStoreFullError as error:\n"
        "    print('full:', error)\n"
        "assert penstock.get(kept[0]).sum() == 0  # What there was room for is there.\n"
        "kept.clear()\n"
        "print(penstock.get(penstock.put(5)))\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("full: "), done.stderr
    assert done.stdout.endswith("\n5\n")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, exceptions.WorkerCrashedError),
        (2, exceptions.ActorDiedError),
        (3, exceptions.ActorUnavailableError),
        (4, exceptions.TaskCancelledError),
        (5, exceptions.ObjectLostError),
        (6, exceptions.OutOfMemoryError),
        (7, exceptions.ObjectStoreFullError),
        (8, exceptions.UnplaceableError),
        (9, exceptions.PendingCallsLimitExceeded),
        (10, exceptions.RuntimeEnvSetupError),
        (11, exceptions.DeadlockError),
        (4711, exceptions.RaySystemError),
    ],
)
def test_each_number_of_the_hub_s_is_an_exception_with_its_text(
    hub: FakeHub,
    client: _worker.Client,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    kind: type[Exception],
) -> None:
    monkeypatch.setattr(connection, "_client", client)
    with ThreadPoolExecutor(1) as thread:
        got = thread.submit(penstock.get, ObjectRef(5, owned=True))
        request = hub.next(fake_hub.GET).take("Q")
        told = struct.pack("<I", code) + b"this is why"
        hub.send_value(request, inline(told, _SYSTEM_ERROR))
        with pytest.raises(kind, match=r"^this is why$") as caught:
            got.result()
    assert type(caught.value) is kind
