"""Plants bugs in a copy of the tree, one at a time, and checks that the tests find each.

    python tools/plant_bugs.py [--only NAME ...] [--folder FOLDER]

A bug is a piece of a source file and what is put in its place. The copy is a worktree of HEAD with
a build of its own; each bug takes about half a minute. Exits with 1 when one was not found, or when
its place in the source has gone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LEDGER, SINK, EXEC = "src/penstock/ledger/", "src/penstock/sink/", "src/penstock/exec/"


class Bug(NamedTuple):
    """A piece of a file, what is put in its place, and who is to find it."""

    name: str
    file: str
    piece: str
    instead: str
    finder: str  # A test program, and behind ":" which of its tests.


BUGS = [
    Bug(
        "part files are not synced",
        SINK + "named_stream.cc",
        "if (fsync(file_->file_descriptor()) != 0)",
        "if (false)",
        "fault:*PowerCuts*",
    ),
    Bug(
        "the log's folder is not synced",
        LEDGER + "small_file.cc",
        "if (put.ok() && *put) PENSTOCK_RETURN_NOT_OK(SyncFolder(folder));",
        "",
        "fault:*PowerCuts*",
    ),
    Bug(
        "entries are not synced",
        LEDGER + "small_file.cc",
        "return fsync(file.get()) == 0 ? Status::OK() : SystemFailure(errno, "
        '"make durable", path);',
        "return Status::OK();",
        "fault:*PowerCuts*",
    ),
    Bug(
        "files are shown before they are on record",
        EXEC + "job_ledger.cc",
        "  IgnoreChangedFiles();\n",
        "  IgnoreChangedFiles();\n  PENSTOCK_RETURN_NOT_OK(sink_.Publish(files));\n",
        "fault:*CrashPoints*",
    ),
    Bug(
        "what is on record is not shown by the next run",
        EXEC + "job_ledger.cc",
        "return Publish(hidden, {}, taken);",
        "return Publish({}, {}, taken);",
        "fault:*CrashPoints*",
    ),
    Bug(
        "temporary names are used again",
        SINK + "local_folder.cc",
        '"{}/{}_{:06}{}", kPendingFolder, write_name_,',
        '"{}/{}_{:06}{}", kPendingFolder, "run",',
        "fault:*CrashPoints*",
    ),
    Bug(
        "what an earlier run left is not removed",
        EXEC + "job_ledger.cc",
        "  PENSTOCK_RETURN_NOT_OK(ShowAll());\n  return sink_.RemoveTemporaries();",
        "  return ShowAll();",
        "fault:*CrashPoints*",
    ),
    Bug(
        "dead letters go before the retry of their rows is on record",
        EXEC + "job_ledger.cc",
        "  IgnoreChangedFiles();\n",
        "  IgnoreChangedFiles();\n  PENSTOCK_RETURN_NOT_OK(sink_.RemoveDeadLetters(retried_));\n",
        "fault:*CrashPoints*a_retry*",
    ),
    Bug(
        "dead letters that a retry has taken are not removed by the next run",
        EXEC + "job_ledger.cc",
        "return Publish(hidden, {}, taken);",
        "return Publish(hidden, {}, {});",
        "fault:*CrashPoints*a_retry*",
    ),
    Bug(
        "a short write is taken for a whole one",
        LEDGER + "small_file.cc",
        "bytes.remove_prefix(static_cast<size_t>(written));",
        "bytes = {};",
        "fault:*CrashPoints*",
    ),
    Bug(
        "a writer that was replaced goes on",
        LEDGER + "ledger.cc",
        "if (!put) return Taken(store_->Holder());",
        "static_cast<void>(put);",
        "ledger",
    ),
    Bug(
        "an entry takes the place of another",
        LEDGER + "small_file.cc",
        "if (link(temporary.c_str(), path.c_str()) == 0) return true;",
        "if (::rename(temporary.c_str(), path.c_str()) == 0) return true;",
        "ledger",
    ),
    Bug(
        "older entries go without being gathered",
        LEDGER + "log_compaction.cc",
        "PENSTOCK_RETURN_NOT_OK(MakeRun(store, run, entries));",
        "static_cast<void>(run);",
        "fault:*LongLogs*",
    ),
    Bug(
        "a writer whose number was gathered meanwhile goes on",
        LEDGER + "ledger.cc",
        "if (is_late) {",
        "if (is_late && false) {",
        "ledger",
    ),
    Bug(
        "an entry's checksum is not looked at",
        LEDGER + "small_file.cc",
        "if (WithChecksum(body) != text)",
        "if (false)",
        "ledger",
    ),
    Bug(
        "rows that ended their worker are remembered beyond their chunk's commit",
        LEDGER + "fatal_rows.cc",
        "if (is_over_ || committed_.Contains(row.chunk) || entries_.size() >= kRowsMax) {",
        "if (entries_.size() >= kRowsMax) {",
        "ledger",
    ),
    Bug(
        "chunks that are done are read again",
        EXEC + "read_runner.cc",
        "if (done_.Contains(split.chunk)) return;",
        "",
        "fault:*CrashPoints*",
    ),
    Bug(
        "a chunk is committed before its last part is closed",
        EXEC + "dispatcher_commits.cc",
        "unit.open += joined.open;",
        "",
        "dispatcher:*imulat*",
    ),
    Bug(
        "a chunk counts as complete while its blocks wait for their turn",
        EXEC + "dispatcher_flow.cc",
        "if (!ordered() && stage.yields()) chunks_.Remove(stage.index, task.chunk, 1);",
        "if (stage.yields()) chunks_.Remove(stage.index, task.chunk, follows_chunks() ? 1 : 0);",
        "dispatcher:*imulat*",
    ),
]


def main(arguments: list[str]) -> int:
    """Plant each bug; return 1 when one was not found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", help="bugs by name")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "planted")
    options = parser.parse_args(arguments)
    tree = copy_of_tree(options.folder)
    bugs = [bug for bug in BUGS if options.only is None or bug.name in options.only]
    build(tree, sorted({program(bug) for bug in BUGS}))
    missed = 0
    for bug in bugs:
        begin = time.monotonic()
        verdict = plant(tree, bug)
        missed += verdict != "found"
        print(f"{verdict:>9}  {time.monotonic() - begin:5.0f} s  {bug.finder:<20} {bug.name}")
    print(f"{len(bugs) - missed} of {len(bugs)} planted bugs were found")
    return 1 if missed else 0


def copy_of_tree(folder: Path) -> Path:
    """Return a worktree of HEAD, made where it is not there."""
    if folder.exists():
        run(["git", "checkout", "--quiet", "--force", "--detach", head()], folder)
    else:
        run(["git", "worktree", "add", "--quiet", "--detach", str(folder), head()], ROOT)
        (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def head() -> str:
    """Return the commit that is worked on."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def build(tree: Path, programs: list[str]) -> None:
    """Configure and build the test programs."""
    python = tree / ".venv" / "bin" / "python"
    run(["cmake", "--preset", "release", f"-DPython_EXECUTABLE={python}"], tree)
    run(["cmake", "--build", "--preset", "release", "--target", *programs], tree)


def plant(tree: Path, bug: Bug) -> str:
    """Return whether the tests found a bug; the tree is as it was afterwards."""
    file = tree / bug.file
    sound = file.read_text()
    if sound.count(bug.piece) != 1:
        return "no place"
    file.write_text(sound.replace(bug.piece, bug.instead))
    try:
        build(tree, [program(bug)])
        return "found" if fails(tree, bug) else "MISSED"
    finally:
        file.write_text(sound)


def program(bug: Bug) -> str:
    """Return the test program that is to find a bug."""
    return bug.finder.partition(":")[0] + "_tests"


def fails(tree: Path, bug: Bug) -> bool:
    """Run the tests that are to find a bug; return whether one fails."""
    chosen = bug.finder.partition(":")[2] or "*"
    command = [
        str(tree / "build" / "release" / "tests" / "cpp" / program(bug)),
        f"--gtest_filter={chosen}",
        "--gtest_fail_fast",
        "--gtest_brief=1",
    ]
    environment = {"PENSTOCK_FAULT_STRIDE": "1", **os.environ}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    return done.returncode != 0


def run(command: list[str], folder: Path) -> None:
    """Run a command; end the program with what it said where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
