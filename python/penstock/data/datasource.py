"""Custom sources: a `Datasource` names its read tasks, and workers run them.

Workers import this module too, so it imports nothing that is heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.datasink import Datasink, WriteResult
from penstock.data.filename_provider import FilenameProvider
from penstock.data.writing.file_datasink import BlockBasedFileDatasink, RowBasedFileDatasink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock.data.block import Block, BlockMetadata

__all__ = [
    "BlockBasedFileDatasink",
    "Datasink",
    "Datasource",
    "FilenameProvider",
    "ReadTask",
    "RowBasedFileDatasink",
    "WriteResult",
]


class ReadTask:
    """A piece of the input that one worker reads: calling it runs `read_fn`.

    Args:
        read_fn: a function without arguments that returns or yields blocks (tables, DataFrames
            or dicts of columns). It travels to a worker, so it must hold nothing that cannot be
            pickled: it opens its connections and files itself.
        metadata: what is known of the piece.
        schema: names and types of its columns, for a piece that turns out to have no rows.
        per_task_row_limit: rows beyond it are dropped.

    """

    def __init__(
        self,
        read_fn: Callable[[], Iterable[Block]],
        metadata: BlockMetadata | None = None,
        schema: Any = None,
        per_task_row_limit: int | None = None,
    ) -> None:
        if not callable(read_fn):
            raise TypeError(f"ReadTask needs a function without arguments; got: {read_fn!r}")
        self._read_fn = read_fn
        self._metadata = metadata
        self._schema = schema
        self._per_task_row_limit = per_task_row_limit

    def __getstate__(self) -> dict[str, Any]:
        # Arrow's own form of a schema: pickle knows no tensors whose shapes vary.
        serialize = getattr(self._schema, "serialize", None)
        return self.__dict__ if serialize is None else {**self.__dict__, "_schema": serialize()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if hasattr(self._schema, "to_pybytes"):
            import pyarrow as pa

            self._schema = pa.ipc.read_schema(self._schema)

    @property
    def read_fn(self) -> Callable[[], Iterable[Block]]:
        """What reads the piece."""
        return self._read_fn

    @property
    def metadata(self) -> BlockMetadata | None:
        """What is known of the piece."""
        return self._metadata

    @property
    def schema(self) -> Any:
        """Names and types of the columns, where they are known."""
        return self._schema

    @property
    def per_task_row_limit(self) -> int | None:
        """The most rows that the piece may yield."""
        return self._per_task_row_limit

    def __call__(self) -> Iterable[Block]:
        """Return the piece's blocks."""
        return self._read_fn()


class Datasource:
    """Where rows come from that no reader knows; derive from it and pass it to `read_datasource`.

    A derived class has `get_read_tasks`, and may have the others.
    """

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,
    ) -> list[ReadTask]:
        """Return the pieces of the input, about `parallelism` of them, in the rows' order."""
        raise NotImplementedError(f"{type(self).__name__} must define get_read_tasks")

    def estimate_inmemory_data_size(self) -> int | None:
        """Return about how many bytes the rows will take in memory; None: not known."""
        return None

    def get_name(self) -> str:
        """Return the name that plans, statistics and errors show."""
        return type(self).__name__.removesuffix("Datasource") or "Datasource"

    @property
    def supports_distributed_reads(self) -> bool:
        """Whether several workers may read at once."""
        return True
