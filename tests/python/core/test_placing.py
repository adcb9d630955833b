"""Tasks hold what they ask for while they run, in fractions too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from named_pipes import Gate, wait_at

import penstock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="module")
def _machine() -> Iterator[None]:
    penstock.shutdown()
    penstock.init(num_cpus=1, num_gpus=2)
    yield
    penstock.shutdown()


@penstock.remote
def begin_and_wait(begun: str, path: str) -> str:
    with Path(begun).open("w") as end:
        end.write(".")
    return wait_at(path)


@pytest.mark.parametrize("asked", [{"num_cpus": 0.5}, {"num_cpus": 0, "num_gpus": 1}])
def test_two_tasks_share_what_there_is_and_a_third_waits(
    asked: dict[str, float], gate: Gate, second_gate: Gate, tmp_path: Path
) -> None:
    first_begun, second_begun = Gate(tmp_path / "first").path, Gate(tmp_path / "second").path
    third_begun = tmp_path / "third"
    task = begin_and_wait.options(**asked)
    first = task.remote(first_begun, gate.path)
    second = task.remote(second_begun, second_gate.path)
    wait_at(first_begun)
    wait_at(second_begun)  # Both run.
    name = "GPU" if "num_gpus" in asked else "CPU"
    assert penstock.available_resources()[name] == 0
    third = task.remote(str(third_begun), os.devnull)
    # What asks for nothing runs past it.
    assert penstock.get(begin_and_wait.options(num_cpus=0).remote(os.devnull, os.devnull)) == ""
    assert not third_begun.exists()
    gate.open()
    assert penstock.get([first, third]) == ["go", ""]
    assert third_begun.exists()
    second_gate.open()
    assert penstock.get(second) == "go"


def test_a_task_sees_the_gpus_that_it_holds(gate: Gate) -> None:
    @penstock.remote(num_cpus=0)
    def devices(begun: str, path: str) -> tuple[list[int | str], str | None, list[str]]:
        Path(begun).write_text("begun")
        wait_at(path)
        context = penstock.get_runtime_context()
        ids = penstock.get_gpu_ids()
        return ids, os.environ.get("CUDA_VISIBLE_DEVICES"), context.get_accelerator_ids()["GPU"]

    def ask(num_gpus: float) -> tuple[list[int | str], str | None, list[str]]:
        answer: tuple[list[int | str], str | None, list[str]] = penstock.get(
            devices.options(num_gpus=num_gpus).remote(os.devnull, os.devnull)
        )
        return answer

    ids, visible, told = ask(1)
    assert len(ids) == 1
    assert (visible, told) == (str(ids[0]), [str(ids[0])])
    ids, visible, told = ask(2)
    assert ids == [0, 1]
    assert (visible, told) == ("0,1", ["0", "1"])
    (half,) = ask(0.5)[0]
    assert half in (0, 1)
    assert ask(0)[0] == []


def test_two_actors_hold_different_gpus() -> None:
    @penstock.remote(num_gpus=1)
    class Holder:
        def devices(self) -> list[int | str]:
            return penstock.get_gpu_ids()

    holders = [Holder.remote() for _ in range(2)]
    held = penstock.get([holder.devices.remote() for holder in holders])
    assert sorted(held) == [[0], [1]]
