"""Parquet through a C++ function to Parquet: Penstock's C++ face. Argument: file."""

import sys

from cpp_face import run

run("penstock", sys.argv[1])
