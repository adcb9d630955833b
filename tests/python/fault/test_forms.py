"""Where functions may be defined, and what they may be."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading

import pytest

import penstock


class Adder:
    amount = 7

    def __init__(self, more=0):
        self.more = more

    def __call__(self, batch):
        return {"x": batch["id"] + self.amount + self.more}

    def add(self, batch):
        return self(batch)

    @classmethod
    def add_of_class(cls, batch):
        return {"x": batch["id"] + cls.amount}

    @staticmethod
    def add_static(batch):
        return {"x": batch["id"] + 7}


class Child(Adder):
    def __init__(self):
        super().__init__(more=0)


def add(batch, amount):
    return {"x": batch["id"] + amount}


@pytest.mark.parametrize(
    "function",
    [
        Adder().add,
        Adder.add_of_class,
        Adder.add_static,
        Adder(),
        functools.partial(add, amount=7),
        lambda batch: add(batch, 7),
    ],
    ids=["method", "class method", "static method", "instance", "partial", "lambda"],
)
def test_whatever_can_be_called_is_a_function(function):
    assert penstock.data.range(2).map_batches(function).take_all() == [{"x": 7}, {"x": 8}]


def test_a_class_may_call_its_base():
    ds = penstock.data.range(2).map_batches(Child, concurrency=1)
    assert ds.take_all() == [{"x": 7}, {"x": 8}]


def test_what_cannot_travel_is_refused_when_the_data_set_is_made():
    lock = threading.Lock()
    ds = penstock.data.range(2)
    with pytest.raises(TypeError, match="cannot be sent to the worker"):
        ds.map_batches(lambda batch: batch if lock else None)
    with pytest.raises(TypeError, match="Adder cannot be sent to the worker"):
        ds.map_batches(Adder, fn_constructor_args=[lock], concurrency=1)


def test_the_environment_is_that_of_the_moment_when_the_job_starts(monkeypatch):
    def read(batch):
        return {"x": [os.environ.get("PENSTOCK_TEST")]}

    ds = penstock.data.range(1).map_batches(read)
    for value in ("one", "two\nlines=x"):
        monkeypatch.setenv("PENSTOCK_TEST", value)
        assert ds.take_all() == [{"x": value}]


def test_variables_that_are_not_utf8_do_not_stop_a_job(monkeypatch):
    monkeypatch.setenv("PENSTOCK_TEST", "\udcff")
    assert penstock.data.range(2).map_batches(lambda batch: batch).count() == 2
    assert len(penstock.data.range(2).map_batches(lambda batch: batch).take_all()) == 2


FORMS = """
import asyncio, functools, penstock

class Outer:
    class Model:
        def __init__(self, amount=7):
            self.amount = amount
        async def __call__(self, row):
            await asyncio.sleep(0)
            return {'x': row['id'] + self.amount}
        def add(self, batch):
            return {'x': batch['id'] + self.amount}

async def fetch(batch, amount=7):
    await asyncio.sleep(0)
    return {'x': batch['id'] + amount}

async def stream(batch):
    for value in batch['id']:
        await asyncio.sleep(0)
        yield {'x': [value + 7]}

def logged(function):
    @functools.wraps(function)
    def wrapper(batch):
        return function(batch)
    return wrapper

async def failing(batch):
    yield {'x': [1]}
    raise KeyError('half way')

ds = penstock.data.range(3)
for ran in (
    ds.map(Outer.Model, concurrency=1),
    ds.map(Outer.Model()),
    ds.map_batches(Outer.Model().add),
    ds.map_batches(fetch, batch_size=1),
    ds.map_batches(stream, batch_size=2),
    ds.map_batches(functools.partial(fetch, amount=7)),
    ds.map_batches(functools.partial(lambda batch, amount: {'x': batch['id'] + amount}, amount=7)),
    ds.map_batches(logged(fetch)),
    ds.map_batches(lambda batch: fetch(batch)),
):
    stage = [line for line in ran._plan.explain().splitlines() if 'Map' in line][0].split()[-1]
    print(stage, [row['x'] for row in ran.take_all()])
try:
    ds.map_batches(failing).take_all()
except KeyError as error:
    print(str(error).splitlines()[-2])
"""


def test_a_script_may_use_functions_of_every_form(run_script):
    done = run_script(FORMS)
    names = [
        "Map(Outer.Model)",
        "Map(Outer.Model)",
        "MapBatches(Outer.Model.add)",
        "MapBatches(fetch)",
        "MapBatches(stream)",
        "MapBatches(fetch)",
        "MapBatches(<lambda>)",
        "MapBatches(fetch)",
        "MapBatches(<lambda>)",
    ]
    assert done.stderr == ""
    *ran, failed = done.stdout.splitlines()
    assert ran == [f"{name} [7, 8, 9]" for name in names]
    assert failed == "The function failing raised this."


SCRIPT = """
import penstock
print("once")
AMOUNT = 7
exec("def helper(batch): return {'x': batch['id'] + AMOUNT}")
class Model:
    def __call__(self, batch):
        return helper(batch)

print(penstock.data.range(2).map_batches(Model, concurrency=1).take_all())
"""


@pytest.mark.parametrize("option", [["-"], ["-q", "-i"], ["-c", SCRIPT]], ids=["-", "-i", "-c"])
def test_code_without_a_file_works_and_runs_once(option):
    done = subprocess.run(
        [sys.executable, *option],
        input=SCRIPT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.stdout.splitlines() == ["once", "[{'x': 7}, {'x': 8}]"]


def test_a_module_beside_the_script_is_found_even_when_the_folder_changes(run_script, tmp_path):
    (tmp_path / "beside.py").write_text("def double(row):\n    return {'x': row['id'] * 2}\n")
    done = run_script(
        "import os, beside, penstock\n"
        "os.chdir('/')\n"
        "print(penstock.data.range(2).map(beside.double).take_all())\n"
    )
    assert (done.stdout, done.stderr) == ("[{'x': 0}, {'x': 2}]\n", "")
