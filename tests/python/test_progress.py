from __future__ import annotations

import io

from penstock.progress import Progress
from snapshots import snapshot


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run_for(seconds, stream, *, enabled=True, step_s=0.1):
    clock = Clock()
    progress = Progress(enabled=enabled, stream=stream, clock=clock)
    while clock.now_s < seconds:
        clock.now_s += step_s
        progress.update(snapshot)
    progress.close(snapshot())
    return stream.getvalue()


def test_a_short_job_shows_nothing():
    assert run_for(9, io.StringIO()) == ""
    assert run_for(0.3, Terminal()) == ""


def test_elsewhere_than_on_a_terminal_a_line_comes_every_ten_seconds_and_at_the_end():
    lines = run_for(35, io.StringIO()).splitlines()
    assert len(lines) == 4
    assert lines[0] == (
        "penstock: 4.0 s; Read(range) 900 rows, MapBatches(Model) 900 rows; 225 rows/s; "
        "64.0 MiB of 512.0 MiB held"
    )


def test_a_terminal_gets_a_live_line_for_each_stage():
    shown = run_for(1, Terminal())
    assert "Read(range)" in shown
    assert "MapBatches(Model)" in shown
    assert "64.0 MiB of 512.0 MiB held" in shown


def test_switched_off_nothing_is_shown():
    assert run_for(60, Terminal(), enabled=False) == ""


def test_snapshots_are_only_taken_when_they_are_drawn():
    taken = []
    clock = Clock()
    progress = Progress(enabled=True, stream=io.StringIO(), clock=clock)
    for _ in range(1000):
        progress.update(lambda: taken.append(1) or snapshot())
    assert taken == []


def test_rich_is_imported_only_when_a_live_view_is_drawn(run_script):
    script = (
        "import io, sys\n"
        "from penstock.progress import Progress\n"
        "class Terminal(io.StringIO):\n"
        "    def isatty(self): return True\n"
        "progress = Progress(enabled=True, stream=Terminal())\n"
        "progress.update(lambda: None)\n"
        "print('rich' in sys.modules)\n"
    )
    assert run_script(script).stdout == "False\n"
