"""A pool of processes with the interface of `multiprocessing.Pool`."""

from __future__ import annotations

import itertools
import math
import operator
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NoReturn, Self

from penstock.util.multiprocessing.lanes import Chunk, Lanes
from penstock.util.multiprocessing.process import Answer, Form
from penstock.util.multiprocessing.results import AsyncResult, IMapIterator, UnorderedIMapIterator
from penstock.worker import by_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

__all__ = ["AsyncResult", "IMapIterator", "Pool"]

_CHUNKS_A_PROCESS = 4  # So that processes which are done early find more to do.
_CHUNKS_AHEAD = 2  # For each process: one that runs and one that waits.


class Pool:
    """A pool of processes, each an actor.

    Functions travel by value: no `if __name__ == "__main__":` is needed. A process that dies takes
    its chunk of items with it, which fails; another takes its place. The pool ends with
    `terminate`, at the end of a `with` block, when nobody holds it, or with the program.

    May be used by several threads; cannot be sent to other processes.
    """

    def __init__(  # noqa: PLR0917  # As in the original.
        self,
        processes: int | None = None,
        initializer: Callable[..., Any] | None = None,
        initargs: Iterable[Any] | None = None,
        maxtasksperchild: int | None = None,
        context: object = None,
        ray_address: str | None = None,
        ray_remote_args: Mapping[str, Any] | None = None,
    ) -> None:
        """Start the processes.

        Args:
            processes: how many; by default as many as there are processors.
            initializer: called in each process before anything else. Where it raises, the chunk
                that the process was for fails.
            initargs: what the initializer is called with.
            maxtasksperchild: after how many chunks a process is replaced; None: never.
            context: of `multiprocessing`; nothing depends on it.
            ray_address: passed to `penstock.init`, if that was not called yet.
            ray_remote_args: options of the actors. They take no processor by default, so that there
                may be more of them than processors.

        Raises:
            ValueError, TypeError: an argument makes no sense.
            UnplaceableError: the machine has not what the actors ask for.

        """
        import penstock

        del context
        if ray_address is not None and not penstock.is_initialized():
            penstock.init(ray_address)
        if initializer is not None and not callable(initializer):
            raise TypeError(f"initializer must be callable; got: {type(initializer).__name__}")
        count = _processors() if processes is None else _positive("processes", processes)
        if maxtasksperchild is not None:
            _positive("maxtasksperchild", maxtasksperchild)
        options = {"num_cpus": 0, **(ray_remote_args or {})}
        _refuse_what_never_fits(options, count)
        start_process = _starter(initializer, tuple(initargs or ()), options)
        self._count = count
        self._lanes = Lanes(start_process, count, chunks_per_process=maxtasksperchild)
        self._finalizer = weakref.finalize(self, _end, self._lanes)

        self._lock = (
            threading.RLock()
        )  # Guards what is below. A generator of items may use the pool.
        self._is_closed = False
        self._iterators: weakref.WeakSet[IMapIterator] = weakref.WeakSet()

    def apply(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func` in a process and return what it returns, or raise what it raises."""
        return self.apply_async(func, args, kwargs).get()

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        callback: Callable[[Any], Any] | None = None,
        error_callback: Callable[[BaseException], Any] | None = None,
    ) -> AsyncResult:
        """Call `func` in a process.

        Args:
            func: anything callable that can be pickled.
            args: its arguments.
            kwargs: its keyword arguments.
            callback: called, by a thread of the pool, with what `func` returned.
            error_callback: called, by a thread of the pool, with what `func` raised.

        Raises:
            ValueError: the pool is closed.
            TypeError: the function cannot be pickled.

        """
        call = (tuple(args or ()), dict(kwargs or {}))
        answer = self._submit(_packed(func), Form.CALL, [call])
        return AsyncResult([answer], callback, error_callback, is_single=True, pool=self)

    def map(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = None
    ) -> list[Any]:
        """Call `func` with each item and return the results in order; see `map_async`."""
        results: list[Any] = self.map_async(func, iterable, chunksize).get()
        return results

    def map_async(
        self,
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[list[Any]], Any] | None = None,
        error_callback: Callable[[BaseException], Any] | None = None,
    ) -> AsyncResult:
        """Call `func` with each item, several items at a time in each process.

        Args:
            func: anything callable that can be pickled.
            iterable: the items; read to its end at once.
            chunksize: how many go to a process at a time; by default a quarter of its share.
            callback: called, by a thread of the pool, with the list of results.
            error_callback: called, by a thread of the pool, with the first exception instead.

        Raises:
            ValueError: the pool is closed, or the chunk size is not positive.
            TypeError: the function cannot be pickled.

        """
        answers = self._submit_all(func, Form.ARGUMENT, iterable, chunksize)
        return AsyncResult(answers, callback, error_callback, pool=self)

    def starmap(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
    ) -> list[Any]:
        """Do as `map` with items that hold all of the function's arguments."""
        results: list[Any] = self.starmap_async(func, iterable, chunksize=chunksize).get()
        return results

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        callback: Callable[[list[Any]], Any] | None = None,
        error_callback: Callable[[BaseException], Any] | None = None,
        *,
        chunksize: int | None = None,
    ) -> AsyncResult:
        """Do as `map_async` with items that hold all of the function's arguments."""
        answers = self._submit_all(func, Form.ARGUMENTS, iterable, chunksize)
        return AsyncResult(answers, callback, error_callback, pool=self)

    def imap(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = 1
    ) -> IMapIterator:
        """Call `func` with each item and yield the results in order, as they come.

        Args:
            func: anything callable that can be pickled.
            iterable: read as results are taken, two chunks for each process ahead, so that it may
                be without end. `close` reads the rest.
            chunksize: how many items go to a process at a time.

        Raises:
            ValueError: the pool is closed, or the chunk size is not positive.
            TypeError: the function cannot be pickled.

        """
        return self._iterate(IMapIterator, func, iterable, chunksize)

    def imap_unordered(
        self, func: Callable[[Any], Any], iterable: Iterable[Any], chunksize: int | None = 1
    ) -> IMapIterator:
        """Do as `imap`, but yield the results of whichever chunk is done first."""
        return self._iterate(UnorderedIMapIterator, func, iterable, chunksize)

    def close(self) -> None:
        """Take no more work; the processes end when what there is has been done."""
        with self._lock:
            if self._is_closed:
                return
            for iterator in list(self._iterators):
                while iterator.submit_next():
                    pass
            self._is_closed = True
            self._lanes.close()

    def terminate(self) -> None:
        """End the processes at once. Results that are not there fail with `TaskCancelledError`."""
        with self._lock:
            self._is_closed = True
            self._finalizer()

    def join(self) -> None:
        """Wait until all processes have ended.

        Raises:
            ValueError: neither `close` nor `terminate` was called.

        """
        if not self._is_closed:
            raise ValueError("The pool is still running; call close or terminate first")
        self._lanes.join()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.terminate()

    def __reduce__(self) -> NoReturn:
        raise NotImplementedError("A pool cannot be sent to another process")

    def _submit_all(
        self,
        func: Callable[..., Any],
        form: Form,
        iterable: Iterable[Any],
        chunksize: int | None,
    ) -> list[Future[Answer]]:
        import penstock

        self._check_open()
        items = list(iterable)
        if chunksize is None:
            chunksize = math.ceil(len(items) / (_CHUNKS_A_PROCESS * self._count)) or 1
        chunks = list(_chunks(items, _positive("chunksize", chunksize)))
        packed = penstock.put(_packed(func))
        return [self._submit(packed, form, chunk) for chunk in chunks]

    def _iterate(
        self,
        kind: type[IMapIterator],
        func: Callable[[Any], Any],
        iterable: Iterable[Any],
        chunksize: int | None,
    ) -> IMapIterator:
        import penstock

        self._check_open()
        chunks = _chunks(iterable, _positive("chunksize", 1 if chunksize is None else chunksize))
        packed = penstock.put(_packed(func))

        def submit(chunk: list[Any]) -> Future[Answer]:
            return self._submit(packed, Form.ARGUMENT, chunk)

        iterator = kind(submit, chunks, under_way=_CHUNKS_AHEAD * self._count)
        with self._lock:
            self._iterators.add(iterator)
        return iterator

    def _submit(self, packed: Any, form: Form, items: list[Any]) -> Future[Answer]:
        answer: Future[Answer] = Future()
        with self._lock:
            self._check_open()
            self._lanes.add(Chunk(packed, form, items, answer))
        return answer

    def _check_open(self) -> None:
        if self._is_closed:
            raise ValueError("The pool is not running any more")


def _starter(
    initializer: Callable[..., Any] | None, initargs: tuple[Any, ...], options: dict[str, Any]
) -> Callable[[], Any]:
    import penstock
    from penstock.util.multiprocessing.process import PoolProcess

    process = penstock.remote(**options)(PoolProcess)

    def start() -> Any:
        return process.remote(initializer, initargs)

    return start


def _end(lanes: Lanes) -> None:
    lanes.terminate()
    lanes.join()


def _refuse_what_never_fits(options: Mapping[str, Any], count: int) -> None:
    """Refuse processes of which some would wait for the others to end."""
    from penstock.core.placing import refuse

    wanted = {
        "CPU": options.get("num_cpus"),
        "GPU": options.get("num_gpus"),
        "memory": options.get("memory"),
        **(options.get("resources") or {}),
    }
    what = f"A pool of {count} processes"
    refuse(what, {name: count * (amount or 0) for name, amount in wanted.items()})


def _packed(func: Callable[..., Any]) -> bytes:
    if not callable(func):
        raise TypeError(f"The function must be callable; got: {type(func).__name__}")
    try:
        packed = by_value.dumps(func)
    except Exception as error:
        from penstock.worker.callables import name_of
        from penstock.worker.unpicklable import refusal

        said = (
            f"{name_of(func)} cannot be sent to the pool's processes: something that it refers to"
        )
        raise refusal(said, error, func) from error
    return packed


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    return iter(lambda: list(itertools.islice(iterator, size)), [])


def _processors() -> int:
    import penstock

    return max(1, int(penstock.cluster_resources().get("CPU", 1)))


def _positive(name: str, value: int) -> int:
    number = operator.index(value)
    if number < 1:
        raise ValueError(f"{name} must be at least 1; got: {value}")
    return number
