"""What runs in a worker for a custom sink: it writes each batch and reports what came of it."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from penstock.worker import current
from penstock.worker.failure import BadReturnError

if TYPE_CHECKING:
    import pyarrow as pa

    from penstock.data.datasink import Datasink

TASK, ROWS, BYTES, RETURNED = "task", "rows", "bytes", "returned"


class WriteBlocks:
    """A function of tables: each is handed to the sink, and becomes one row that says so."""

    def __init__(self, sink: Datasink[Any], name: str) -> None:
        self.__name__ = f"Write({name})"
        self._sink = sink

    def __call__(self, table: pa.Table) -> dict[str, list[Any]]:
        """Return the row: the task, what it wrote, and what `write` returned."""
        from penstock.data.datasink import TaskContext

        task = current.running.batch_number
        returned = self._sink.write([table], TaskContext(task, self.__name__))
        try:
            packed = _pickled(returned)
        except Exception as error:
            raise BadReturnError(
                f"What write of {self.__name__} returned cannot be sent to the driver: {error}; "
                f"got: {type(returned).__name__}"
            ) from error
        return {
            TASK: [task],
            ROWS: [table.num_rows],
            BYTES: [table.nbytes],
            RETURNED: [packed],
        }


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001  # Perhaps its class is defined in the user's script.
        import cloudpickle

        packed: bytes = cloudpickle.dumps(value)
        return packed
