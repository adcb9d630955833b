"""`read_sql`: rows of a database query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.python_sources.sql import SqlDatasource
from penstock.data.reading.custom import read_datasource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock.data.dataset import Dataset


def read_sql(
    sql: str,
    connection_factory: Callable[[], Any],
    *,
    sql_params: Any = None,
    shard_keys: Sequence[str] | None = None,
    shard_hash_fn: str = "MD5",
    parallelism: int = -1,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    ray_remote_args: Mapping[str, Any] | None = None,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
) -> Dataset:
    """Read what a query returns, through Python's DB-API; through Arrow where the driver has it.

    One worker reads all of it, unless `shard_keys` are given and the database knows `MOD`, `ABS`
    and the hash function with a number as its result: then several read a shard each, every one
    by a connection and a query of its own, so that the table must not change meanwhile.

    Args:
        sql: the query.
        connection_factory: opens a DB-API connection; called in the workers.
        sql_params: parameters of the query, as the driver wants them.
        shard_keys: columns by whose hash the rows are divided.
        shard_hash_fn: the database's function that makes a number of a key.
        parallelism: older name of `override_num_blocks`; -1: not set.
        num_cpus: what one worker takes of the machine.
        num_gpus: what one worker takes of the machine.
        ray_remote_args: see `read_datasource`.
        concurrency: workers that read at once.
        override_num_blocks: how many shards; None: twice as many as there are processors.

    Raises:
        TypeError: `connection_factory` is no function, or cannot be sent to another process.

    """
    if not callable(connection_factory):
        raise TypeError(
            "read_sql needs a function that opens a connection, not a connection; "
            f"got: {connection_factory!r}"
        )
    if isinstance(shard_keys, str):
        shard_keys = [shard_keys]
    if parallelism == -1 and override_num_blocks is None:
        from penstock._core import machine_processors

        override_num_blocks = 2 * machine_processors()
    return read_datasource(
        SqlDatasource(
            sql,
            connection_factory,
            sql_params=sql_params,
            shard_keys=shard_keys,
            shard_hash_fn=shard_hash_fn,
        ),
        parallelism=parallelism,
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        ray_remote_args=ray_remote_args,
        concurrency=concurrency,
        override_num_blocks=override_num_blocks,
    )
