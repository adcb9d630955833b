"""Hands the rows of a running data set to a library's writer, as one stream of Arrow batches."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

from penstock.data.blocks import brought_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from penstock.data.dataset import Dataset

    Write = Callable[[pa.RecordBatchReader], None]

_POLL_S = 0.1
_END = None


def write_stream(dataset: Dataset, write: Write, schema: pa.Schema | None = None) -> None:
    """Run the data set and pass its rows to `write`, which runs in a thread of its own.

    All rows get the columns and types of `schema`, or else of the first block. A data set without
    rows whose columns nobody knows writes nothing. When the job fails, reading the stream raises,
    so that `write` ends without committing; then the job's own error is raised.

    Raises:
        SchemaMismatchError: a block cannot be brought to the schema.
        Exception: what ended the job, or what `write` raised.

    """
    import pyarrow as pa

    blocks = dataset._run().blocks()  # noqa: SLF001 - a part of the data set's verbs
    first = next(blocks, None)
    known = dataset._plan.schema_if_known() if first is None else first  # noqa: SLF001 - see above
    if known is None:
        return
    wanted = schema if schema is not None else pa.record_batch(known).schema
    stream = _Stream(wanted)
    thread = threading.Thread(target=stream.run, args=(write,), name="penstock-write", daemon=True)
    thread.start()
    try:
        if first is not None:
            stream.put(brought_to(first, wanted))
            for block in blocks:
                stream.put(brought_to(block, wanted))
    except BaseException as error:
        stream.end(error)
        thread.join()
        raise
    stream.end(_END)
    thread.join()
    if stream.error is not None:
        raise stream.error


class _JobFailedError(Exception):
    """Ends a writer whose rows will not all come."""


class _Stream:
    """At most one batch between the job and the writer's thread."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._queue: queue.Queue[Any] = queue.Queue(maxsize=1)
        self._ended = threading.Event()
        self.error: BaseException | None = None

    def run(self, write: Write) -> None:
        import pyarrow as pa

        try:
            write(pa.RecordBatchReader.from_batches(self._schema, self._batches()))
        except BaseException as error:  # noqa: BLE001  # Raised again by the driver's thread.
            self.error = error
        finally:
            self._ended.set()

    def put(self, batch: pa.RecordBatch) -> None:
        """Wait for room; raise what the writer raised meanwhile."""
        while not self._ended.is_set():
            try:
                self._queue.put(batch, timeout=_POLL_S)
            except queue.Full:
                continue
            return
        raise self.error or RuntimeError("the writer ended before all rows had come")

    def end(self, error: BaseException | None) -> None:
        """Let the writer end, or fail where there is an error."""
        while not self._ended.is_set():
            try:
                self._queue.put(_END if error is None else _JobFailedError(), timeout=_POLL_S)
            except queue.Full:
                continue
            return

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while (item := self._queue.get()) is not _END:
            if isinstance(item, _JobFailedError):
                raise item
            yield item
