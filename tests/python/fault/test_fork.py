from __future__ import annotations

import penstock  # noqa: F401  # Must be there for the scripts.

HEAD = """
import multiprocessing, os, sys, threading
import penstock

def rows(count):
    ds = penstock.data.range(count, override_num_blocks=10)
    return ds.map_batches(lambda batch: batch, batch_size=10)

"""


def test_a_fork_may_run_jobs_after_its_parent_ran_one(run_script):
    done = run_script(
        HEAD
        + """
def job(queue):
    queue.put(len(rows(20).take_all()))
print(rows(10).count())
fork = multiprocessing.get_context("fork")
queue = fork.Queue()
child = fork.Process(target=job, args=(queue,))
child.start()
print(queue.get(), child.join(), child.exitcode)
"""
    )
    assert (done.stdout, done.stderr) == ("10\n20 None 0\n", "")


def test_a_fork_neither_drives_nor_harms_the_job_that_its_parent_runs(run_script):
    done = run_script(
        HEAD
        + """
half_way = iter(rows(1000).iter_rows())
next(half_way)
child = os.fork()
if child == 0:
    try:
        list(half_way)
    except penstock.exceptions.TaskCancelledError as error:
        print("fork" in str(error), flush=True)
    del half_way
    sys.exit(0)
print(os.waitpid(child, 0)[1], len(list(half_way)))
"""
    )
    assert (done.stdout, done.stderr) == ("True\n0 999\n", "")


def test_a_fork_leaves_the_files_that_its_parent_writes_alone(run_script, tmp_path):
    done = run_script(
        HEAD
        + f"""
import gc
from penstock.data.execution import start_pipeline
ds = rows(100_000)
import json
plan = ds._plan.write("parquet", json.dumps({{"path": {str(tmp_path / "out")!r}}}))
pipeline = start_pipeline(plan, ds.context)
child = os.fork()
if child == 0:
    del pipeline
    gc.collect()
    sys.exit(0)
os.waitpid(child, 0)
while pipeline.next(0.1) is not False:
    pass
print(penstock.data.read_parquet({str(tmp_path / "out")!r}).count())
"""
    )
    assert (done.stdout, done.stderr) == ("100000\n", "")


def test_threads_run_jobs_at_the_same_time(run_script):
    done = run_script(
        HEAD
        + """
found = []
threads = [threading.Thread(target=lambda: found.append(rows(100).take_all())) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print([len(one) for one in found], found[0] == found[1] == found[2])
"""
    )
    assert (done.stdout, done.stderr) == ("[100, 100, 100] True\n", "")


def test_a_job_outlives_the_thread_that_started_it(run_script):
    done = run_script(
        HEAD
        + """
box = []
def start():
    box.append(iter(rows(1000).iter_rows()))
    next(box[0])
thread = threading.Thread(target=start)
thread.start()
thread.join()
print(len(list(box[0])))
"""
    )
    assert (done.stdout, done.stderr) == ("999\n", "")
