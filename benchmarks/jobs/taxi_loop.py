"""A linear model over taxi rides, Parquet to Parquet: a loop over pyarrow's scanner.

Argument: folder.
"""

import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from parquet_mean import parquet_mean
from report import report

COLUMNS = ["passengers", "distance", "fare"]

weights = np.array([0.05, 0.2, 0.1])
schema = pa.schema([("tip", pa.float64())])
with tempfile.TemporaryDirectory() as output:
    with pq.ParquetWriter(f"{output}/tips.parquet", schema) as writer:
        rides = pads.dataset(sys.argv[1]).scanner(columns=COLUMNS, batch_size=65_536)
        for batch in rides.to_batches():
            features = np.column_stack([batch[name].to_numpy() for name in COLUMNS])
            writer.write_batch(pa.record_batch([pa.array(features @ weights)], schema=schema))
    rows, mean = parquet_mean(f"{output}/tips.parquet", "tip")
report(rows=rows, checksum=round(mean, 6))
