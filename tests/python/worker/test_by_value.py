"""Functions with a cache that a script defines, in workers, tasks and actors."""

from __future__ import annotations

import functools
import pickle

import pytest

from penstock.worker import by_value

CACHED = {
    "lru_cache": functools.lru_cache,
    "of a size": functools.lru_cache(maxsize=7, typed=True),
    "cache": functools.cache,
}

SCRIPT = """
import functools
import penstock

@functools.lru_cache(maxsize=1)
def model():
    return 5

@functools.cache
def fibonacci(number):
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

class Adds:
    @functools.lru_cache
    def load(self):
        return 3

    def __call__(self, batch):
        return {"id": batch["id"] + model() + self.load()}

def use(batch):
    return {"id": batch["id"] + model() + fibonacci(30)}

@penstock.remote
def task():
    return model()

model()
numbers = penstock.data.range(2)
print([row["id"] for row in numbers.map_batches(use).take_all()])
print([row["id"] for row in numbers.map_batches(Adds, concurrency=1).take_all()])
print(penstock.get(task.remote()), penstock.get(penstock.put(model))())
"""


def test_functions_with_a_cache_that_a_script_defines_work_in_workers_and_tasks(run_script):
    done = run_script(SCRIPT)
    assert (done.stdout, done.stderr) == (f"[{832040 + 5}, {832041 + 5}]\n[8, 9]\n5 5\n", "")


@pytest.mark.parametrize("decorate", CACHED.values(), ids=CACHED)
def test_the_cache_is_as_large_as_it_was_and_empty(decorate):
    @decorate
    def double(number):
        return 2 * number

    double(4)
    copy = pickle.loads(by_value.dumps(double))
    assert copy(4) == 8
    assert copy.cache_parameters() == double.cache_parameters()
    assert copy.cache_info().misses == 1
    assert copy.__name__ == "double"


def test_a_function_with_a_cache_that_a_module_defines_travels_by_its_name():
    assert pickle.loads(by_value.dumps(of_a_module)) is of_a_module


@functools.lru_cache
def of_a_module():
    return 1
