"""Writes the Parquet file that `cpp_face` reads. Arguments: file, rows."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

path, rows = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(0)
# Of few digits, as measured values are, so that they compress as such do.
columns = {name: np.round(random.normal(size=rows), 3) for name in ("x", "y")}
pq.write_table(pa.table({"id": np.arange(rows), **columns}), path)
