"""Row functions of which some are asynchronous: several rows of a batch wait at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.worker import batches, coroutines
from penstock.worker.failure import BadReturnError
from penstock.worker.text import shown

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from penstock import _worker

ROWS_AT_ONCE = 16  # Ray's limit.


class RowFunction(NamedTuple):
    """One function of the chain; `kind` as in a stage's setup."""

    name: str
    kind: str
    call: Callable[[Any], Any]


class _Failed(NamedTuple):
    row: int
    step: int
    error: BaseException


class AsyncRowSteps:
    """Functions over rows that follow each other. Rows overtake each other, their results do not.

    Of several rows that fail, the first in order is the one that is told of; rows behind it are
    cancelled, rows before it end first.
    """

    def __init__(self, functions: list[RowFunction]) -> None:
        self._functions = functions
        self._only_filters = all(function.kind == "filter_row" for function in functions)
        self._failed: _Failed | None = None

    @property
    def name(self) -> str:
        """The function that failed."""
        return self._functions[self._failed.step if self._failed else -1].name

    @property
    def row(self) -> int | None:
        """The row on which it failed, within its batch."""
        return self._failed.row if self._failed else None

    def run(self, batch: _worker.Batch) -> _worker.Output:
        """Return the batch's output, or raise what the first row that fails raises."""
        others = batches.other_values(batch)
        run = _Run(self._functions, batch.to_rows(others))
        coroutines.complete(run.all_rows())
        self._failed = run.failed
        if run.failed is not None:
            raise run.failed.error
        if self._only_filters:
            mask = bytes(bool(results) for results in run.results)
            return batches.take(batch, others, mask)
        rows = [row for results in run.results for row in results]
        return batches.encode_rows(rows, self._functions[-1].name)


class _Run:
    """The rows of one batch on their way through the functions."""

    def __init__(self, functions: list[RowFunction], rows: list[dict[str, Any]]) -> None:
        self.results: list[list[Any]] = [[] for _ in rows]
        self.failed: _Failed | None = None
        self._functions = functions
        self._waiting: Iterator[tuple[int, dict[str, Any]]] = iter(enumerate(rows))
        self._rows_of: dict[asyncio.Task[None], int] = {}
        self._steps: dict[int, int] = {}  # By row, the function that has it.

    async def all_rows(self) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        lanes = [loop.create_task(self._lane()) for _ in range(ROWS_AT_ONCE)]
        await asyncio.wait(lanes)

    async def _lane(self) -> None:
        """Take one row after the other through all functions."""
        import asyncio

        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # For mypy: this is a coroutine of a task.
        for place, row in self._waiting:
            if self.failed is not None:
                return
            self._rows_of[task] = place
            try:
                self.results[place] = await self._through(place, row)
            except BaseException as error:  # noqa: BLE001  # A user's sys.exit() is a failure too.
                self._fail(_Failed(place, self._steps[place], error))
            del self._rows_of[task], self._steps[place]

    def _fail(self, failed: _Failed) -> None:
        if self.failed is not None and self.failed.row < failed.row:
            return
        self.failed = failed
        for task, place in self._rows_of.items():
            if place > failed.row:
                task.cancel()

    async def _through(self, place: int, row: dict[str, Any]) -> list[Any]:
        rows = [row]
        for step, function in enumerate(self._functions):
            self._steps[place] = step
            made: list[Any] = []
            for one in rows:
                result = function.call(one)
                if hasattr(result, "__await__"):
                    result = await result
                if function.kind == "filter_row":
                    made += [one] if result else []
                elif function.kind == "row":
                    made.append(_checked(result, function, place))
                elif hasattr(result, "__aiter__"):
                    made += await _gathered(result, function, place)
                else:
                    made += _listed(result, function, place)
            rows = made
        return rows


async def _gathered(result: Any, function: RowFunction, place: int) -> list[Any]:
    items = aiter(result)
    try:
        return [_checked(item, function, place) async for item in items]
    finally:
        await coroutines.close(items)


def _listed(result: Any, function: RowFunction, place: int) -> list[Any]:
    if isinstance(result, dict | str) or not hasattr(result, "__iter__"):
        raise bad_row(function.name, place, "dicts", result)
    return [_checked(item, function, place) for item in result]


def _checked(result: Any, function: RowFunction, place: int) -> Any:
    if not isinstance(result, dict):
        raise bad_row(function.name, place, "a dict", result)
    return result


def bad_row(name: str, place: int, wanted: str, came: Any) -> BadReturnError:
    """Return the error for what is no row."""
    hint = ""
    if hasattr(came, "close") and hasattr(came, "__await__"):
        came.close()  # Nobody will wait for it, and it must not complain about that.
        hint = "; say `async def`, or decorate with functools.wraps, so that it is waited for"
    return BadReturnError(
        f"The function {name} returned no row for row {place} of its batch; "
        f"wanted: {wanted}; got: {type(came).__name__}: {shown(came)}{hint}"
    )
