"""Data jobs, tasks and actors use each other."""

from __future__ import annotations

import numpy as np
import pytest

import penstock

pytestmark = pytest.mark.usefixtures("runtime")


@penstock.remote
class Total:
    def __init__(self) -> None:
        self.total = 0

    def add(self, number: int) -> int:
        self.total += number
        return self.total

    def read(self) -> int:
        return self.total


def test_functions_of_a_job_call_actors() -> None:
    total = Total.remote()

    def add(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        penstock.get(total.add.remote(int(batch["id"].sum())))
        return batch

    penstock.data.range(1000).map_batches(add, batch_size=100, concurrency=2).take_all()
    assert penstock.get(total.read.remote()) == 499_500


def test_functions_of_a_job_start_tasks_and_read_objects() -> None:
    weights = penstock.put(np.arange(10))

    @penstock.remote
    def double(number: int) -> int:
        return 2 * number

    class Model:
        def __init__(self, weights: penstock.ObjectRef[np.ndarray]) -> None:
            self.weights = penstock.get(weights)

        def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            doubled = penstock.get([double.remote(int(number)) for number in batch["id"]])
            return {"score": self.weights[batch["id"]] + np.asarray(doubled)}

    scored = penstock.data.range(10).map_batches(
        Model, fn_constructor_args=[weights], batch_size=5, concurrency=2
    )
    assert [row["score"] for row in scored.take_all()] == [3 * n for n in range(10)]


def test_a_task_runs_a_job_while_all_processors_are_taken() -> None:
    @penstock.remote
    def count(rows: int) -> int:
        dataset = penstock.data.range(rows).map_batches(lambda batch: batch, concurrency=2)
        return dataset.count()

    counts = [count.remote(rows) for rows in (10, 20, 30)]
    assert penstock.get(counts, timeout=120) == [10, 20, 30]


def test_a_job_inside_a_task_reaches_the_same_actors() -> None:
    total = Total.remote()

    @penstock.remote
    def add_all(total: penstock.ActorHandle, rows: int) -> int:
        def add(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            penstock.get(total.add.remote(int(batch["id"].sum())))
            return batch

        return len(penstock.data.range(rows).map_batches(add).take_all())

    assert penstock.get(add_all.remote(total, 100), timeout=120) == 100
    assert penstock.get(total.read.remote()) == 4950


def test_a_data_set_may_be_the_argument_of_a_task() -> None:
    dataset = penstock.data.range(50).map_batches(lambda batch: {"id": batch["id"] + 1})

    @penstock.remote
    def total(dataset: penstock.data.Dataset) -> int:
        return sum(row["id"] for row in dataset.take_all())

    assert penstock.get(total.remote(dataset), timeout=120) == 1275


def test_a_function_may_be_the_first_to_want_the_runtime(run_script) -> None:
    done = run_script("""
import penstock

@penstock.remote
def double(number):
    return 2 * number

def call(row):
    return {"id": penstock.get(double.remote(row["id"]))}

print([row["id"] for row in penstock.data.range(5).map(call).take_all()])
""")
    assert done.stdout.splitlines()[-1] == "[0, 2, 4, 6, 8]", done.stderr
