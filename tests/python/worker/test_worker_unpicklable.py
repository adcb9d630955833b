from __future__ import annotations

import functools
import threading

import pytest

from penstock.worker.payload import pack_function
from penstock.worker.unpicklable import find_unpicklable

LOCK = threading.Lock()


def make_closure():
    guard = threading.Lock()

    def work(batch):
        guard.acquire()
        return batch

    return work


class Holder:
    def __init__(self):
        self.lock = threading.Lock()

    def work(self, batch):
        return batch


def test_a_variable_of_a_closure_is_named():
    assert find_unpicklable(make_closure()) == (
        "the variable guard of make_closure.<locals>.work, which is a _thread.lock"
    )


def test_the_attribute_behind_a_method_or_partial_is_named():
    assert "the attribute lock of Holder" in find_unpicklable(Holder().work)
    partial = functools.partial(print, threading.Lock())
    assert "_thread.lock" in find_unpicklable(partial)


def test_items_of_containers_are_named():
    assert "the item 'k'" in find_unpicklable([{"k": threading.Lock()}])


LOCKS = {"a": [{"b": [threading.Lock()]}]}


def use_locks(batch):
    return LOCKS["a"] and batch


def test_the_variable_that_holds_it_is_named_however_deep_it_lies():
    assert find_unpicklable(use_locks) == (
        "the global LOCKS of use_locks, …, the item 'b', the item 0, which is a _thread.lock"
    )


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"args": [1, threading.Lock()]}, "fn_args[1]"),
        ({"kwargs": {"l": threading.Lock()}}, "fn_kwargs['l']"),
        ({"constructor_args": [threading.Lock()]}, "fn_constructor_args[0]"),
        ({"constructor_kwargs": {"l": {"k": threading.Lock()}}}, "fn_constructor_kwargs['l']"),
    ],
)
def test_packing_names_the_argument(options, place):
    with pytest.raises(TypeError) as raised:
        pack_function(print, **options)
    assert f"cannot be pickled: {place}, " in str(raised.value)
    assert "which is a _thread.lock" in str(raised.value)


def test_what_can_be_pickled_has_no_name():
    assert find_unpicklable([1, "two", print]) == ""


def test_packing_says_which_variable_it_is():
    with pytest.raises(TypeError, match="cannot be pickled: the variable guard of"):
        pack_function(make_closure())
