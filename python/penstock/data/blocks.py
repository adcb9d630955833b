"""Blocks as batches and rows: NumPy, pandas, pyarrow, dicts.

Plain columns are translated by the engine alone; pyarrow is imported only for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.exceptions import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    import pandas as pd
    import pyarrow as pa

    from penstock._core import Block

    Batch: TypeAlias = dict[str, Any] | pd.DataFrame | pa.Table
    Row: TypeAlias = dict[str, Any]


def to_batch(block: Block, batch_format: str) -> Batch:
    """Return the block as "numpy" (dict of arrays), "pandas" or "pyarrow"."""
    if batch_format == "numpy":
        return to_numpy(block)
    if batch_format == "pandas":
        return to_pandas(block)
    return to_arrow(block)


def to_numpy(block: Block) -> dict[str, Any]:
    """Return the columns as arrays in their order; numbers and tensors without a copy."""
    columns: dict[str, Any]
    columns, others = block.to_numpy()
    if not others:
        return columns
    from penstock.data import arrow_columns

    table = arrow_columns.to_table(block)
    return {
        name: columns[name] if name in columns else arrow_columns.numpy_column(table, name)
        for name in block.column_names
    }


def to_pandas(block: Block) -> pd.DataFrame:
    """Return a DataFrame; each row of a tensor column is an array."""
    import pandas as pd

    columns, others = block.to_numpy()
    series = {name: _as_column(values) for name, values in columns.items()}
    if others:
        from penstock.data import arrow_columns

        table = arrow_columns.to_table(block)
        for name in others:
            series[name] = arrow_columns.pandas_column(table, name)
    if not series:
        return pd.DataFrame(index=pd.RangeIndex(block.num_rows))
    return pd.DataFrame({name: series[name] for name in block.column_names})


def to_arrow(block: Block) -> pa.Table:
    """Return a table, without a copy."""
    from penstock.data import arrow_columns

    return arrow_columns.to_table(block)


def to_rows(block: Block) -> list[Row]:
    """Return one dict a row with plain Python values; tensors as arrays."""
    rows: list[Row] | None = block.to_rows()
    if rows is not None:
        return rows
    from penstock.data import arrow_columns

    table = arrow_columns.to_table(block)
    names = block.column_names
    columns = [arrow_columns.row_values(table, name) for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def unified(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks with one schema: columns by name, types promoted, nulls elsewhere.

    Raises:
        SchemaMismatchError: no type holds the values of a column, such as text and numbers.

    """
    held = list(blocks)
    if len(held) < 2:  # noqa: PLR2004 - one block has one schema
        return held
    from penstock._core import Block

    return Block.unify(held)


def brought_to(block: Block, schema: pa.Schema) -> pa.RecordBatch:
    """Return the block as a record batch of the schema: columns by name, cast, nulls elsewhere.

    Raises:
        SchemaMismatchError: it has other columns, or values that do not fit.

    """
    import pyarrow as pa

    batch = pa.record_batch(block)
    if batch.schema.equals(schema):
        return batch
    table = pa.Table.from_batches([batch])
    more = set(table.column_names) - set(schema.names)
    if more:
        raise SchemaMismatchError(
            f"All rows must have the columns of the first ones, or of the table, "
            f"{schema.names}; leave out the others; got: {sorted(more)}"
        )
    try:
        for field in schema:
            if field.name not in table.column_names:
                table = table.append_column(field.name, pa.nulls(table.num_rows, field.type))
        table = table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaMismatchError(
            f"All rows must have the columns and types of the first ones, {schema.names}; "
            f"cast them before: {error}"
        ) from error
    combined = table.combine_chunks().to_batches()
    return combined[0] if combined else schema.empty_table().to_batches()[0]


def regroup(blocks: Iterable[Block], rows: int | None, *, drop_last: bool) -> Iterator[Block]:
    """Yield blocks of exactly `rows` rows, the last one smaller unless `drop_last`.

    None yields the blocks as they are. What lies in one block is sliced, not copied. Empty
    blocks are left out. Holds at most one block more than the blocks that make up a batch.
    """
    if rows is None:
        yield from (block for block in blocks if block.num_rows)
        return
    pending: list[Block] = []
    missing = rows
    for block in blocks:
        offset = 0
        while block.num_rows - offset >= missing:
            pending.append(_slice(block, offset, missing))
            yield _joined(pending)
            offset += missing
            pending, missing = [], rows
        if offset < block.num_rows:
            pending.append(_slice(block, offset, block.num_rows - offset))
            missing -= block.num_rows - offset
    if pending and not drop_last:
        yield _joined(pending)


def _slice(block: Block, offset: int, rows: int) -> Block:
    return block if rows == block.num_rows else block.slice(offset, rows)


def _joined(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    from penstock._core import Block

    return Block.concat(blocks)


def _as_column(values: Any) -> Any:
    return values if values.ndim == 1 else list(values)
