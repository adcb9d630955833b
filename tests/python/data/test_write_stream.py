from __future__ import annotations

import signal

import pyarrow as pa
import pytest

import penstock.data
from penstock.data.writing.stream import write_stream
from penstock.exceptions import SchemaMismatchError


class Collector:
    """A library's writer: keeps the rows only if the stream comes to its end."""

    def __init__(self):
        self.rows = None

    def __call__(self, reader):
        self.rows = reader.read_all()


@pytest.fixture
def ds():
    return penstock.data.range(1000, override_num_blocks=10)


def test_a_writer_gets_all_rows_in_order(ds):
    collector = Collector()
    write_stream(ds.map(lambda row: row), collector)
    assert collector.rows.column("id").to_pylist() == list(range(1000))


def test_a_failed_job_breaks_the_stream_and_raises_its_own_error(ds):
    def fail(row):
        if row["id"] == 500:
            raise KeyError("five hundred")
        return row

    collector = Collector()
    with pytest.raises(KeyError, match="five hundred"):
        write_stream(ds.map(fail), collector)
    assert collector.rows is None


def test_what_the_writer_raises_ends_the_job(ds):
    def write(reader):
        reader.read_next_batch()
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        write_stream(ds.map(lambda row: row), write)


def test_a_writer_that_stops_early_is_an_error(ds):
    with pytest.raises(RuntimeError, match="ended before all rows had come"):
        write_stream(ds.map_batches(lambda batch: batch, batch_size=1), lambda reader: None)


def test_rows_are_brought_to_the_schema_asked_for(ds):
    collector = Collector()
    schema = pa.schema([("more", pa.string()), ("id", pa.float32())])
    write_stream(ds, collector, schema)
    assert collector.rows.schema == schema
    assert collector.rows.column("more").null_count == 1000


def test_rows_that_do_not_fit_the_schema_are_refused(ds):
    collector = Collector()
    with pytest.raises(SchemaMismatchError, match="cast them before"):
        write_stream(ds, collector, pa.schema([("id", pa.list_(pa.int64()))]))
    with pytest.raises(SchemaMismatchError, match=r"leave out the others; got: \['id'\]"):
        write_stream(ds, collector, pa.schema([("other", pa.int64())]))
    assert collector.rows is None


def test_no_rows_are_an_empty_stream_where_the_columns_are_known(ds):
    collector = Collector()
    write_stream(ds.limit(0), collector)
    assert collector.rows.schema.names == ["id"]
    unknown = Collector()
    write_stream(ds.filter(lambda row: False).map(lambda row: row), unknown)
    assert unknown.rows is None or unknown.rows.num_rows == 0


def test_an_interrupt_breaks_the_stream(start_script):
    script = """
import time

import penstock.data
from penstock.data.writing.stream import write_stream

def slow(row):
    time.sleep(0.05)
    return row

def write(reader):
    reader.read_next_batch()
    print("begun", flush=True)
    reader.read_all()
    print("committed", flush=True)

if __name__ == "__main__":
    ds = penstock.data.range(100_000, override_num_blocks=1000).map(slow)
    try:
        write_stream(ds, write)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
    with start_script(script) as process:
        try:
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out == "interrupted\n", err
