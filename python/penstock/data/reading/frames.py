"""Data sets from the frames of other libraries, taken through Arrow or pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.reading.memory import from_arrow, from_items, from_pandas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.data.dataset import MaterializedDataset


def from_blocks(blocks: Sequence[Any]) -> MaterializedDataset:
    """Take tables, record batches, DataFrames or dicts of columns; a block of each."""
    from penstock.data.block import to_table

    return from_arrow([to_table(block) for block in blocks])


def from_daft(df: Any) -> MaterializedDataset:
    """Run a Daft DataFrame and take its rows as Arrow tables."""
    return from_arrow(_method(df, "to_arrow", "from_daft", "Daft DataFrame")())


def from_dask(df: Any) -> MaterializedDataset:
    """Compute a Dask DataFrame and take each partition as a block."""
    parts = _method(df, "to_delayed", "from_dask", "Dask DataFrame")()
    import dask

    return from_pandas(list(dask.compute(*parts)))


def from_modin(df: Any) -> MaterializedDataset:
    """Take a Modin DataFrame by way of pandas."""
    return from_pandas(_method(df, "_to_pandas", "from_modin", "Modin DataFrame")())


def from_spark(
    df: Any, *, parallelism: int | None = None, override_num_blocks: int | None = None
) -> MaterializedDataset:
    """Collect a Spark DataFrame: as an Arrow table, or by way of pandas before Spark 4."""
    blocks = override_num_blocks if override_num_blocks is not None else parallelism
    if hasattr(df, "toArrow"):
        return from_arrow(df.toArrow(), override_num_blocks=blocks)
    frame = _method(df, "toPandas", "from_spark", "Spark DataFrame")()
    return from_pandas(frame, override_num_blocks=blocks)


def from_tf(dataset: Any) -> MaterializedDataset:
    """Take the elements of a TensorFlow data set, which must fit memory; see `from_items`."""
    items = _method(dataset, "as_numpy_iterator", "from_tf", "tf.data.Dataset")()
    return from_items([_row(item) for item in items])


def _row(item: Any) -> Any:
    """Return a tuple as a row whose columns are named by their places."""
    if isinstance(item, tuple):
        return {str(place): part for place, part in enumerate(item)}
    return item


def _method(value: Any, name: str, operation: str, wanted: str) -> Any:
    method = getattr(value, name, None)
    if method is None:
        raise TypeError(f"{operation} needs a {wanted}; got: {type(value).__name__}")
    return method
