from __future__ import annotations

import contextlib
import sqlite3
import zlib

import pytest

from penstock.data import range as numbers
from penstock.data import read_sql


@pytest.fixture
def connect(tmp_path):
    """Open a database that knows MOD and MD5, with a table `t` of 1,000 rows."""
    path = str(tmp_path / "base.db")

    def connect():
        connection = sqlite3.connect(path)
        connection.create_function("MOD", 2, lambda a, b: None if a is None else a % b)
        connection.create_function(
            "MD5", 1, lambda key: None if key is None else zlib.crc32(str(key).encode())
        )
        return connection

    with contextlib.closing(connect()) as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b TEXT, c REAL)")
        rows = [(i or None, f"text {i}", i / 2) for i in range(1000)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.commit()
    return connect


def test_a_query_is_read_in_its_order(connect):
    ds = read_sql("SELECT a, b, c FROM t ORDER BY c", connect)
    rows = ds.take_all()
    assert rows[0] == {"a": None, "b": "text 0", "c": 0.0}
    assert rows[-1] == {"a": 999, "b": "text 999", "c": 499.5}
    assert len(rows) == 1000
    assert ds.schema().names == ["a", "b", "c"]


def test_a_query_takes_parameters(connect):
    assert read_sql("SELECT * FROM t WHERE a < ?", connect, sql_params=(10,)).count() == 9
    assert read_sql("SELECT * FROM t WHERE a < :n", connect, sql_params={"n": 10}).count() == 9


def test_shards_hold_every_row_once_also_those_without_a_key(connect, capsys):
    ds = read_sql("SELECT * FROM t", connect, shard_keys=["a"], override_num_blocks=4)
    assert sorted(row["b"] for row in ds.take_all()) == sorted(f"text {i}" for i in range(1000))
    ds.explain()
    assert "splits=4" in capsys.readouterr().out


def test_a_database_that_cannot_divide_is_read_by_one_task(connect, capsys):
    ds = read_sql(
        "SELECT * FROM t", connect, shard_keys="a", shard_hash_fn="NOPE", override_num_blocks=4
    )
    assert ds.count() == 1000
    ds.explain()
    assert "splits=4" not in capsys.readouterr().out


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM nowhere"])
def test_a_bad_query_fails_with_the_databases_words(connect, sql):
    with pytest.raises(sqlite3.OperationalError, match="datasource SQL"):
        read_sql(sql, connect).take_all()


def test_a_statement_without_rows_is_refused(connect):
    with pytest.raises(ValueError, match="needs a query that returns rows"):
        read_sql("CREATE TABLE u (a INTEGER)", connect).take_all()


def test_a_column_of_mixed_types_is_refused_by_its_name(connect):
    with contextlib.closing(connect()) as connection:
        connection.execute("INSERT INTO t VALUES ('not a number', 'x', 1)")
        connection.commit()
    with pytest.raises(ValueError, match="'a' fit no one type; cast them in the query"):
        read_sql("SELECT a FROM t", connect).take_all()


def test_a_query_without_rows_yields_none(connect):
    assert read_sql("SELECT * FROM t WHERE a < 0", connect).take_all() == []


def test_a_connection_cannot_travel(connect):
    with contextlib.closing(connect()) as connection:
        with pytest.raises(TypeError, match=r"connection_factory.*sqlite3.Connection"):
            read_sql("SELECT 1", connection)
        with pytest.raises(TypeError, match=r"the variable connection of .*sqlite3.Connection"):
            read_sql("SELECT 1", lambda: connection)
    with pytest.raises(TypeError, match="a function that opens a connection"):
        read_sql("SELECT 1", "base.db")


def test_a_driver_that_has_arrow_hands_over_its_batches(connect, tmp_path):
    dbapi = pytest.importorskip("adbc_driver_sqlite.dbapi")
    path = str(tmp_path / "base.db")
    ds = read_sql("SELECT a FROM t WHERE a < ?", lambda: dbapi.connect(path), sql_params=(4,))
    assert ds.take_all() == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_duckdb_divides_by_its_own_hash(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = str(tmp_path / "base.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a FROM range(1000)")
    ds = read_sql(
        "SELECT * FROM t",
        lambda: duckdb.connect(path, read_only=True),
        shard_keys=["a"],
        shard_hash_fn="hash",
        override_num_blocks=3,
    )
    assert sorted(row["a"] for row in ds.take_all()) == list(range(1000))


def test_duckdb_hands_over_its_own_types():
    duckdb = pytest.importorskip("duckdb")
    ds = read_sql("SELECT 1::TINYINT AS a, [1.5]::FLOAT[] AS l", lambda: duckdb.connect(":memory:"))
    assert [str(kind) for kind in ds.schema().types] == ["int8", "list<l: float>"]
    assert ds.take_all() == [{"a": 1, "l": [1.5]}]


def test_rows_are_written_and_read_back(connect):
    with contextlib.closing(connect()) as connection:
        connection.execute("CREATE TABLE out (id INTEGER, name TEXT)")
    ds = numbers(5000, override_num_blocks=3).map(lambda row: {**row, "name": f"n{row['id']}"})
    ds.write_sql("INSERT INTO out VALUES (?, ?)", connect)
    back = read_sql("SELECT * FROM out ORDER BY id", connect).take_all()
    assert back == [{"id": number, "name": f"n{number}"} for number in range(5000)]


def test_a_block_that_fails_is_rolled_back(connect):
    with contextlib.closing(connect()) as connection:
        connection.execute("CREATE TABLE out (id INTEGER CHECK (id < 50))")
    with pytest.raises(sqlite3.IntegrityError):
        numbers(100, override_num_blocks=1).write_sql("INSERT INTO out VALUES (?)", connect)
    assert read_sql("SELECT * FROM out", connect).count() == 0


def test_writing_needs_a_function_that_connects():
    with pytest.raises(TypeError, match="a function that opens a connection"):
        numbers(3).write_sql("INSERT INTO t VALUES (?)", "base.db")
