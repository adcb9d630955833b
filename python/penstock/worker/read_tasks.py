"""What runs in a worker for a custom source: the read tasks whose numbers come as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.worker import batches
from penstock.worker.failure import BadReturnError
from penstock.worker.text import shown

if TYPE_CHECKING:
    from penstock.data.datasource import ReadTask

TASK_COLUMN = "task"
_WANTED = "a pyarrow Table or RecordBatch, a pandas DataFrame, or a dict of columns"


class RunTasks:
    """A function of batches: each row names a task, whose blocks it yields in order.

    A block of more than about `block_bytes` is handed on in slices.
    """

    def __init__(self, source: str, tasks: Sequence[ReadTask], block_bytes: int | None) -> None:
        self.__name__ = f"Read({source})"
        self._source = source
        self._tasks = tasks
        self._block_bytes = block_bytes

    @property
    def reads_files_alone(self) -> bool:
        """Say whether only the files that the tasks name are read: nobody can tell of others."""
        return all(getattr(task.read_fn, "reads_files_alone", False) for task in self._tasks)

    def __call__(self, batch: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the blocks of the batch's tasks."""
        for number in batch[TASK_COLUMN]:
            yield from self._run(int(number))

    def _run(self, number: int) -> Iterator[Any]:
        task = self._tasks[number]
        place = f"read task {number} of {len(self._tasks)} of the datasource {self._source}"
        function = f"{self.__name__} in read task {number} of {len(self._tasks)}"
        try:
            rows_left = task.per_task_row_limit
            came = False
            for block in _blocks(task, place):
                came = True
                kept = block if rows_left is None else _slice(block, 0, rows_left)
                for piece in self._pieces(kept):
                    yield batches.encode(piece, function)
                if rows_left is not None:
                    rows_left -= _rows(kept)
                    if rows_left <= 0:
                        return
            if not came and task.schema is not None:
                yield task.schema.empty_table()
        except BadReturnError:
            raise
        except Exception as error:
            error.add_note(f"This was raised by {place}.")
            raise

    def _pieces(self, block: Any) -> Iterator[Any]:
        rows = _rows(block)
        nbytes = _nbytes(block)
        if self._block_bytes is None or nbytes <= self._block_bytes or rows <= 1:
            yield block
            return
        step = max(1, rows * self._block_bytes // nbytes)
        for start in range(0, rows, step):
            yield _slice(block, start, min(step, rows - start))


def _blocks(task: ReadTask, place: str) -> Iterator[Any]:
    result = task()
    if _is_block(result) or isinstance(result, str | bytes) or not hasattr(result, "__iter__"):
        hint = "; return [block] instead of block" if _is_block(result) else ""
        raise BadReturnError(
            f"The read_fn of {place} must return or yield blocks{hint}; "
            f"got: {type(result).__name__}: {shown(result)}"
        )
    for block in result:
        if not _is_block(block):
            raise BadReturnError(
                f"The read_fn of {place} yielded what is no block; wanted: {_WANTED}; "
                f"got: {type(block).__name__}: {shown(block)}"
            )
        yield block


def _is_block(value: Any) -> bool:
    if isinstance(value, Mapping):
        return True
    return hasattr(value, "columns") and (hasattr(value, "iloc") or hasattr(value, "num_rows"))


def _rows(block: Any) -> int:
    if isinstance(block, Mapping):
        first = next(iter(block.values()), ())
        return len(first) if hasattr(first, "__len__") else 0
    return int(block.num_rows) if hasattr(block, "num_rows") else len(block)


def _nbytes(block: Any) -> int:
    if isinstance(block, Mapping):
        return sum(getattr(values, "nbytes", 0) for values in block.values())
    if hasattr(block, "memory_usage"):
        return int(block.memory_usage(index=False).sum())
    return int(block.nbytes)


def _slice(block: Any, start: int, rows: int) -> Any:
    if isinstance(block, Mapping):
        return {name: values[start : start + rows] for name, values in block.items()}
    if hasattr(block, "iloc"):
        return block.iloc[start : start + rows]
    return block.slice(start, rows)
