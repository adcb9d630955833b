"""Rows of a database query, through any DB-API connection. Workers import this module too."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    Connect = Callable[[], Any]

_ROWS_AT_ONCE = 16_384
_ARROW = ("fetch_record_batch", "to_arrow_reader")  # Of ADBC and DuckDB 1; of DuckDB 2.


class SqlDatasource(Datasource):
    """The rows of one query; in shards where the database can divide them."""

    def __init__(
        self,
        sql: str,
        connection_factory: Connect,
        *,
        sql_params: Any = None,
        shard_keys: Sequence[str] | None = None,
        shard_hash_fn: str = "MD5",
    ) -> None:
        self._sql = sql
        self.connection_factory = connection_factory
        self._params = sql_params
        self._keys = list(shard_keys or ())
        self._hash = shard_hash_fn

    def get_name(self) -> str:
        """Return "SQL"."""
        return "SQL"

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return a task a shard; one where there are no keys or the database cannot divide."""
        queries = [self._sql]
        if self._keys and parallelism > 1 and self._can_divide(parallelism):
            shards = (self._shard(place, parallelism) for place in range(parallelism))
            queries = [f"SELECT * FROM ({self._sql}) AS T WHERE {shard}" for shard in shards]  # noqa: S608
        return [
            ReadTask(
                ReadQuery(query, self._params, self.connection_factory),
                BlockMetadata(),
                per_task_row_limit=per_task_row_limit,
            )
            for query in queries
        ]

    def _shard(self, place: int, shards: int) -> str:
        """Return the condition that chooses a shard; rows whose keys are null are in the first."""
        keys = self._keys[0] if len(self._keys) == 1 else f"CONCAT({','.join(self._keys)})"
        return f"COALESCE(MOD(ABS({self._hash}({keys})), {shards}), 0) = {place}"

    def _can_divide(self, shards: int) -> bool:
        query = f"SELECT COUNT(1) FROM ({self._sql}) AS T WHERE {self._shard(0, shards)}"  # noqa: S608
        with contextlib.closing(self.connection_factory()) as connection:
            cursor = connection.cursor()
            try:
                _execute(cursor, query, self._params)
                cursor.fetchone()
            except Exception:  # noqa: BLE001  # Each driver has classes of its own.
                return False
        return True


class ReadQuery:
    """A read function: runs a query on a connection of its own and yields its rows as tables."""

    def __init__(self, sql: str, params: Any, connect: Connect) -> None:
        self._sql = sql
        self._params = params
        self.connection_factory = connect

    def __call__(self) -> Iterator[Any]:
        """Yield tables, in the order in which the database gives the rows."""
        with contextlib.closing(self.connection_factory()) as connection:
            cursor = connection.cursor()
            result = _execute(cursor, self._sql, self._params)
            if cursor.description is None:
                raise ValueError(f"read_sql needs a query that returns rows; got: {self._sql}")
            fetch = next((getattr(result, name) for name in _ARROW if hasattr(result, name)), None)
            if fetch is not None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # DuckDB would rather not see DB-API here.
                    reader = fetch()
                yield from reader
                return
            names = [column[0] for column in cursor.description]
            yield _table(names, [])
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield _table(names, rows)


def _execute(cursor: Any, sql: str, params: Any) -> Any:
    """Run the query; return where the results are fetched from."""
    if params is None:
        cursor.execute(sql)
    else:
        cursor.execute(sql, params)
    return cursor


def _table(names: list[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.Table.from_arrays(
        [_column(name, values) for name, values in zip(names, columns, strict=True)], names=names
    )


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values)
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        OverflowError,
    ) as error:
        odd = next(value for value in values if value is not None)
        raise ValueError(
            f"The values of column {name!r} fit no one type; cast them in the query; {error}; "
            f"the first is a {type(odd).__name__}: {odd!r}"
        ) from None
