"""Functions travel by value, with their arguments and the driver's import path."""

from __future__ import annotations

import functools
import os
import sys
import threading
from pathlib import Path

import pytest

from penstock.worker.command import worker_command
from penstock.worker.payload import pack_function, unpack_function


def test_arguments_follow_the_batch():
    packed = pack_function(lambda batch, a, *, b: (batch, a, b), args=[1], kwargs={"b": 2})
    assert unpack_function(packed).build()("batch") == ("batch", 1, 2)


def test_a_class_is_built_with_its_arguments():
    class Scale:
        def __init__(self, factor, *, offset=0):
            self.factor = factor
            self.offset = offset

        def __call__(self, value):
            return value * self.factor + self.offset

    packed = pack_function(Scale, constructor_args=(3,), constructor_kwargs={"offset": 1})
    assert unpack_function(packed).build()(2) == 7


def test_partial_functions_and_callable_objects_travel():
    assert unpack_function(pack_function(functools.partial(max, 3))).build()(5) == 5


def test_the_import_path_travels_with_the_working_folder_by_name(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/somewhere", *sys.path])
    packed = pack_function(len)
    monkeypatch.setattr(sys, "path", list(sys.path[2:]))
    unpack_function(packed)
    assert sys.path[:2] == [str(Path.cwd()), "/somewhere"]


def test_what_cannot_travel_is_refused_with_the_function_and_advice():
    lock = threading.Lock()

    def locked(batch):
        with lock:
            return batch

    with pytest.raises(TypeError, match=r"locked cannot be sent .* inside of the function"):
        pack_function(locked)


def test_a_payload_knows_whether_calls_have_to_be_waited_for():
    async def function(batch):
        return batch

    assert unpack_function(pack_function(function, args=[1])).is_asynchronous
    assert not unpack_function(pack_function(len, args=[1])).is_asynchronous


def test_a_partial_of_a_closure_that_cannot_travel_names_the_function_and_the_variable():
    lock = threading.Lock()
    with pytest.raises(TypeError, match=r"<lambda> cannot be sent .*, the variable lock of "):
        pack_function(functools.partial(lambda batch: batch if lock else None))


def test_an_unknown_batch_format_is_refused():
    with pytest.raises(ValueError, match=r"numpy, .* rows; got: 'cudf'"):
        pack_function(len, batch_format="cudf")


def test_the_command_runs_this_interpreter_and_names_the_driver():
    arguments, template, environment = worker_command()
    assert arguments[0] == sys.executable
    assert arguments[-1] == str(os.getpid())
    assert template == [*arguments, "--template"]
    assert not any(entry.startswith("OMP_NUM_THREADS=") for entry in environment)
