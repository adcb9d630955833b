"""JPEGs to 224 x 224, a mean each, to Parquet: two threads of Pillow. Argument: folder."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from parquet_mean import parquet_mean
from PIL import Image
from report import report

SIZE = (224, 224)

folder = Path(sys.argv[1])


def mean(path: Path) -> float:
    """Return the mean of the picture's values, divided by 255."""
    with Image.open(path) as image:
        small = image.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR)
    return float(np.asarray(small).mean()) / 255


with ThreadPoolExecutor(2) as pool:
    means = list(pool.map(mean, sorted(folder.glob("*.jpg"))))
with tempfile.TemporaryDirectory() as output:
    pq.write_table(pa.table({"mean": means}), f"{output}/means.parquet")
    rows, average = parquet_mean(f"{output}/means.parquet", "mean")
# Decoders differ by a little; two digits do not.
report(rows=rows, checksum=round(average, 2))
