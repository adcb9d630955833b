"""What is known of a function without calling it."""

from __future__ import annotations

import functools

from penstock.worker.callables import is_asynchronous, name_of


def double(batch):
    return batch


class Model:
    class Inner:
        def __call__(self, batch):
            return batch

    def __call__(self, batch):
        return batch

    def method(self, batch):
        return batch

    @classmethod
    def of_class(cls, batch):
        return batch

    @staticmethod
    def static(batch):
        return batch


def decorated(function):
    @functools.wraps(function)
    def wrapper(batch):
        return function(batch)

    return wrapper


def test_names_are_what_a_person_would_call_a_function():
    class Local:
        def __call__(self, batch):
            return batch

    def renamed(batch):
        return batch

    renamed.__name__ = "better"
    cases = [
        (double, "double"),
        (Model, "Model"),
        (Model(), "Model"),
        (Model.Inner, "Model.Inner"),
        (Model.Inner(), "Model.Inner"),
        (Model().method, "Model.method"),
        (Model.of_class, "Model.of_class"),
        (Model.static, "Model.static"),
        (Local, "Local"),
        (Local(), "Local"),
        (functools.partial(double, 1), "double"),
        (functools.partial(functools.partial(Model().method), 1), "Model.method"),
        (functools.partial(lambda row: row), "<lambda>"),
        (lambda row: row, "<lambda>"),
        (decorated(double), "double"),
        (renamed, "better"),
        (len, "len"),
    ]
    assert [name_of(function) for function, _ in cases] == [name for _, name in cases]


def test_what_is_written_with_async_is_asynchronous():
    async def fetch(batch):
        return batch

    async def stream(batch):
        yield batch

    class Fetcher:
        async def __call__(self, batch):
            return batch

        async def method(self, batch):
            return batch

    class Streamer:
        async def __call__(self, batch):
            yield batch

    for function in (fetch, stream, Fetcher, Fetcher(), Fetcher().method, Streamer):
        assert is_asynchronous(function)
        assert is_asynchronous(functools.partial(function))
    for function in (double, Model, Model(), Model().method, len, functools.partial(double)):
        assert not is_asynchronous(function)
