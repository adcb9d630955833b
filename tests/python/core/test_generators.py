"""Items of generators are there for `async for` as they come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from named_pipes import Gate, wait_at

import penstock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.usefixtures("runtime")


def test_items_of_a_task_come_before_it_ends(gate: Gate) -> None:
    @penstock.remote
    def items() -> Iterator[Any]:
        yield 1
        yield wait_at(gate.path)
        yield 3

    async def take() -> list[Any]:
        taken = []
        async for reference in items.remote():
            taken.append(await reference)
            if taken == [1]:
                await asyncio.to_thread(gate.open)
        return taken

    assert asyncio.run(take()) == [1, "go", 3]


def test_items_of_an_asynchronous_method_of_an_actor_come_too(gate: Gate) -> None:
    @penstock.remote
    class Source:
        async def items(self) -> AsyncIterator[Any]:
            yield 1
            yield await asyncio.to_thread(wait_at, gate.path)

    async def take() -> list[Any]:
        source = Source.remote()
        taken = []
        async for reference in source.items.remote():
            taken.append(await reference)
            if taken == [1]:
                await asyncio.to_thread(gate.open)
        return taken

    assert asyncio.run(take()) == [1, "go"]


def test_several_generators_are_followed_at_once(gate: Gate, second_gate: Gate) -> None:
    """Neither holds up the loop: each goes on only when an item of the other has come."""

    @penstock.remote
    def items(path: str) -> Iterator[Any]:
        yield wait_at(path)

    async def follow(generator: Any) -> list[Any]:
        return [await reference async for reference in generator]

    async def take() -> list[list[Any]]:
        first = asyncio.create_task(follow(items.remote(gate.path)))
        second = asyncio.create_task(follow(items.remote(second_gate.path)))
        await asyncio.to_thread(second_gate.open)
        await second
        assert not first.done()
        await asyncio.to_thread(gate.open)
        return [await first, await second]

    assert asyncio.run(take()) == [["go"], ["go"]]


def test_an_error_comes_from_the_last_reference() -> None:
    @penstock.remote
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("of the generator")

    taken = []

    async def take() -> None:
        async for reference in items.remote():
            taken.append(await reference)  # noqa: PERF401  # What came before the error is kept.

    with pytest.raises(ValueError, match="of the generator"):
        asyncio.run(take())
    assert taken == [1]


def test_what_tells_of_a_generator_s_end_is_none() -> None:
    @penstock.remote
    def items() -> Iterator[int]:
        yield 1

    assert penstock.get(items.remote().completed()) is None
