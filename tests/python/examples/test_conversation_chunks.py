"""Chunks of conversations: split, shared, completed by many workers that are killed and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import complete_chunks
import complete_conversations
import penstock
from conversation_chunks import METADATA, Results, listed, save_whole, share, split

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
ROWS = 46
CHUNKS = 10
WORKERS = 4

# A process that completes chunks with a stand-in for the model, writes down what that is given,
# and is killed at the moment that its arguments name, when it comes for the count-th time.
WORKER = """
import json, os, signal, sys
from pathlib import Path
from types import SimpleNamespace
import conversation_chunks
from conversation_chunks import Results, listed

chunks, output, share, log, moment, count = sys.argv[1:]

def killed_at(name, function, *, before):
    if name != moment:
        return function
    calls = 0
    def called(*arguments, **options):
        nonlocal calls
        calls += 1
        if before and calls == int(count):
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if calls == int(count):
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return called

def note(text):
    with open(log, "a") as stream:
        stream.write(text + "\\n")

Path.replace = killed_at("before a file is in place", Path.replace, before=True)
Path.replace = killed_at("after a file is in place", Path.replace, before=False)
dumps = killed_at("while a file is written", json.dumps, before=True)
conversation_chunks.json = SimpleNamespace(dumps=dumps, loads=json.loads)
"""

WITH_A_LOOP = """
import complete_chunks
complete_chunks._CHARACTERS_PER_BATCH_MAX = 40

def generate(texts):
    for text in texts:
        note(text)
    return [text.upper() for text in texts]

generate = killed_at("in the middle of a chunk", generate, before=False)
complete_chunks.complete(Path(chunks), listed(Path(share)), Results(Path(output)), generate)
"""

AS_A_JOB = """
import complete_conversations

class Generator:
    def __call__(self, batch):
        for text in batch["data"]:
            note(text)
            if moment == "in a worker" and text.startswith("question 20,"):
                if not Path(log + ".killed").exists():
                    Path(log + ".killed").touch()
                    os.kill(os.getpid(), signal.SIGKILL)
        return {**batch, "output": [text.upper() for text in batch["data"]]}

def generate(rows):
    return rows.map_batches(Generator, batch_size=3, concurrency=2)

complete_conversations.complete(Path(chunks), Results(Path(output)), generate)
"""


def question(row):
    return f"question {row},\nin two lines"


@pytest.fixture
def conversations(tmp_path):
    """Make two Parquet files of conversations; return their folder."""
    folder = tmp_path / "conversations"
    folder.mkdir()
    rows = [
        {"id": row, "conversation": [{"role": "user", "content": question(row)}] * (1 + row % 3)}
        for row in range(ROWS)
    ]
    pq.write_table(pa.Table.from_pylist(rows[:30]), folder / "0.parquet")
    pq.write_table(pa.Table.from_pylist(rows[30:]), folder / "1.parquet")
    return folder


@pytest.fixture
def chunks(conversations, tmp_path):
    """Split the conversations, and share the chunks out; return the chunks' folder."""
    split(conversations, tmp_path / "chunks", count=CHUNKS)
    share(tmp_path / "chunks" / METADATA, tmp_path / "workers", workers=WORKERS)
    return tmp_path / "chunks"


@pytest.fixture
def start(chunks, tmp_path):
    """Start a worker process; it is ended with the test."""
    started = []

    def start(text, *, share=chunks / METADATA, log="log", moment="", count=0):
        arguments = [chunks, tmp_path / "output", share, tmp_path / log, moment, count]
        python_path = [str(EXAMPLES), str(Path(penstock.__file__).parents[1])]
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER + text, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(python_path)},
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def check_results(chunks, output):
    """Every conversation has its answer, once, in its place, and nothing else is visible."""
    names = listed(chunks / METADATA)
    visible = {path.name for path in output.iterdir() if not path.name.startswith(".")}
    assert visible == {*names, *(f"{name}.succeed" for name in names)}
    answers = [row["output"] for name in names for row in rows_of(output / name)]
    assert answers == [question(row).upper() for row in range(ROWS)]


def given(log):
    """Return which rows the stand-in model was given, once for each time."""
    return sorted(int(line.split()[1].rstrip(",")) for line in log.read_text().splitlines()[::2])


def test_chunks_hold_all_rows_in_order_and_differ_by_one_row_at_most(chunks):
    names = listed(chunks / METADATA)
    assert names == [f"part_{number}.jsonl" for number in range(CHUNKS)]
    rows = [rows_of(chunks / name) for name in names]
    assert {len(chunk) for chunk in rows} == {ROWS // CHUNKS, ROWS // CHUNKS + 1}
    assert [row["id"] for chunk in rows for row in chunk] == list(range(ROWS))
    assert rows[0][1]["conversation"] == [{"role": "user", "content": question(1)}] * 2


def test_a_split_leaves_nothing_of_one_before_and_no_chunk_without_rows(conversations, chunks):
    assert len(split(conversations, chunks, count=3)) == 3
    assert {path.name for path in chunks.iterdir()} == {METADATA, *listed(chunks / METADATA)}
    assert len(split(conversations, chunks, count=2 * ROWS)) == ROWS


def test_shares_leave_no_chunk_out_and_differ_by_one_at_most(chunks, tmp_path):
    shares = [listed(tmp_path / "workers" / f"{worker}.txt") for worker in range(WORKERS)]
    assert {len(names) for names in shares} == {2, 3}
    assert sorted(name for names in shares for name in names) == sorted(listed(chunks / METADATA))


def test_chunks_are_not_shared_out_again_over_other_shares(chunks, tmp_path):
    with pytest.raises(FileExistsError):
        share(chunks / METADATA, tmp_path / "workers", workers=2)


def test_batches_leave_no_text_out_and_keep_to_their_characters():
    texts = ["aaa", "bb", "c" * 9, "", "dddd", "e"]
    batches = list(complete_chunks.batches(texts, characters_max=5))
    assert batches == [["aaa", "bb"], ["c" * 9], ["", "dddd", "e"]]
    assert list(complete_chunks.batches([], characters_max=5)) == []


def test_a_file_that_cannot_be_finished_is_not_there(tmp_path):
    def lines():
        yield "first"
        raise InterruptedError

    with pytest.raises(InterruptedError):
        save_whole(tmp_path / "file", lines())
    assert not (tmp_path / "file").exists()


def test_a_result_whose_marker_is_missing_is_marked_and_not_done_again(tmp_path):
    results = Results(tmp_path)
    results.save("a", ["x"])
    (tmp_path / "a.succeed").unlink()
    assert results.unfinished(["a", "b"]) == ["b"]
    assert (tmp_path / "a.succeed").exists()


MOMENTS = [  # Each chunk puts two files in place, its results and its marker.
    ("in the middle of a chunk", 2),
    ("before a file is in place", 3),
    ("before a file is in place", 4),
    ("after a file is in place", 3),
    ("after a file is in place", 4),
    ("while a file is written", 7),
]


@pytest.mark.parametrize(("moment", "count"), MOMENTS)
def test_four_workers_killed_at_the_worst_moment_lose_nothing(
    start, chunks, tmp_path, moment, count
):
    def workers(**killed):
        return [
            start(
                WITH_A_LOOP, share=tmp_path / "workers" / f"{worker}.txt", log=f"{worker}", **killed
            )
            for worker in range(WORKERS)
        ]

    ended = [process.wait(60) for process in workers(moment=moment, count=count)]
    assert ended == [-signal.SIGKILL] * WORKERS
    unmarked = [name for name in listed(chunks / METADATA) if not marked(tmp_path, name)]
    assert unmarked
    assert [process.wait(60) for process in workers()] == [0] * WORKERS
    check_results(chunks, tmp_path / "output")
    done = [row for worker in range(WORKERS) for row in given(tmp_path / f"{worker}")]
    assert set(done) == set(range(ROWS))
    redone = len(done) - ROWS
    assert redone <= WORKERS * (ROWS // CHUNKS + 1), "more was done again than a chunk a worker"
    if moment.startswith("after"):
        assert redone == 0, "a chunk that was there was done again"


def marked(folder, name):
    return (folder / "output" / f"{name}.succeed").exists()


@pytest.mark.parametrize(("moment", "count"), MOMENTS[1:])
def test_the_job_killed_at_the_worst_moment_loses_nothing(start, chunks, tmp_path, moment, count):
    process = start(AS_A_JOB, moment=moment, count=count)
    assert process.wait(60) == -signal.SIGKILL
    there = {path.name for path in (tmp_path / "output").glob("part_*.jsonl")}
    before = given(tmp_path / "log") if (tmp_path / "log").exists() else []
    assert start(AS_A_JOB, log="again").wait(60) == 0
    check_results(chunks, tmp_path / "output")
    again = given(tmp_path / "again")
    assert set(before) | set(again) == set(range(ROWS))
    kept = {row["id"] for name in there for row in rows_of(chunks / name)}
    assert not kept.intersection(again), "a chunk that was there was done again"


def test_a_worker_of_the_job_that_dies_is_replaced_and_nothing_is_lost(start, chunks, tmp_path):
    assert start(AS_A_JOB, moment="in a worker").wait(60) == 0
    assert (tmp_path / "log.killed").exists()
    check_results(chunks, tmp_path / "output")


def test_the_job_saves_chunks_without_rows_and_has_nothing_to_do_the_second_time(
    start, chunks, tmp_path
):
    names = listed(chunks / METADATA)
    names[3:3], names[8:8] = ["empty_0.jsonl"], ["empty_1.jsonl", "empty_2.jsonl"]
    names.append("empty_3.jsonl")
    for number in range(4):
        save_whole(chunks / f"empty_{number}.jsonl", [])
    save_whole(chunks / METADATA, names)
    assert start(AS_A_JOB).wait(60) == 0
    check_results(chunks, tmp_path / "output")
    assert start(AS_A_JOB, log="again").wait(60) == 0
    assert not (tmp_path / "again").exists()


@pytest.mark.long
def test_both_programs_complete_the_chunks_with_a_model(chunks, tmp_path, text_generator):
    where = ["--chunks", str(chunks), "--model", text_generator]
    for worker in range(WORKERS):
        share = tmp_path / "workers" / f"{worker}.txt"
        complete_chunks.main([*where, "--share", str(share), "--output", str(tmp_path / "loop")])
    job = ["--output", str(tmp_path / "job"), "--workers", "2", "--batch-rows", "7"]
    complete_conversations.main([*where, *job])
    for name in listed(chunks / METADATA):
        answers = rows_of(tmp_path / "loop" / name)
        assert answers == rows_of(tmp_path / "job" / name)
        assert [row["id"] for row in rows_of(chunks / name)] == [
            int(answer["output"].split()[1].rstrip(",")) for answer in answers
        ]
