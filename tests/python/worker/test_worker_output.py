"""What workers print reaches this process's own streams, as whole lines with a name before them."""

from __future__ import annotations

import io
import os
import re
import sys

import pytest
from rendezvous import meet, rendezvous

import penstock
from penstock.exceptions import WorkerCrashedError
from penstock.worker_output import show

WORKERS = 4


def test_what_a_function_prints_comes_back_with_the_worker_s_name(capsys):
    def speak(batch):
        print("first\nsecond")
        print("oh no", file=sys.stderr)
        return batch

    penstock.data.range(1).map_batches(speak, concurrency=1).take_all()
    printed = capsys.readouterr()
    name = r"\(MapBatches\(speak\) worker 0\)"
    assert re.fullmatch(f"{name} first\n{name} second\n", printed.out)
    assert re.fullmatch(f"{name} oh no\n", printed.err)


def test_what_is_printed_without_a_line_s_end_or_late_comes_back_too(capsys):
    def speak(batch):
        import atexit

        atexit.register(print, "at the end")
        sys.stdout.write("half a line")
        return batch

    penstock.data.range(1).map_batches(speak, concurrency=1).take_all()
    assert capsys.readouterr().out == "(MapBatches(speak) worker 0) half a lineat the end\n"


def test_what_c_prints_and_what_a_child_prints_comes_back(capsys):
    def speak(batch):
        import ctypes
        import subprocess

        ctypes.CDLL(None).puts(b"from C")
        os.write(1, b"direct\n")
        subprocess.run(["/bin/echo", "a child"], check=True)
        return batch

    penstock.data.range(1).map_batches(speak, concurrency=1).take_all()
    said = [line.split(") ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert said == ["worker 0) from C", "worker 0) direct", "worker 0) a child"]


class Speaker:
    """Prints its worker's process id, in many writes."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __call__(self, batch):
        self.address = meet(self.address)
        for letter in str(os.getpid()) * 20:
            os.write(1, letter.encode())
        os.write(1, b"\n")
        return {"process": [os.getpid()]}


def test_lines_of_spawned_and_forked_workers_are_never_mixed(tmp_path, capsys):
    with rendezvous(tmp_path, parties=WORKERS) as address:
        rows = (
            penstock.data.range(2 * WORKERS)
            .map_batches(Speaker, batch_size=1, concurrency=WORKERS, fn_constructor_args=(address,))
            .take_all()
        )
    said = re.findall(r"\(MapBatches\(Speaker\) worker (\d)\) (\d+)\n", capsys.readouterr().out)
    assert sorted(line for _, line in said) == sorted(str(row["process"]) * 20 for row in rows)
    assert {worker for worker, _ in said} == {"0", "1", "2", "3"}


def test_a_gigabyte_of_output_ends_well_and_what_is_left_out_is_counted(capsys):
    def flood(batch):
        lines = b"a line of the flood\n" * (1 << 16)
        for _ in range((1 << 30) // len(lines)):
            os.write(1, lines)
        return batch

    assert penstock.data.range(1).map_batches(flood, concurrency=1).count() == 1
    printed = capsys.readouterr().out.splitlines()
    left_out = re.fullmatch(r".*worker 0\) … ([\d,]+) lines left out", printed[-1])
    assert left_out is not None
    shown = sum(line.endswith("a line of the flood") for line in printed)
    notes = re.findall(r"… ([\d,]+) lines left out", "\n".join(printed))
    everything = (1 << 30) // (20 << 16) << 16
    assert shown + sum(int(note.replace(",", "")) for note in notes) == everything


def test_a_crash_shows_the_function_that_it_happened_in():
    def read_nowhere(batch):
        import ctypes

        return {"x": [ctypes.string_at(0)]}

    with pytest.raises(WorkerCrashedError) as raised:
        penstock.data.range(1).map_batches(read_nowhere, concurrency=1).take_all()
    said = str(raised.value)
    assert "signal 11 (SIGSEGV)" in said
    assert "Fatal Python error: Segmentation fault" in said
    assert "in read_nowhere" in said
    assert "Extension modules" not in said


def test_a_death_without_a_trace_shows_the_last_lines_of_standard_error():
    def leave(batch):
        for number in range(100):
            print("line", number, file=sys.stderr)
        os._exit(4)

    with pytest.raises(WorkerCrashedError) as raised:
        penstock.data.range(1).map_batches(leave, concurrency=1).take_all()
    assert "exited with code 4" in str(raised.value)
    assert "\nline 98\nline 99" in str(raised.value)
    assert "line 50" not in str(raised.value)


class _Lines:
    """Stands for the engine's."""

    def __init__(self, *lines):
        self.lines = list(lines)

    def take(self):
        return self.lines


def test_lines_go_to_the_streams_of_the_moment(monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    show(_Lines((False, b"one"), (True, b"oh"), (False, b"\xff two")))
    assert (out.getvalue(), err.getvalue()) == ("one\n� two\n", "oh\n")


def test_a_stream_that_lacks_a_letter_shows_it_by_number(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    show(_Lines((False, "… 3 lines".encode())))
    sys.stdout.flush()
    assert raw.getvalue() == b"\\u2026 3 lines\n"


def test_a_stream_that_is_gone_costs_the_lines_and_not_the_job(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr(sys, "stderr", None)
    show(_Lines((False, b"one"), (True, b"two")))


class _Odd(io.StringIO):
    """A stream of somebody's own, which is wrong in one way."""

    encoding = "bogus"


class _WithoutFlush:
    def write(self, text):
        return len(text)


class _Raises:
    def write(self, text):
        raise RuntimeError("the notebook is gone")


@pytest.mark.parametrize("stream", [_Odd, _WithoutFlush, _Raises])
def test_whatever_a_stream_raises_costs_the_lines_and_not_the_job(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream())
    show(_Lines((False, b"one")))
