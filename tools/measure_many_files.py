"""Measure what many small files cost: time to the first row, time for all, and memory.

Makes the files in folders of 1,000 below a temporary folder, reads them with each reader in a
process of its own, prints a line each, and removes them. Fails where the first row takes more than
a tenth of the time for all, or a process more than `--memory-mib` beyond what one file takes.

    python tools/measure_many_files.py --files 1000000 --folder /dev/shm
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES_PER_FOLDER = 1000
READERS = {"binary_files": "read_binary_files", "text": "read_text", "json": "read_json"}

# Runs in a process of its own, so that its peak of memory is its own.
READ = """
import json, resource, sys, time
import penstock

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

reader, one, folder = sys.argv[1:]
read = getattr(penstock.data, reader)
read(one).take_all()
before = peak_mib()
begin = time.perf_counter()
read(folder).take(1)
first_s = time.perf_counter() - begin
begin = time.perf_counter()
rows = sum(len(next(iter(b.values()))) for b in read(folder).iter_batches(batch_size=None))
all_s = time.perf_counter() - begin
print(json.dumps({"rows": rows, "first_s": first_s, "all_s": all_s, "mib": peak_mib() - before}))
"""


def make_files(folder: Path, files: int) -> None:
    """Make small files that every reader of the table can read: one JSON object each."""
    for number in range(files):
        below, name = divmod(number, FILES_PER_FOLDER)
        parent = folder / f"{below:06}"
        if name == 0:
            parent.mkdir()
        (parent / f"{name:03}.json").write_bytes(b'{"n":%d}\n' % number)


def measure(reader: str, folder: Path) -> dict[str, float]:
    """Read all files in a process of its own; return what it found."""
    done = subprocess.run(
        [sys.executable, "-c", READ, reader, f"{folder}/000000/000.json", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Make, measure, remove; return 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--folder", default=None, help="where to make them; else the usual one")
    parser.add_argument("--readers", nargs="+", default=list(READERS), choices=list(READERS))
    parser.add_argument("--memory-mib", type=int, default=1024)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="penstock_many_files_", dir=arguments.folder))
    broken = 0
    try:
        begin = time.perf_counter()
        make_files(folder, arguments.files)
        print(f"made {arguments.files} files in {time.perf_counter() - begin:.1f} s", flush=True)
        for name in arguments.readers:
            found = measure(READERS[name], folder)
            print(
                f"{name}: first row after {found['first_s']:.2f} s, {found['rows']:.0f} rows after "
                f"{found['all_s']:.1f} s, {found['mib']:.0f} MiB more than for one file",
                flush=True,
            )
            broken += (
                found["rows"] != arguments.files
                or found["first_s"] * 10 > found["all_s"]
                or found["mib"] > arguments.memory_mib
            )
    finally:
        shutil.rmtree(folder)
    return 1 if broken else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", "python")
    sys.exit(main())
