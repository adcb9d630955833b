"""Functions run in other processes, and their results and errors come back."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from named_pipes import wait_at

import penstock
from penstock import exceptions

if TYPE_CHECKING:
    from named_pipes import Gate

pytestmark = pytest.mark.usefixtures("runtime")


@penstock.remote
def add(left: int, right: int = 0) -> int:
    return left + right


def test_a_task_runs_in_another_process() -> None:
    @penstock.remote
    def process() -> int:
        return os.getpid()

    assert penstock.get(process.remote()) != os.getpid()


def test_results_keep_the_order_of_their_references() -> None:
    assert penstock.get([add.remote(n, 1) for n in range(200)]) == list(range(1, 201))
    assert penstock.get([]) == []


def test_references_as_arguments_are_replaced_by_their_values() -> None:
    three = add.remote(1, 2)
    assert penstock.get(add.remote(three, right=three)) == 6


def test_references_inside_containers_stay_references() -> None:
    @penstock.remote
    def total(parts: dict[str, list[penstock.ObjectRef[int]]]) -> int:
        assert isinstance(parts["refs"][0], penstock.ObjectRef)
        return sum(penstock.get(parts["refs"]))

    refs = [add.remote(1), penstock.put(5)]
    assert penstock.get(total.remote({"refs": refs})) == 6


def test_a_task_may_return_a_reference() -> None:
    @penstock.remote
    def later() -> penstock.ObjectRef[int]:
        return add.remote(20, 1)

    assert penstock.get(penstock.get(later.remote())) == 21


def test_several_results_come_as_several_references() -> None:
    @penstock.remote(num_returns=3)
    def three() -> tuple[int, int, int]:
        return 1, 2, 3

    refs = three.remote()
    assert len(refs) == 3
    assert penstock.get(refs) == [1, 2, 3]
    assert three.options(num_returns=0).remote() is None


def test_the_wrong_number_of_results_is_an_error_of_the_task() -> None:
    @penstock.remote(num_returns=2)
    def three() -> tuple[int, int, int]:
        return 1, 2, 3

    first, _ = three.remote()
    with pytest.raises(ValueError, match="2"):
        penstock.get(first)


def test_an_exception_is_of_its_own_class_and_of_ours() -> None:
    class OddError(KeyError):
        pass

    @penstock.remote
    def fail() -> None:
        raise OddError("odd")

    with pytest.raises(OddError) as caught:
        penstock.get(fail.remote())
    assert isinstance(caught.value, exceptions.RayTaskError)
    assert isinstance(caught.value.cause, OddError)
    assert "raise OddError" in str(caught.value)


def test_an_error_that_passes_through_a_waiting_task_keeps_its_class() -> None:
    @penstock.remote
    def fail() -> None:
        raise LookupError("no such row")

    @penstock.remote
    def wait_for_it() -> None:
        penstock.get(fail.remote())

    with pytest.raises(LookupError, match="no such row") as caught:
        penstock.get(wait_for_it.remote(), timeout=60)
    assert isinstance(caught.value, exceptions.RayTaskError)


def test_the_error_of_a_task_comes_out_of_those_that_wait_for_its_result() -> None:
    @penstock.remote
    def fail() -> None:
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        penstock.get(add.remote(fail.remote()))


def test_arguments_that_do_not_fit_are_refused_before_the_task_starts() -> None:
    with pytest.raises(TypeError, match=r"add\(left"):
        add.remote()
    with pytest.raises(TypeError, match="unexpected"):
        add.remote(1, middle=2)


def test_arguments_that_cannot_be_pickled_are_refused() -> None:
    with pytest.raises(TypeError, match="pickle"):
        add.remote(threading.Lock())


def test_a_function_that_cannot_be_pickled_is_refused_with_the_reason() -> None:
    lock = threading.Lock()

    @penstock.remote
    def read() -> bool:
        return lock.locked()

    with pytest.raises(TypeError, match="the variable lock of"):
        read.remote()


def test_what_a_task_changes_stays_its_own() -> None:
    @penstock.remote
    def append(items: list[int]) -> list[int]:
        items.append(3)
        return items

    items = [1, 2]
    assert penstock.get(append.remote(items)) == [1, 2, 3]
    assert items == [1, 2]


def test_functions_of_the_script_may_call_themselves_as_tasks() -> None:
    @penstock.remote
    def factorial(number: int) -> int:
        if number <= 1:
            return 1
        return number * penstock.get(factorial.remote(number - 1))

    assert penstock.get(factorial.remote(10)) == 3628800


def test_tasks_that_wait_for_tasks_never_lock_up() -> None:
    @penstock.remote
    def tree(depth: int) -> int:
        if depth == 0:
            return 1
        return sum(penstock.get([tree.remote(depth - 1) for _ in range(2)]))

    assert penstock.get(tree.remote(4), timeout=120) == 16


def test_large_arguments_and_results_are_shared_and_read_only() -> None:
    @penstock.remote
    def double(array: np.ndarray) -> np.ndarray:
        assert not array.flags.writeable
        return array * 2

    array = np.arange(1_000_000)
    doubled = penstock.get(double.remote(array))
    np.testing.assert_array_equal(doubled, array * 2)
    assert not doubled.flags.writeable


def test_a_generator_yields_its_items_as_they_come(gate: Gate) -> None:
    path = gate.path

    @penstock.remote
    def numbers() -> object:
        yield 1
        wait_at(path)
        yield 2

    items = numbers.remote()
    assert isinstance(items, penstock.ObjectRefGenerator)
    assert penstock.get(next(items)) == 1
    gate.open()
    assert penstock.get(next(items)) == 2
    with pytest.raises(StopIteration):
        next(items)


def test_an_exception_of_a_generator_comes_after_its_items() -> None:
    @penstock.remote
    def numbers() -> object:
        yield 1
        raise ValueError("ended")

    items = numbers.remote()
    assert penstock.get(next(items)) == 1
    with pytest.raises(ValueError, match="ended"):
        penstock.get(next(items))
    with pytest.raises(StopIteration):
        next(items)


def test_a_dynamic_generator_is_one_reference_to_many() -> None:
    @penstock.remote(num_returns="dynamic")
    def numbers(count: int) -> object:
        yield from range(count)

    items = penstock.get(numbers.remote(3))
    assert isinstance(items, penstock.DynamicObjectRefGenerator)
    assert penstock.get(list(items)) == [0, 1, 2]


def test_a_task_whose_worker_dies_runs_again(tmp_path: Path) -> None:
    mark = str(tmp_path / "died")

    @penstock.remote(max_retries=1)
    def die_once() -> str:
        if not Path(mark).exists():
            Path(mark).touch()
            os._exit(3)
        return "alive"

    assert penstock.get(die_once.remote()) == "alive"


def test_a_task_whose_worker_always_dies_fails_with_the_cause() -> None:
    @penstock.remote(max_retries=0)
    def die() -> None:
        os._exit(3)

    with pytest.raises(exceptions.WorkerCrashedError, match="exited with code 3"):
        penstock.get(die.remote())


def test_exceptions_are_retried_only_where_that_is_asked_for(tmp_path: Path) -> None:
    def count_up(name: str) -> int:
        path = tmp_path / name
        path.open("a").write("x")
        return len(path.read_text())

    @penstock.remote(max_retries=3, retry_exceptions=[ConnectionError])
    def flaky(name: str, kind: type[Exception]) -> int:
        count = count_up(name)
        if count < 3:
            raise kind("again")
        return count

    assert penstock.get(flaky.remote("retried", ConnectionError)) == 3
    with pytest.raises(ValueError, match="again"):
        penstock.get(flaky.remote("not_retried", ValueError))
    assert (tmp_path / "not_retried").read_text() == "x"


def test_max_calls_gives_every_call_a_fresh_process() -> None:
    @penstock.remote(max_calls=1)
    def process() -> int:
        return os.getpid()

    assert len(set(penstock.get([process.remote() for _ in range(4)]))) == 4


def test_environment_variables_are_the_tasks_own() -> None:
    @penstock.remote
    def variable() -> str | None:
        return os.environ.get("PENSTOCK_TEST_VARIABLE")

    own = variable.options(runtime_env={"env_vars": {"PENSTOCK_TEST_VARIABLE": "own"}})
    assert penstock.get([own.remote(), variable.remote()]) == ["own", None]


def test_a_working_folder_is_the_tasks_own(tmp_path: Path) -> None:
    @penstock.remote(runtime_env={"working_dir": str(tmp_path)})
    def folder() -> str:
        return str(Path.cwd())

    assert penstock.get(folder.remote()) == str(tmp_path.resolve())


def test_a_working_folder_that_is_gone_ends_the_task_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    task = add.options(runtime_env={"working_dir": str(folder)}, max_calls=1)
    assert penstock.get(task.remote(1)) == 1
    folder.rmdir()
    with pytest.raises(exceptions.RuntimeEnvSetupError, match="gone"):
        penstock.get(task.remote(1))


def test_a_kind_of_accelerator_is_a_resource() -> None:
    with pytest.raises(exceptions.UnplaceableError, match="accelerator_type:H100"):
        add.options(accelerator_type="H100").remote(1)


def test_a_task_that_is_to_stream_must_yield() -> None:
    streaming = add.options(num_returns="streaming")
    with pytest.raises(ValueError, match="must be a generator or return an iterator"):
        penstock.get(next(streaming.remote(1)))

    @penstock.remote(num_returns="streaming")
    def pairs() -> Any:
        return iter([(1, 2), (3, 4)])

    assert [penstock.get(item) for item in pairs.remote()] == [(1, 2), (3, 4)]


def test_what_can_never_run_is_refused_at_once() -> None:
    with pytest.raises(exceptions.UnplaceableError, match=r"GPU.*has 0"):
        add.options(num_gpus=1).remote(1)
    with pytest.raises(exceptions.UnplaceableError, match=r"CPU.*has 2"):
        add.options(num_cpus=3).remote(1)
    with pytest.raises(exceptions.UnplaceableError, match="table"):
        add.options(resources={"table": 1}).remote(1)


def test_resources_limit_how_many_tasks_run_at_once(tmp_path: Path) -> None:
    @penstock.remote(num_cpus=0, resources={"seat": 1})
    def sit(number: int) -> int:
        (tmp_path / f"in{number}").touch()
        seated = len(list(tmp_path.glob("in*"))) - len(list(tmp_path.glob("out*")))
        time.sleep(0.02)  # So that others could come, were they let in.
        (tmp_path / f"out{number}").touch()
        return seated

    assert max(penstock.get([sit.remote(n) for n in range(8)])) <= 2


def test_tasks_know_who_they_are() -> None:
    @penstock.remote
    def who() -> tuple[str | None, str | None, dict[str, float]]:
        context = penstock.get_runtime_context()
        assert context.get_actor_id() is None
        return (
            context.get_task_name(),
            context.get_task_id(),
            context.get_assigned_resources(),
        )

    name, number, resources = penstock.get(who.options(num_cpus=2).remote())
    assert name is not None
    assert "who" in name
    assert number
    assert resources == {"CPU": 2.0}
    assert penstock.get_runtime_context().get_task_id() is None
    assert penstock.get_gpu_ids() == []


def test_what_waits_behind_a_task_that_lasts_runs_elsewhere(tmp_path: Path) -> None:
    @penstock.remote
    def leave_mark_or_wait(mark: int, marks: int) -> int:
        if marks == 0:
            (tmp_path / str(mark)).touch()
        while len(list(tmp_path.iterdir())) < marks:
            time.sleep(0.001)
        return mark

    penstock.get([leave_mark_or_wait.remote(0, 0) for _ in range(200)])  # They are short.
    waiting = leave_mark_or_wait.remote(-1, 30)
    penstock.get([leave_mark_or_wait.remote(mark, 0) for mark in range(30)])
    assert penstock.get(waiting) == -1
