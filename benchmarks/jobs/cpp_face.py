"""Runs a program of benchmarks/cpp and looks at what it wrote."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from report import report

_PROGRAMS = Path(__file__).resolve().parents[2] / "build" / "release" / "benchmarks" / "cpp"


def run(engine: str, input_path: str) -> None:
    """Run `cpp_face_<engine>` on the file and report the rows, and the seconds of it alone."""
    with tempfile.TemporaryDirectory() as folder:
        program = _PROGRAMS / f"cpp_face_{engine}"
        subprocess.run([program, input_path, f"{folder}/out"], check=True)
        files = sorted(Path(folder, "out").iterdir())
        rows = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
        first = pq.ParquetFile(files[0]).read_row_group(0, columns=["score"])["score"][:1000]
    report(rows=rows, checksum=round(sum(first.to_pylist()), 6))
