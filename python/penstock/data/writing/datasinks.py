"""Verbs that write through a custom sink, or through a library's."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, cast

from penstock.data import arguments
from penstock.data.base import DatasetBase
from penstock.data.functions import Shape, extend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock._core import Block
    from penstock.data.datasink import Datasink
    from penstock.data.worker_arguments import FunctionArguments, WorkerArguments


class SinkVerbs(DatasetBase):
    """write_datasink."""

    def write_datasink(
        self,
        datasink: Datasink[Any],
        *,
        ray_remote_args: Mapping[str, Any] | None = None,
        concurrency: int | None = None,
    ) -> None:
        """Run the data set and write its rows with a custom sink, in worker processes.

        Args:
            datasink: a `Datasink`. `on_write_start` runs first, here; then `write` in workers;
                then `on_write_complete` here, or `on_write_failed` once if anything failed.
            ray_remote_args: other options of `WorkerArguments` (`penstock.data.worker_arguments`).
            concurrency: workers that write at once; None: as many as there are processors.

        Raises:
            TypeError: no `Datasink`, or it cannot be sent to another process.
            Exception: what failed first.

        """
        if not callable(getattr(datasink, "write", None)):
            raise TypeError(f"write_datasink needs a Datasink; got: {datasink!r}")
        least_bytes = getattr(datasink, "min_bytes_per_write", None)
        arguments.refuse("write_datasink", {"min_bytes_per_write": least_bytes})
        if not getattr(datasink, "supports_distributed_writes", True):
            concurrency = 1
        workers = cast("WorkerArguments", {**(ray_remote_args or {}), "concurrency": concurrency})
        try:
            _start(datasink, self._plan.schema_if_known())
            result = self._write_all(datasink, workers)
            datasink.on_write_complete(result)
        except BaseException as error:
            _tell(datasink, error)
            raise

    def write_sql(
        self,
        sql: str,
        connection_factory: Callable[[], Any],
        *,
        ray_remote_args: Mapping[str, Any] | None = None,
        concurrency: int | None = None,
    ) -> None:
        """Run the data set and write its rows to a database, through Python's DB-API.

        Each block is one transaction: a job that fails leaves blocks that were written before.

        Args:
            sql: a statement with a place for each column, such as "INSERT INTO t VALUES (?, ?)".
            connection_factory: opens a DB-API connection; called in the workers.
            ray_remote_args: other options of `WorkerArguments` (`penstock.data.worker_arguments`).
            concurrency: workers that write at once.

        Raises:
            TypeError: `connection_factory` is no function, or cannot be sent to another process.

        """
        from penstock.data.writing.sql_sink import SqlDatasink

        if not callable(connection_factory):
            raise TypeError(
                "write_sql needs a function that opens a connection, not a connection; "
                f"got: {connection_factory!r}"
            )
        self.write_datasink(
            SqlDatasink(sql, connection_factory),
            ray_remote_args=ray_remote_args,
            concurrency=concurrency,
        )

    def _write_all(self, sink: Datasink[Any], workers: WorkerArguments) -> Any:
        from penstock.data.datasink import WriteResult
        from penstock.worker.write_blocks import BYTES, RETURNED, ROWS, TASK, WriteBlocks

        name = sink.get_name() if hasattr(sink, "get_name") else type(sink).__name__
        least = getattr(sink, "min_rows_per_write", None)
        rows = None if least is None else arguments.at_least_one("min_rows_per_write", least)
        plan = extend(
            self._plan,
            self._context,
            "write_datasink",
            WriteBlocks(sink, name),
            shape=Shape(kind="batches", batch_format="pyarrow", batch_rows=rows),
            given=cast("FunctionArguments", workers),
        )
        written = [row for block in self._run(plan).blocks() for row in block.to_rows() or ()]
        written.sort(key=lambda row: int(row[TASK]))
        return WriteResult(
            sum(row[ROWS] for row in written),
            sum(row[BYTES] for row in written),
            [pickle.loads(row[RETURNED]) for row in written],
        )


def _start(sink: Datasink[Any], known: Block | None) -> None:
    """Call `on_write_start`, with the schema unless the sink's own takes none."""
    code = getattr(getattr(sink.on_write_start, "__func__", None), "__code__", None)
    if code is not None and code.co_argcount == 1 and not code.co_flags & _TAKES_MORE:
        sink.on_write_start()
        return
    schema = None
    if known is not None:
        import pyarrow as pa

        schema = pa.record_batch(known).schema
    sink.on_write_start(schema)


_TAKES_MORE = 0x04  # inspect.CO_VARARGS


def _tell(sink: Datasink[Any], error: BaseException) -> None:
    try:
        sink.on_write_failed(error)
    except Exception as another:  # noqa: BLE001  # The first error is the one to raise.
        error.add_note(f"on_write_failed of {type(sink).__name__} raised another: {another!r}")
