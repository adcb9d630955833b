"""The functions of one stage, built once, and what they make of a batch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple

from penstock import _worker
from penstock.worker import batches, coroutines
from penstock.worker.async_rows import AsyncRowSteps, RowFunction, bad_row
from penstock.worker.failure import BadReturnError
from penstock.worker.fitting_calls import FittingCalls, Produced
from penstock.worker.garbage import seldom_collected
from penstock.worker.payload import unpack_function
from penstock.worker.staging import StagedReader

_MAGIC = b"PENSETUP"
_ROW_KINDS = frozenset({"row", "flat_row", "filter_row"})


class _Function(NamedTuple):
    name: str
    kind: str
    keeps_rows: bool
    call: Callable[[Any], Any]
    batch_format: str
    device: str
    is_asynchronous: bool


class _BatchStep:
    """One function over batches."""

    def __init__(self, function: _Function) -> None:
        import numpy as np  # noqa: F401  # Before the worker says that it is ready.

        self._function = function
        self._read = batches.reader(function.batch_format, function.device)
        self._calls = FittingCalls(
            self._call_once,
            name=function.name,
            changes=self._can_change,
            keeps_copies=function.device != "cpu",
        )

    @property
    def name(self) -> str:
        return self._function.name

    @property
    def row(self) -> int | None:
        return None

    @property
    def is_asynchronous(self) -> bool:
        return self._function.is_asynchronous

    @property
    def is_staged(self) -> bool:
        """Whether batches are copied to a device ahead of their turn."""
        return isinstance(self._read, StagedReader)

    def begin_reading(self, batch: _worker.Batch) -> None:
        """Bring a batch on its way to the function's device, where it has one."""
        if isinstance(self._read, StagedReader) and not self._calls.cuts(batch):
            self._read.ahead(batch)

    def run(self, batch: _worker.Batch) -> Produced:
        return self._calls.run(batch)

    def _can_change(self, batch: _worker.Batch) -> bool:
        """Say whether what the function gets lets it write to the batch's memory."""
        if isinstance(self._read, StagedReader):
            return not self._read.leaves_batch(batch)
        return self._function.batch_format not in batches.UNCHANGEABLE

    def _call_once(self, batch: _worker.Batch) -> Produced:
        result = self._function.call(self._read(batch))
        if isinstance(result, Mapping):
            return self._encoded(result, batch)
        result = coroutines.settled(result)
        if hasattr(result, "__next__"):
            return self._run_generator(result, batch.rows)
        return self._encoded(result, batch)

    async def stream(self, batch: _worker.Batch) -> AsyncIterator[_worker.Output]:
        """Call the function and yield its outputs, without holding the thread while it waits."""
        result = self._function.call(self._read(batch))
        if hasattr(result, "__await__"):
            result = await result
        if hasattr(result, "__next__") and not isinstance(result, Mapping):
            for output in self._run_generator(result, batch.rows):
                yield output
            return
        if not hasattr(result, "__aiter__"):
            yield self._encoded(result, batch)
            return
        came = 0
        items = aiter(result)
        try:
            async for item in items:
                output = batches.encode(item, self._function.name)
                came += output.rows
                del item  # It may look at the batch, whose memory is wanted back.
                self._refuse_more(came, batch.rows)
                yield output
        finally:
            await coroutines.close(items)
        if self._function.keeps_rows and came != batch.rows:
            self._refuse_rows(came, batch.rows)

    def _encoded(self, result: Any, batch: _worker.Batch) -> _worker.Output:
        output = batches.encode(result, self._function.name)
        if self._function.keeps_rows and isinstance(result, Mapping) and not output.has_columns:
            output.set_rows(batch.rows)
        if self._function.keeps_rows and output.rows != batch.rows:
            self._refuse_rows(output.rows, batch.rows)
        return output

    def _run_generator(self, results: Iterator[Any], rows: int) -> Iterator[_worker.Output]:
        came = 0
        for result in results:
            output = batches.encode(result, self._function.name)
            came += output.rows
            del result  # It may look at the batch, whose memory is wanted back.
            self._refuse_more(came, rows)
            yield output
        if self._function.keeps_rows and came != rows:
            self._refuse_rows(came, rows)

    def _refuse_more(self, came: int, wanted: int) -> None:
        """Refuse too many rows before they go on their way, among those of other batches."""
        if self._function.keeps_rows and came > wanted:
            self._refuse_rows(came, wanted)

    def _refuse_rows(self, came: int, wanted: int) -> None:
        raise BadReturnError(
            f"The function {self._function.name} was said to keep the number of rows "
            f"(udf_modifying_row_count=False), but changed it; wanted: {wanted} rows; got: {came}"
        )


class _RowSteps:
    """Functions over rows that follow each other: each row goes through all of them at once."""

    def __init__(self, functions: list[_Function]) -> None:
        self._names = [function.name for function in functions]
        self._only_filters = all(function.kind == "filter_row" for function in functions)
        self._chain = _worker.RowChain()
        for function in functions:
            self._chain.add(function.kind, function.call)

    @property
    def name(self) -> str:
        return self._names[self._chain.step]

    @property
    def row(self) -> int | None:
        return self._chain.row

    def run(self, batch: _worker.Batch) -> Produced:
        others = batches.other_values(batch)
        if self._only_filters:
            return batches.take(batch, others, self._chain.mask(batch, others))
        try:
            encoded = self._chain.run(batch, others)
        except (TypeError, ValueError) as error:
            bad_row = self._bad_row(error)
            if bad_row is None:
                raise
            raise bad_row from None
        return batches.finish(encoded, self._names[-1])

    def _bad_row(self, error: TypeError | ValueError) -> BadReturnError | None:
        """Turn the chain's own complaint into words; None for anybody else's error."""
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            return None
        if str(error).startswith(batches.BAD_NAME):
            return BadReturnError(f"The function {self._names[-1]} returned a bad row: {error}")
        if isinstance(error, ValueError) or len(error.args) != 3:  # noqa: PLR2004  # As row_chain.h says.
            return None
        step, wanted, came = error.args
        return bad_row(self._names[step], self._chain.row, wanted, came)


Step = _BatchStep | _RowSteps | AsyncRowSteps


class FailedAt(NamedTuple):
    """A function that raised: on which row of the batch that it was given, and of the stage's.

    None where no single row is known.
    """

    name: str
    row: int | None
    input_row: int | None


class Stage:
    """The functions that one worker runs, one after the other."""

    def __init__(self) -> None:
        self._building = ""
        self._running: Step | None = None
        self._functions: list[_Function] = []
        self._steps: list[Step] = []

    def build(self, setup: bytes) -> None:
        """Build the functions that the setup bytes hold (see exec/worker_setup.h).

        Whatever a constructor raises passes through; `failed_at` says whose it was.
        """
        with seldom_collected():
            self._functions = [self._build(*packed) for packed in _read_setup(setup)]
        self._steps = _join_rows(self._functions)

    def twin(self) -> Stage:
        """Return a stage of the same functions, for another thread to run."""
        twin = Stage()
        twin._functions = self._functions
        twin._steps = _join_rows(self._functions)
        return twin

    def _build(self, facts: dict[str, Any], payload: bytes) -> _Function:
        self._building = facts["name"]
        unpacked = unpack_function(payload)
        return _Function(
            facts["name"],
            facts["kind"],
            bool(facts.get("keeps_rows")),
            unpacked.build(),
            unpacked.batch_format,
            unpacked.device,
            unpacked.is_asynchronous,
        )

    def run(self, batch: _worker.Batch) -> Produced | None:
        """Return the batch's output, or an iterator of several; None when no rows are left."""
        return self._run_from(0, batch)

    def look_ahead(self, channel: _worker.Channel, batch: _worker.Batch) -> None:
        """Begin with what can be done for the batch that runs now, and then for the next."""
        first = self._steps[0]
        if isinstance(first, _BatchStep) and first.is_staged:
            first.begin_reading(batch)
            channel.poll()
            if channel.arrived:
                first.begin_reading(channel.peek(0))

    def overlapping(self) -> _BatchStep | None:
        """Return the function when its calls may overlap: an asynchronous one that is alone."""
        (step, *more) = self._steps
        if more or not isinstance(step, _BatchStep) or not step.is_asynchronous:
            return None
        return step

    def failed_at(self) -> FailedAt:
        """Return the function that was running, and on which row."""
        if self._running is None:
            return FailedAt(self._building, None, None)
        row = self._running.row
        return FailedAt(self._running.name, row, row if self._running is self._steps[0] else None)

    def _run_from(self, place: int, batch: _worker.Batch) -> Produced | None:
        self._running = self._steps[place]
        produced = self._running.run(batch)
        if place == len(self._steps) - 1:
            return produced
        if not isinstance(produced, _worker.Output):
            return self._run_stream(place, produced)
        if produced.rows == 0:
            return None
        return self._run_from(place + 1, produced.pack())

    def _run_stream(
        self, place: int, outputs: Iterator[_worker.Output]
    ) -> Iterator[_worker.Output]:
        for output in outputs:
            if output.rows > 0:
                produced = self._run_from(place + 1, output.pack())
                if isinstance(produced, _worker.Output):
                    yield produced
                elif produced is not None:
                    yield from produced
            self._running = self._steps[place]


def _read_setup(setup: bytes) -> list[tuple[dict[str, Any], bytes]]:
    if not setup.startswith(_MAGIC):
        raise ValueError(f"The engine's setup is not what a worker knows; got: {setup[:8]!r}")
    start = len(_MAGIC) + 4
    place = start + int.from_bytes(setup[len(_MAGIC) : start], "little")
    header = json.loads(setup[start:place])
    functions = []
    for facts in header["functions"]:
        functions.append((facts, setup[place : place + facts["bytes"]]))
        place += facts["bytes"]
    return functions


def _join_rows(functions: list[_Function]) -> list[Step]:
    steps: list[Step] = []
    rows: list[_Function] = []
    for function in functions:
        if function.kind in _ROW_KINDS:
            rows.append(function)
            continue
        if rows:
            steps.append(_row_steps(rows))
            rows = []
        steps.append(_BatchStep(function))
    if rows:
        steps.append(_row_steps(rows))
    return steps


def _row_steps(functions: list[_Function]) -> _RowSteps | AsyncRowSteps:
    if not any(function.is_asynchronous for function in functions):
        return _RowSteps(functions)
    return AsyncRowSteps([RowFunction(each.name, each.kind, each.call) for each in functions])
