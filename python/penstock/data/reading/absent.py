"""What Ray Data has and this version has not, with what to use instead."""

from __future__ import annotations

_BY_SQL = "read_sql reads through its Python driver (DB-API)"
_BY_SOURCE = "a Datasource of your own (read_datasource) can read through its Python library"

INSTEAD = {
    "from_arrow_refs": "from_arrow takes the tables themselves",
    "from_mars": "from_pandas takes its DataFrames",
    "from_numpy_refs": "from_numpy takes the arrays themselves",
    "from_pandas_refs": "from_pandas takes the DataFrames themselves",
    "read_bigquery": _BY_SQL,
    "read_clickhouse": _BY_SQL,
    "read_databricks_tables": _BY_SQL,
    "read_delta_sharing_tables": _BY_SOURCE,
    "read_hudi": _BY_SOURCE,
    "read_kafka": _BY_SOURCE,
    "read_lerobot": "read_parquet and read_videos read its files",
    "read_mcap": _BY_SOURCE,
    "read_mongo": _BY_SOURCE,
    "read_snowflake": _BY_SQL,
    "read_unity_catalog": "read_delta reads its tables by path",
    "read_zarr": _BY_SOURCE,
}
