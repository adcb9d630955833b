"""Rows into a database, through any DB-API connection. Workers import this module too."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from penstock.data.datasink import Datasink, TaskContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

_ROWS_AT_ONCE = 1024


class SqlDatasink(Datasink[None]):
    """Runs a statement for each row; each call of `write` is one transaction."""

    def __init__(self, sql: str, connection_factory: Callable[[], Any]) -> None:
        self._sql = sql
        self._connect = connection_factory

    def get_name(self) -> str:
        """Return "SQL"."""
        return "SQL"

    def write(self, blocks: Iterable[pa.Table], ctx: TaskContext) -> None:  # noqa: ARG002 - the base's
        """Write the blocks and commit, or roll back."""
        with contextlib.closing(self._connect()) as connection:
            cursor = connection.cursor()
            try:
                for block in blocks:
                    for batch in block.to_batches(max_chunksize=_ROWS_AT_ONCE):
                        columns = [column.to_pylist() for column in batch.columns]
                        cursor.executemany(self._sql, list(zip(*columns, strict=True)))
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
