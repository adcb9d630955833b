"""Yields what tasks return as they end."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def as_completed(
    refs: Sequence[Any], *, chunk_size: int = 10, yield_obj_refs: bool = False, **kwargs: Any
) -> Iterator[Any]:
    """Yield the values of references in the order in which they become ready.

    Args:
        refs: the references, each once.
        chunk_size: how many to wait for at a time; within a chunk they come in the order of `refs`.
        yield_obj_refs: yield the references instead of their values.
        kwargs: passed on to `penstock.wait`.

    Raises:
        ValueError: the chunk size is not positive.
        RayTaskError: a task has raised; raised when its turn comes.

    """
    _check_chunk(chunk_size)
    references = _as_ready(iter(refs), None, chunk_size, kwargs)
    return references if yield_obj_refs else _values(references)


def map_unordered(
    fn: Any,
    items: Iterable[Any],
    *,
    backpressure_size: int | None = 100,
    chunk_size: int = 10,
    yield_obj_refs: bool = False,
    **kwargs: Any,
) -> Iterator[Any]:
    """Run a remote function over items and yield the results as they become ready.

    Args:
        fn: the remote function; it gets one item.
        items: read as results are taken, so they may be without end.
        backpressure_size: how many calls may be under way; None: any number.
        chunk_size: how many results to wait for at a time.
        yield_obj_refs: yield references instead of values.
        kwargs: passed on to `penstock.wait`.

    Raises:
        ValueError: a size is not positive.
        TypeError: `fn` is no remote function.
        RayTaskError: a task has raised; raised when its turn comes.

    """
    _check_chunk(chunk_size)
    if backpressure_size is not None and backpressure_size < 1:
        raise ValueError(f"backpressure_size must be at least 1; got: {backpressure_size}")
    if not hasattr(fn, "remote"):
        raise TypeError(f"map_unordered takes a remote function; got: {type(fn).__name__}")
    calls = (fn.remote(item) for item in items)
    references = _as_ready(calls, backpressure_size, chunk_size, kwargs)
    return references if yield_obj_refs else _values(references)


def _as_ready(
    references: Iterator[Any], under_way_max: int | None, chunk_size: int, options: dict[str, Any]
) -> Iterator[Any]:
    """Yield references as they become ready; of those not yielded, hold no more than so many."""
    import penstock

    left = list(itertools.islice(references, under_way_max))
    while left:
        ready, left = penstock.wait(left, num_returns=min(chunk_size, len(left)), **options)
        ready.reverse()
        while ready:  # Each is let go before the next is taken, and its value with it.
            left.extend(itertools.islice(references, 1))
            yield ready.pop()


def _values(references: Iterator[Any]) -> Iterator[Any]:
    import penstock

    for reference in references:
        yield penstock.get(reference)


def _check_chunk(chunk_size: int) -> None:
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1; got: {chunk_size}")
