"""Small files that unpack to more than memory should hold."""

from __future__ import annotations

import gzip

import pytest

import penstock
from penstock.exceptions import CorruptDataError


def test_a_small_file_that_unpacks_to_a_gigantic_line_takes_little_memory(tmp_path):
    with gzip.open(tmp_path / "a.csv.gz", "wb", compresslevel=9) as file:
        file.write(b"n\n")
        for _ in range(1100):
            file.write(b"0" * (1 << 20))
    with pytest.raises(CorruptDataError, match=r"a\.csv\.gz.*1 GiB"):
        penstock.data.read_csv(tmp_path).take_all()
