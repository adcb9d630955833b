"""Batches for whatever speaks Arrow's C data interface; pyarrow itself is not needed for most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock import _worker

if TYPE_CHECKING:
    from collections.abc import Sequence


class ArrowBatch:
    """A batch for other libraries: `polars.DataFrame(batch)`, `nanoarrow.Array(batch)` and so on.

    What is made of it shares its memory, which lives as long as it is wanted.
    """

    def __init__(self, batch: _worker.Batch) -> None:
        self._batch = batch
        self._memory = batch.memory  # Held, so that a function may keep this beyond its turn.

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return self._batch.rows

    @property
    def column_names(self) -> Sequence[str]:
        """The columns' names, in order."""
        return [column.name for column in self._batch.describe()]

    def __len__(self) -> int:
        return self._batch.rows

    def __arrow_c_schema__(self) -> object:
        if self._batch.schema:  # Of columns that are not plain, or with metadata.
            import pyarrow as pa

            schema = pa.ipc.read_schema(pa.py_buffer(self._batch.schema))
            return schema.__arrow_c_schema__()
        return self._batch.plain_schema()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        del requested_schema  # As the protocol allows where the type is not another's.
        schema = self.__arrow_c_schema__()
        return schema, self._batch.to_arrow(schema)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return _worker.arrow_stream(*self.__arrow_c_array__(requested_schema))
