"""Numbers as people read them, for progress, statistics and messages."""

from __future__ import annotations

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024
_SLOW = 10  # Rows a second below which fractions are shown.
_MINUTE_S = 60
_HOUR_S = 3600


def bytes_text(count: int) -> str:
    """Return a size such as "512 B" or "1.5 MiB"."""
    value = float(count)
    for unit in _BYTE_UNITS[:-1]:
        if value < _STEP:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _STEP
    return f"{value:.1f} {_BYTE_UNITS[-1]}"


def rate_text(rows: int, seconds: float) -> str:
    """Return "1,234 rows/s"; "-" when no time has passed."""
    if seconds <= 0:
        return "-"
    rate = rows / seconds
    return f"{rate:.2g} rows/s" if 0 < rate < _SLOW else f"{rate:,.0f} rows/s"


def seconds_text(seconds: float) -> str:
    """Return "0.25 s", "12.3 s", "3 min 05 s" or "2 h 03 min"."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02} min"
