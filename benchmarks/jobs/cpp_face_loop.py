"""Parquet through a C++ function to Parquet: Arrow's own reader and writer. Argument: file."""

import sys

from cpp_face import run

run("loop", sys.argv[1])
