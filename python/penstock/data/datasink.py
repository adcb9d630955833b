"""Custom sinks: a `Datasink` writes blocks in workers and is told at the driver how it ended.

Workers import this module too, so it imports nothing that is heavy.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

WriteReturnType = TypeVar("WriteReturnType")


@dataclasses.dataclass
class WriteResult(Generic[WriteReturnType]):
    """What was written, and what each call of `Datasink.write` returned, in the rows' order."""

    num_rows: int
    size_bytes: int
    write_returns: list[WriteReturnType]


@dataclasses.dataclass
class TaskContext:
    """Which call of `Datasink.write` this is: tasks count from 0 in the rows' order."""

    task_idx: int
    op_name: str
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)


class Datasink(Generic[WriteReturnType]):
    """Where rows go that no writer knows; derive from it and pass it to `ds.write_datasink`.

    A derived class has `write`, and may have the others. All but `write` run in the driver; the
    sink is pickled for the workers after `on_write_start`.
    """

    def on_write_start(self, schema: pa.Schema | None = None) -> None:
        """Prepare, before anything is written. `schema` is None where it is not known yet."""

    def write(self, blocks: Iterable[pa.Table], ctx: TaskContext) -> WriteReturnType:
        """Write some blocks, in a worker; may be called for several tasks at once."""
        raise NotImplementedError(f"{type(self).__name__} must define write")

    def on_write_complete(self, write_result: WriteResult[WriteReturnType]) -> None:
        """Finish, after all was written."""

    def on_write_failed(self, error: BaseException) -> None:
        """Clean up, after anything has failed or the job was interrupted."""

    def get_name(self) -> str:
        """Return the name that plans, statistics and errors show."""
        return type(self).__name__.removesuffix("Datasink").removesuffix("Sink") or "Datasink"

    @property
    def supports_distributed_writes(self) -> bool:
        """Whether several workers may write at once."""
        return True

    @property
    def min_rows_per_write(self) -> int | None:
        """How many rows each call of `write` gets, but for the last; None: whole blocks."""
        return None

    @property
    def min_bytes_per_write(self) -> int | None:
        """Not supported yet: must be None."""
        return None
