"""Functions of every form that return the wrong thing, fail half way, or cannot travel."""

from __future__ import annotations

import asyncio
import functools
import threading

import pytest

import penstock


async def wrong_later(batch):
    await asyncio.sleep(0)
    return 3


async def never_waits(batch):
    return {"x": "text"}


async def wrong_part(batch):
    yield {"x": batch["id"]}
    yield "text"


async def not_iterated(row):
    yield row


class WrongMethod:
    async def method(self, batch):
        return [1]


WRONG_BATCHES = {
    "coroutine": (wrong_later, "wrong_later returned what cannot become a batch.*got: int"),
    "coroutine that never waits": (never_waits, "returned a column that has no rows"),
    "async generator": (wrong_part, "wrong_part returned what cannot become a batch.*got: str"),
    "method": (WrongMethod().method, "WrongMethod.method returned a list whose item 0 is no row"),
    "partial of a lambda": (functools.partial(lambda _, __: 3, 1), "<lambda> returned what cannot"),
}


@pytest.mark.parametrize(("function", "message"), WRONG_BATCHES.values(), ids=WRONG_BATCHES.keys())
def test_a_function_of_batches_that_returns_the_wrong_thing_is_named(function, message):
    with pytest.raises(ValueError, match=message):
        penstock.data.range(3).map_batches(function).take_all()


@pytest.mark.parametrize("batch_format", ["torch", "arrow_c", "numpy", "pandas", "pyarrow"])
def test_a_bare_array_is_no_batch_whatever_the_format(batch_format):
    if batch_format == "torch":
        pytest.importorskip("torch")

    def bare(batch):
        import numpy as np

        return np.arange(3)

    with pytest.raises(ValueError, match=r"bare returned what cannot become a batch.*ndarray"):
        penstock.data.range(3).map_batches(bare, batch_format=batch_format).take_all()


@pytest.mark.parametrize("verb", ["map", "flat_map"])
def test_a_function_of_rows_that_returns_the_wrong_thing_is_named(verb):
    with pytest.raises(ValueError, match=r"wrong_later returned no row for row 0 of its batch"):
        getattr(penstock.data.range(3), verb)(wrong_later).take_all()


def test_an_async_generator_is_no_row():
    with pytest.raises(ValueError, match=r"wanted: a dict; got: async_generator"):
        penstock.data.range(3).map(not_iterated).take_all()


def test_an_async_generator_that_raises_half_way_ends_the_job_with_its_error(tmp_path):
    async def half_way(batch):
        yield {"x": batch["id"]}
        await asyncio.sleep(0)
        raise KeyError("half way")

    with pytest.raises(KeyError, match="half way"):
        penstock.data.range(30).map_batches(half_way, batch_size=3).write_parquet(tmp_path)
    assert not list(tmp_path.glob("*.parquet"))


def test_a_job_may_be_left_while_coroutines_wait():
    async def waits(batch):
        if batch["id"][0] > 0:
            await asyncio.Event().wait()
        return batch

    ds = penstock.data.range(8).map_batches(waits, batch_size=1, concurrency=1)
    rows = iter(ds.iter_rows())
    assert next(rows) == {"id": 0}
    rows.close()


@pytest.mark.parametrize("wrap", [lambda f: f, functools.partial, functools.lru_cache], ids=str)
def test_a_closure_that_cannot_travel_names_its_variable(wrap):
    guard = threading.Lock()

    def guarded(batch):
        with guard:
            return batch

    with pytest.raises(TypeError, match=r"guarded cannot be sent .*the variable guard of"):
        penstock.data.range(3).map_batches(wrap(guarded))
