"""Runs the jobs of `benchmarks/jobs` side by side, measures them and writes the table."""
