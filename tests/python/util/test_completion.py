"""as_completed and map_unordered: order, sizes, errors."""

from __future__ import annotations

import itertools

import pytest
from turnstiles import pass_through

import penstock as ray
from penstock.util import as_completed, map_unordered


@ray.remote
def held(name_and_gate):
    name, gate = name_and_gate
    pass_through(gate)
    return name


@ray.remote
def double(value):
    return 2 * value


@ray.remote
def refuse(value):
    raise KeyError(value)


def test_values_come_as_they_are_ready(make_turnstile):
    first, second = make_turnstile(), make_turnstile()
    references = [held.remote(("first", first.path)), held.remote(("second", second.path))]
    results = as_completed(references, chunk_size=1)
    second.let_through()
    assert next(results) == "second"
    first.let_through()
    assert list(results) == ["first"]


def test_within_a_chunk_values_come_in_the_order_of_the_references(make_turnstile):
    first, second = make_turnstile(), make_turnstile()
    references = [held.remote(("first", first.path)), held.remote(("second", second.path))]
    results = as_completed(references)
    second.let_through()
    first.let_through()
    assert list(results) == ["first", "second"]


def test_references_may_be_yielded_instead():
    references = [double.remote(value) for value in range(3)]
    assert sorted(as_completed(references, yield_obj_refs=True), key=references.index) == references
    (reference,) = map_unordered(double, [4], yield_obj_refs=True)
    assert ray.get(reference) == 8


def test_nothing_comes_of_nothing():
    assert list(as_completed([])) == []
    assert list(map_unordered(double, [])) == []


def test_a_short_wait_is_repeated(make_turnstile):
    gate = make_turnstile()
    results = as_completed([held.remote(("held", gate.path)), double.remote(1)], timeout=0.01)
    assert next(results) == 2
    gate.let_through()
    assert list(results) == ["held"]


@pytest.mark.parametrize("backpressure_size", [None, 1, 2, 100])
def test_map_unordered_runs_each_item_once(backpressure_size):
    results = map_unordered(double, iter(range(20)), backpressure_size=backpressure_size)
    assert sorted(results) == [2 * value for value in range(20)]


def test_map_unordered_yields_what_comes_first(make_turnstile):
    slow, fast = make_turnstile(), make_turnstile()
    fast.let_through()
    items = [("slow", slow.path), ("fast", fast.path)]
    results = map_unordered(held, items, chunk_size=1)
    assert next(results) == "fast"
    slow.let_through()
    assert list(results) == ["slow"]


def test_map_unordered_holds_back_what_is_too_much_at_once():
    endless = itertools.count()
    results = map_unordered(double, endless, backpressure_size=3, chunk_size=1)
    for _ in range(5):
        next(results)
    assert next(endless) <= 5 + 3


def test_an_error_is_raised_in_its_turn():
    with pytest.raises(KeyError):
        list(as_completed([refuse.remote(1)]))
    with pytest.raises(KeyError):
        list(map_unordered(refuse, [1]))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="chunk_size"):
        list(as_completed([], chunk_size=0))
    with pytest.raises(ValueError, match="chunk_size"):
        list(map_unordered(double, [], chunk_size=0))
    with pytest.raises(ValueError, match="backpressure_size"):
        map_unordered(double, [], backpressure_size=0)
    with pytest.raises(TypeError, match="remote function"):
        map_unordered(len, [])
