"""Writes the file of JSON lines that the jsonl jobs read. Arguments: file, mebibytes."""

import json
import random
import sys
from pathlib import Path

WORDS = ["a", "batch", "flows", "inference", "model", "of", "rows", "stream", "the", "through"]
DRAWN_BYTES = 16 << 20  # Further lines repeat these.

path, size = Path(sys.argv[1]), int(sys.argv[2]) << 20
draw = random.Random(0)
lines: list[bytes] = []
length = 0
while length < min(size, DRAWN_BYTES):
    row = {
        "id": len(lines),
        "user": f"user-{draw.randrange(10**6)}",
        "score": draw.random(),
        "text": " ".join(draw.choices(WORDS, k=12)),
        "tags": [draw.randrange(100) for _ in range(3)],
        "seen": draw.random() > 0.5,  # noqa: PLR2004 - half of them
        "place": {"x": draw.randrange(1000), "name": "n" * draw.randrange(20)},
    }
    lines.append(json.dumps(row).encode() + b"\n")
    length += len(lines[-1])
with path.open("wb") as file:
    while file.tell() < size:
        file.writelines(lines)
