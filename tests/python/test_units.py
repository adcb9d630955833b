from __future__ import annotations

import pytest

from penstock.units import bytes_text, rate_text, seconds_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (3 << 30, "3.0 GiB"),
        (1 << 62, "4096.0 PiB"),
    ],
)
def test_bytes_have_binary_units(count, text):
    assert bytes_text(count) == text


@pytest.mark.parametrize(
    ("rows", "seconds", "text"),
    [(5000, 2, "2,500 rows/s"), (1, 4, "0.25 rows/s"), (0, 1, "0 rows/s"), (5, 0, "-")],
)
def test_rates_are_rows_a_second(rows, seconds, text):
    assert rate_text(rows, seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.254, "0.25 s"), (12.34, "12.3 s"), (185, "3 min 05 s"), (7380, "2 h 03 min")],
)
def test_times_grow_units(seconds, text):
    assert seconds_text(seconds) == text
