"""What a pool's calls return before their results are there."""

from __future__ import annotations

import itertools
import multiprocessing
import queue
import threading
import traceback
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from penstock.util.multiprocessing.process import Answer

    Submit = Callable[[list[Any]], Future[Answer]]


class RemoteTraceback(Exception):  # noqa: N818  # As the original calls it.
    """The cause of what a function raised: where it did, in its own process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class AsyncResult:
    """The results of a call, or of one for each of several items."""

    def __init__(
        self,
        answers: Sequence[Future[Answer]],
        callback: Callable[[Any], Any] | None = None,
        error_callback: Callable[[BaseException], Any] | None = None,
        *,
        is_single: bool = False,
        pool: object = None,
    ) -> None:
        self._pool = pool  # Goes on, even where nobody else holds it.
        self._answers = answers
        self._callback = callback
        self._error_callback = error_callback
        self._is_single = is_single
        self._done = threading.Event()
        self._value: Any = None  # Like `_error`: set before `_done`, and not changed afterwards.
        self._error: BaseException | None = None

        self._lock = threading.Lock()  # Guards what is below.
        self._missing = len(answers)
        for answer in answers:
            answer.add_done_callback(self._count)
        if not answers:
            self._finish()

    def get(self, timeout: float | None = None) -> Any:
        """Return the result, or the list of results in the order of the items.

        Args:
            timeout: seconds to wait at most; None: for ever.

        Raises:
            multiprocessing.TimeoutError: it was not there in time.
            Exception: what the function raised, for the first item for which it did.

        """
        self.wait(timeout)
        if not self._done.is_set():
            raise multiprocessing.TimeoutError(f"There is no result after {timeout} s")
        if self._error is not None:
            raise self._error
        return self._value

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the result is there, or the time is over."""
        self._done.wait(timeout)

    def ready(self) -> bool:
        """Return whether all calls have ended."""
        return self._done.is_set()

    def successful(self) -> bool:
        """Return whether none of the calls has raised.

        Raises:
            ValueError: they have not ended yet.

        """
        if not self._done.is_set():
            raise ValueError(f"The result is not ready: {self!r}")
        return self._error is None

    def _count(self, _answer: Future[Answer]) -> None:
        with self._lock:
            self._missing -= 1
            if self._missing:
                return
        self._finish()

    def _finish(self) -> None:
        results = list(itertools.chain.from_iterable(map(_results, self._answers)))
        self._answers = ()
        self._error = next((error for _, error in results if error is not None), None)
        self._value = [value for value, _ in results]
        if self._is_single:
            self._value = self._value[0]
        try:
            self._call_back()
        except Exception:  # noqa: BLE001  # There is no caller whom it could reach.
            traceback.print_exc()
        self._done.set()
        self._pool = None

    def _call_back(self) -> None:
        if self._error is None and self._callback is not None:
            self._callback(self._value)
        elif self._error is not None and self._error_callback is not None:
            self._error_callback(self._error)


class IMapIterator:
    """Yields results while later items wait: so many chunks at a time are under way.

    What the function raises for an item is raised in its place; the next item's result follows.
    For one thread; the pool alone may call `submit_next` from another.
    """

    def __init__(self, submit: Submit, chunks: Iterator[list[Any]], *, under_way: int) -> None:
        self._submit = submit
        self._results: deque[tuple[Any, BaseException | None]] = deque()
        self._answers: queue.SimpleQueue[Future[Answer]] = queue.SimpleQueue()
        self._first: Future[Answer] | None = None  # Taken from `_answers`, but not there yet.
        self._lock = (
            threading.RLock()
        )  # Guards what is below. A generator of items may use the pool.
        self._chunks = chunks
        self._under_way = 0
        for _ in range(under_way):
            self.submit_next()

    def __iter__(self) -> IMapIterator:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """Return the next result.

        Args:
            timeout: seconds to wait at most; None: for ever.

        Raises:
            StopIteration: there are no more.
            multiprocessing.TimeoutError: it was not there in time.
            Exception: what the function raised for this item.

        """
        while not self._results:
            with self._lock:
                if not self._under_way:
                    raise StopIteration
            try:
                self._results.extend(_results(self._take(timeout)))
            except (queue.Empty, TimeoutError):
                raise multiprocessing.TimeoutError(
                    f"There is no result after {timeout} s"
                ) from None
            with self._lock:
                self._under_way -= 1
                self.submit_next()
        value, error = self._results.popleft()
        if error is not None:
            raise error
        return value

    def submit_next(self) -> bool:
        """Put another chunk under way; False where there is none."""
        with self._lock:
            try:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return False
                answer = self._submit(chunk)
            except Exception as error:  # noqa: BLE001  # It comes when it is this item's turn.
                answer = Future()
                answer.set_exception(error)
                self._chunks = iter(())
            self._under_way += 1
            self._add(answer)
            return True

    def _add(self, answer: Future[Answer]) -> None:
        self._answers.put(answer)

    def _take(self, timeout: float | None) -> Future[Answer]:
        """Return the next answer once it is there; raises TimeoutError or queue.Empty."""
        if self._first is None:
            self._first = self._answers.get()
        self._first.exception(timeout)
        first, self._first = self._first, None
        return first


class UnorderedIMapIterator(IMapIterator):
    """Yields results as they come."""

    def _add(self, answer: Future[Answer]) -> None:
        answer.add_done_callback(self._answers.put)

    def _take(self, timeout: float | None) -> Future[Answer]:
        return self._answers.get(timeout=timeout)


def _results(answer: Future[Answer]) -> list[tuple[Any, BaseException | None]]:
    """Return what a chunk's calls returned or raised; a lost chunk has one result, its error."""
    lost = answer.exception()
    if lost is not None:
        return [(None, lost)]
    values, failures = answer.result()
    return [
        (value, _unpacked(failures[place]) if place in failures else None)
        for place, value in enumerate(values)
    ]


def _unpacked(packed: bytes) -> BaseException:
    from penstock.worker.failure import unpack

    failed = unpack(packed)
    if failed is None:
        return RuntimeError("A call failed, and what it raised cannot be read")
    failed.exception.__cause__ = RemoteTraceback(failed.text())
    return failed.exception
