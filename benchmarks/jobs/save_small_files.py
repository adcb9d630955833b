"""Writes the files that `small_files` reads. Arguments: folder, count, bytes of each."""

import sys
from pathlib import Path

FILES_PER_FOLDER = 10_000

folder, count, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(count):
    below = folder / f"{number // FILES_PER_FOLDER:04}"
    if number % FILES_PER_FOLDER == 0:
        below.mkdir(parents=True, exist_ok=True)
    (below / f"{number:08}.bin").write_bytes(bytes([number % 251]) * size)
