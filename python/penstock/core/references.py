"""References to objects, and to the items of a generator as they come to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from penstock.core import connection, serialization

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator
    from concurrent.futures import Future


T = TypeVar("T")


class ObjectRef(Generic[T]):
    """Stands for a value that exists, or will once its task has ended; `penstock.get` returns it.

    May be given to tasks and actors, put into containers and other objects, awaited, and compared.
    While a reference to it is left anywhere, the value stays.
    """

    __slots__ = ("__weakref__", "_id")

    def __init__(self, number: int, *, owned: bool = False) -> None:
        """Refer to the object of this number; `owned`: this reference is counted already."""
        self._id = number
        if not owned:
            connection.client().hold(number)

    def hex(self) -> str:
        """Return the object's name as text."""
        return f"{self._id:016x}"

    def binary(self) -> bytes:
        """Return the object's name as bytes."""
        return self._id.to_bytes(8, "big")

    def is_nil(self) -> bool:
        """Return False: a reference always refers to something."""
        return False

    def task_id(self) -> str:
        """Return the name of the task that the object came from, as far as names tell."""
        return f"{self._id - 1:016x}"

    def job_id(self) -> str:
        """Return the name of the program's run."""
        job: str = connection.facts()["job_id"]
        return job

    def future(self) -> Future[T]:
        """Return a future of `concurrent.futures` that gets the value, or the error."""
        from penstock.core.futures import future_of

        return future_of(self)

    def __await__(self) -> Generator[Any, None, T]:
        import asyncio  # Only now: workers start faster without it.

        return asyncio.wrap_future(self.future()).__await__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectRef) and other._id == self._id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"ObjectRef({self.hex()})"

    def __reduce__(self) -> tuple[type[ObjectRef[Any]], tuple[int]]:
        serialization.contains(self._id)
        return ObjectRef, (self._id,)

    def __del__(self) -> None:
        connection.release(self._id)


class ObjectRefGenerator:
    """Yields a reference for each item that a generator task yields, as soon as it has.

    An exception in the task comes out of the last reference, when its value is asked for.
    """

    def __init__(self, number: int, *, owned: bool = False) -> None:
        self._end: ObjectRef[None] = ObjectRef(number, owned=owned)

    def __iter__(self) -> Iterator[ObjectRef[Any]]:
        return self

    def __next__(self) -> ObjectRef[Any]:
        item = self._next(None)
        if item is None:
            raise StopIteration
        return item

    def __aiter__(self) -> AsyncIterator[ObjectRef[Any]]:
        return self

    async def __anext__(self) -> ObjectRef[Any]:
        import asyncio

        item = await asyncio.to_thread(self._next, None)
        if item is None:
            raise StopAsyncIteration
        return item

    def completed(self) -> ObjectRef[None]:
        """Return a reference that is ready when the task has ended."""
        return self._end

    def close(self) -> None:
        """Stop the task."""
        from penstock.core.control import cancel

        cancel(self._end)

    def _next(self, timeout_s: float | None) -> ObjectRef[Any] | None:
        from penstock.core.values import next_item

        return next_item(self._end._id, timeout_s)  # noqa: SLF001  # Of this module.

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        number = self._end._id  # noqa: SLF001  # Of this module.
        serialization.contains(number)
        return type(self), (number,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._end.hex()})"


class DynamicObjectRefGenerator:
    """What `num_returns="dynamic"` gives: the references of all items, once the task has ended."""

    def __init__(self, items: list[ObjectRef[Any]]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, place: int) -> ObjectRef[Any]:
        return self._items[place]

    def __iter__(self) -> Iterator[ObjectRef[Any]]:
        return iter(self._items)


def number_of(reference: ObjectRef[Any]) -> int:
    """Return the number by which the hub knows the object."""
    return reference._id  # noqa: SLF001  # Of this module.
