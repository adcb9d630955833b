"""The rows as one stream of Arrow batches, for whatever library takes such a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from penstock.data import blocks
from penstock.data.base import DatasetBase

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from penstock.data.dataset import Dataset


class ArrowStreamVerbs(DatasetBase):
    """Arrow's PyCapsule protocol."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows as a capsule that holds a C stream of Arrow record batches.

        What takes it, such as `pyarrow.RecordBatchReader.from_stream(ds)`, `polars.DataFrame(ds)`
        or a query of DuckDB that names the variable, gets the blocks as they come, without a copy.
        The job starts when the first batch is asked for, and ends with the stream. All batches have
        the columns and types of `schema`, which runs the first row where a function makes them.

        Whatever ends the job is an error of the stream, as the library that reads it shows it.
        """
        import pyarrow as pa

        schema = cast("Dataset", self).schema()
        wanted = pa.schema([]) if schema is None else pa.schema(schema.base_schema)
        reader = pa.RecordBatchReader.from_batches(wanted, self._arrow_batches(wanted))
        return reader.__arrow_c_stream__(requested_schema)

    def _arrow_batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for block in self._run().blocks():
            if block.num_rows:
                yield blocks.brought_to(block, schema)
