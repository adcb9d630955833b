"""Writes the pictures that `images` reads. Arguments: folder, count."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 375, 500
KINDS = 20  # Decoding one file again and again costs the same as decoding different ones.

folder, count = Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
for kind in range(KINDS):
    waves = [127 + 90 * np.sin(x / (7 + 5 * c + kind) + y / (11 + 3 * c)) for c in range(3)]
    noise = random.normal(0, 20, (HEIGHT, WIDTH, 3))
    pixels = np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)
    first = folder / f"{kind:05}.jpg"
    Image.fromarray(pixels).save(first, quality=85)
    for number in range(kind + KINDS, count, KINDS):
        (folder / f"{number:05}.jpg").write_bytes(first.read_bytes())
