"""What the kernel does when memory runs out, under a control group's limit."""

from __future__ import annotations

LIMIT_BYTES = 600 << 20

HEAD = """
import os
import signal
with open("{group}/tasks", "w") as tasks:
    tasks.write("0")
import penstock

def eat(batch):
    eaten = [b"x" * (1 << 20)]
    while {condition}:
        eaten.append(bytes(bytearray(b"x") * (1 << 20)))
    return batch

def run():
    try:
        penstock.data.range({rows}).map_batches(eat, batch_size=1, concurrency={workers}).take_all()
    except penstock.exceptions.WorkerCrashedError as error:
        print(str(error).splitlines()[0])
"""


def test_a_worker_that_eats_all_memory_is_the_one_that_dies_and_the_cause_is_named(
    run_script, memory_group
):
    group = memory_group(LIMIT_BYTES)
    done = run_script(HEAD.format(group=group, condition="True", rows=1, workers=1) + "run()\n")
    assert "was killed by the kernel for want of memory" in done.stdout, done.stderr
    assert "held batch 0" in done.stdout


def test_a_forked_worker_that_eats_all_memory_is_named_too(run_script, memory_group):
    group = memory_group(LIMIT_BYTES)
    condition = "os.getppid() != driver or signal.pause()"  # Only forked workers eat.
    done = run_script(
        HEAD.format(group=group, condition=condition, rows=30, workers=3)
        + "driver = os.getpid()\nrun()\n"
    )
    assert "was killed by the kernel for want of memory" in done.stdout, done.stderr


def test_rows_that_eat_all_memory_become_dead_letters(run_script, memory_group, tmp_path):
    group = memory_group(LIMIT_BYTES)
    done = run_script(
        HEAD.format(group=group, condition="batch['id'][0] == 3", rows=8, workers=1)
        + f"penstock.data.range(8, override_num_blocks=1).map_batches(\n"
        f"    eat, batch_size=1, concurrency=1, on_error='dead_letter'\n"
        f").write_parquet({str(tmp_path / 'out')!r})\n"
        f"letters = penstock.dead_letters({str(tmp_path / 'out')!r}).take_all()\n"
        "print([(letter['row']['id'], letter['cause']) for letter in letters])\n"
    )
    assert "[(3, 'out_of_memory')]" in done.stdout, done.stderr


def test_a_kill_from_elsewhere_in_such_a_group_is_not_mistaken(run_script, memory_group):
    group = memory_group(LIMIT_BYTES)
    done = run_script(
        HEAD.format(group=group, condition="os.kill(os.getpid(), 9)", rows=1, workers=1) + "run()\n"
    )
    assert "was killed by signal 9 (SIGKILL)" in done.stdout, done.stderr


def test_a_task_that_eats_all_memory_says_so(run_script, memory_group):
    group = memory_group(LIMIT_BYTES)
    done = run_script(
        HEAD.format(group=group, condition="True", rows=1, workers=1)
        + "penstock.init(num_cpus=1)\n"
        "try:\n"
        "    penstock.get(penstock.remote(max_retries=0)(eat).remote(None))\n"
        "except penstock.exceptions.OutOfMemoryError as error:\n"
        "    print(error)\n"
    )
    assert "was killed by the kernel for want of memory" in done.stdout, done.stderr
