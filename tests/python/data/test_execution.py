from __future__ import annotations

import gc
import os
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import penstock
from penstock.data import execution


def children():
    """Process ids of this process's children that are not zombies."""
    own = os.getpid()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            state, parent = state_and_parent(entry)
            if parent == own and state != "Z":
                found.append(int(entry.name))
    return found


def state_and_parent(entry):
    """The state of a process, "" when it has gone, and its parent's id."""
    try:
        fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return "", 0
    return fields[0], int(fields[1])


def is_alive(pid):
    return state_and_parent(Path(f"/proc/{pid}"))[0] not in ("", "Z")


def wait_for_no_children(timeout_s=10):
    """Wait until all children have gone; the kernel takes a moment to end a killed process."""
    end_s = time.monotonic() + timeout_s
    while children() and time.monotonic() < end_s:
        os.sched_yield()
    return children()


class Endless:
    """Yields rows for ever."""

    def __call__(self, batch):
        while True:
            yield {"n": np.zeros(1000)}


@pytest.fixture
def bell(tmp_path):
    """A pipe by which one process can wait for another: its path. It keeps what is written."""
    path = tmp_path / "bell"
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)
    yield path
    os.close(held)


def test_order_is_that_of_the_input_whatever_finishes_first(bell):
    def first_last(batch):
        with bell.open("rb" if batch["id"][0] == 0 else "wb", buffering=0) as pipe:
            if batch["id"][0] == 0:
                pipe.read(1)  # Until the other worker has finished a batch.
            else:
                pipe.write(b"!")
        return batch

    ds = penstock.data.range(200, override_num_blocks=20).map_batches(
        first_last, batch_size=10, concurrency=2
    )
    assert [row["id"] for row in ds.take_all()] == list(range(200))


def test_order_can_be_given_up_without_losing_rows(context):
    context.execution_options.preserve_order = False
    ds = penstock.data.range(1000, override_num_blocks=20).map_batches(lambda batch: batch)
    assert sorted(row["id"] for row in ds.take_all()) == list(range(1000))


def test_take_stops_the_readers_early():
    ds = penstock.data.range(10**12)
    assert ds.map_batches(lambda batch: batch, batch_size=100).take(3) == [
        {"id": 0},
        {"id": 1},
        {"id": 2},
    ]


def test_take_ends_functions_that_would_go_on_for_ever():
    assert len(penstock.data.range(1).map_batches(Endless, concurrency=1).take(5)) == 5
    assert wait_for_no_children() == []


def test_leaving_a_loop_early_stops_the_job_and_its_processes():
    ds = penstock.data.range(1).map_batches(Endless, concurrency=1)
    for _ in ds.iter_batches(batch_size=10):
        break
    gc.collect()
    assert not execution._running
    assert wait_for_no_children() == []


def test_dropping_an_iterator_stops_the_job():
    iterator = iter(penstock.data.range(1).map_batches(Endless, concurrency=1).iter_rows())
    next(iterator)
    assert execution._running
    del iterator
    gc.collect()
    assert not execution._running
    assert wait_for_no_children() == []


def test_shutdown_stops_running_jobs():
    iterator = iter(penstock.data.range(1).map_batches(Endless, concurrency=1).iter_rows())
    next(iterator)
    penstock.shutdown()
    with pytest.raises(Exception, match=r"(?i)cancel|stopped"):
        for _ in iterator:
            pass
    assert wait_for_no_children() == []


def fails_at_17(row):
    if row["id"] == 17:
        raise KeyError("row 17")
    return row


def test_an_exception_in_a_function_ends_the_job_with_its_traceback():
    ds = penstock.data.range(100).map(fails_at_17)
    with pytest.raises(Exception, match="row 17") as error:
        ds.take_all()
    assert "fails_at_17" in str(error.value)
    assert isinstance(error.value.__cause__, KeyError)
    assert wait_for_no_children() == []


def test_an_error_names_the_file_and_the_row_group_that_the_rows_came_from(tmp_path):
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": range(100)}), file, row_group_size=10)
    ds = penstock.data.read_parquet(file).map(fails_at_17)
    with pytest.raises(Exception, match=rf"first being row 0 of \S*{file.name}, row group 1\)"):
        ds.take_all()


def test_the_original_exception_can_be_had_unwrapped(context):
    context.raise_original_map_exception = True
    with pytest.raises(KeyError, match="row 17"):
        penstock.data.range(100).map(fails_at_17).take_all()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, "int"),
        ("text", "str"),
        (np.arange(3), "ndarray"),
        ({"a": [1, 2], "b": [1]}, "b"),
        ({"a": 3}, "a"),
        ([1, 2], "int"),
        (None, "None"),
    ],
)
def test_what_a_function_may_not_return_is_an_error_that_says_what_came(value, words):
    def wrong(batch):
        return value

    with pytest.raises(Exception, match=f"(?s)wrong.*{words}"):
        penstock.data.range(10).map_batches(wrong).take_all()
    assert wait_for_no_children() == []


def test_map_must_return_a_dict():
    with pytest.raises(Exception, match="dict"):
        penstock.data.range(10).map(lambda row: 3).take_all()


def test_a_worker_that_dies_ends_the_job_with_its_exit_code():
    def die(batch):
        os._exit(42)

    with pytest.raises(Exception, match=r"(?s)die.*42"):
        penstock.data.range(10).map_batches(die).take_all()
    assert wait_for_no_children() == []


def test_a_constructor_that_fails_ends_the_job_with_its_traceback():
    class Broken:
        def __init__(self):
            raise RuntimeError("no weights here")

        def __call__(self, batch):
            return batch

    with pytest.raises(Exception, match="no weights here"):
        penstock.data.range(10).map_batches(Broken, concurrency=1).take_all()
    assert wait_for_no_children() == []


def test_limits_of_the_context_come_before_those_of_the_session(context):
    limits = context.execution_options.resource_limits
    limits.object_store_memory = 1000
    limits.memory = 500
    limits.cpu = 3.5
    assert execution.resources(context) == (500, 3, -1.0, ())


def test_without_limits_those_of_the_session_count(context):
    with penstock.init(memory=2000, num_cpus=2, num_gpus=1):
        assert execution.resources(context) == (2000, 2, 1.0, ())


LARGE_OUTPUTS = """
import numpy as np
import penstock

def large(batch):
    for _ in range(2):
        yield {"x": np.zeros(1_000_000)}

ds = penstock.data.range(8, override_num_blocks=8)
print(ds.map_batches(large, batch_size=1, concurrency=2).count())
"""


def test_no_output_of_a_generator_is_lost_when_the_end_follows_at_once(run_script):
    assert run_script(LARGE_OUTPUTS).stdout == "16000000\n"


NO_GUARD = """
import penstock

class Model:
    def __init__(self):
        self.factor = FACTOR

    def __call__(self, batch):
        return {"n": helper(batch["id"]) * self.factor}

def helper(values):
    return values + 1

FACTOR = 10
print("script runs")
ds = penstock.data.range(4).map_batches(Model, concurrency=2)
print(ds.take_all())
"""


def test_a_script_needs_no_main_guard_and_runs_once(run_script):
    done = run_script(NO_GUARD)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "script runs",
        "[{'n': 10}, {'n': 20}, {'n': 30}, {'n': 40}]",
    ]


INTERRUPTED = """
import os, time
import penstock

def slow(batch):
    print(os.getpid(), flush=True)
    time.sleep(600)

try:
    penstock.data.range(4, override_num_blocks=4).map_batches(slow, concurrency=2).take_all()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_ends_at_once_and_leaves_no_process(start_script):
    with start_script(INTERRUPTED) as process:
        try:
            worker = int(process.stdout.readline().split()[-1])
            begin_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            process.wait(timeout=30)
        finally:
            process.kill()
    assert rest.splitlines()[-1] == "interrupted"
    assert process.returncode == 0
    assert time.monotonic() - begin_s < 5
    assert not is_alive(worker)


def test_a_killed_script_leaves_no_process(start_script):
    with start_script(INTERRUPTED) as process:
        worker = int(process.stdout.readline().split()[-1])
        process.kill()
    end_s = time.monotonic() + 10
    while is_alive(worker) and time.monotonic() < end_s:
        os.sched_yield()
    assert not is_alive(worker)
