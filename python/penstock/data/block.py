"""What custom sources and sinks speak of: blocks as tables, and what is known of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    import pyarrow as pa

# A pyarrow Table or RecordBatch, a pandas DataFrame, or a dict of columns.
Block: TypeAlias = Any


@dataclasses.dataclass
class BlockMetadata:
    """What a source knows of a block before it is read; None where it does not know."""

    num_rows: int | None = None
    size_bytes: int | None = None
    input_files: list[str] | None = None
    exec_stats: object = None
    schema: object = None
    task_exec_stats: object = None


class BlockAccessor:
    """Looks at a block, whatever it is made of."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @staticmethod
    def for_block(block: Block) -> BlockAccessor:
        """Return an accessor of a table, a record batch, a DataFrame or a dict of columns.

        Raises:
            TypeError: it is none of them.

        """
        return BlockAccessor(to_table(block))

    @staticmethod
    def batch_to_block(batch: Block) -> pa.Table:
        """Return a batch of any format as a table."""
        return to_table(batch)

    def num_rows(self) -> int:
        """Return the number of rows."""
        return int(self._table.num_rows)

    def size_bytes(self) -> int:
        """Return the bytes that the columns take in memory."""
        return int(self._table.nbytes)

    def schema(self) -> pa.Schema:
        """Return names and types of the columns."""
        return self._table.schema

    def column_names(self) -> list[str]:
        """Return the names of the columns."""
        return list(self._table.column_names)

    def get_metadata(self, input_files: list[str] | None = None) -> BlockMetadata:
        """Return the block's size."""
        return BlockMetadata(self.num_rows(), self.size_bytes(), input_files)

    def slice(self, start: int, end: int, copy: bool = False) -> pa.Table:  # noqa: FBT001, FBT002 - Ray's
        """Return the rows from `start` up to `end`; without a copy unless `copy`."""
        part = self._table.slice(start, max(0, end - start))
        return part.take(list(range(part.num_rows))) if copy else part

    def to_arrow(self) -> pa.Table:
        """Return a table, without a copy."""
        return self._table

    def to_pandas(self) -> pd.DataFrame:
        """Return a DataFrame."""
        frame: pd.DataFrame = self._table.to_pandas()
        return frame

    def to_numpy(self, columns: str | list[str] | None = None) -> Any:
        """Return {name: array}, or the array of one column given by its name."""
        if isinstance(columns, str):
            return self._array(columns)
        return {name: self._array(name) for name in columns or self.column_names()}

    def to_batch_format(self, batch_format: str | None = "default") -> Any:
        """Return the rows as "numpy" ("default"), "pandas" or "pyarrow" (None)."""
        from penstock.data.arguments import batch_format_name

        name = batch_format_name(batch_format)
        return {"numpy": self.to_numpy, "pandas": self.to_pandas, "pyarrow": self.to_arrow}[name]()

    def to_default(self) -> pa.Table:
        """Return a table."""
        return self._table

    def iter_rows(self, public_row_format: bool = True) -> Iterator[dict[str, Any]]:  # noqa: ARG002, FBT001, FBT002 - Ray's
        """Yield one dict a row, with plain Python values; tensors as arrays."""
        from penstock.data.arrow_columns import row_values

        names = self.column_names()
        for batch in self._table.to_batches(max_chunksize=_ROWS_AT_ONCE):
            part = type(self._table).from_batches([batch])
            columns = [row_values(part, name) for name in names]
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))

    def _array(self, name: str) -> np.ndarray[Any, Any]:
        from penstock.data.arrow_columns import numpy_column

        array: np.ndarray[Any, Any] = numpy_column(self._table, name)
        return array


_ROWS_AT_ONCE = 4096


def to_table(block: Block) -> pa.Table:
    """Return a block as a pyarrow Table, without a copy where it has Arrow's columns already.

    Raises:
        TypeError: it is no table, record batch, DataFrame or dict of columns.

    """
    import pyarrow as pa

    if isinstance(block, pa.Table):
        return block
    if isinstance(block, pa.RecordBatch):
        return pa.Table.from_batches([block])
    if isinstance(block, Mapping):
        columns = {name: _column(values) for name, values in block.items()}
        schema = pa.schema(
            pa.field(name, array.type, metadata=metadata)
            for name, (array, metadata) in columns.items()
        )
        return pa.table([array for array, _ in columns.values()], schema=schema)
    if hasattr(block, "iloc") and hasattr(block, "columns"):
        from penstock.data.arrow_columns import table_of_frame

        return table_of_frame(block)
    if hasattr(block, "__arrow_c_stream__"):
        return pa.table(block)
    raise TypeError(
        "A block must be a pyarrow Table or RecordBatch, a pandas DataFrame, or a dict of "
        f"columns; got: {type(block).__name__}"
    )


def _column(values: Any) -> tuple[Any, dict[bytes, bytes] | None]:
    import numpy as np
    import pyarrow as pa

    from penstock.worker import ragged

    if isinstance(values, np.ndarray) and values.ndim > 1 and values.dtype != object:
        return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(values)), None
    if isinstance(values, list) or (isinstance(values, np.ndarray) and values.dtype == object):
        return ragged.column(list(values))
    return pa.array(values), None
