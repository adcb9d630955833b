"""Helps programs to say things once."""

from __future__ import annotations

_said: set[str] = set()


def log_once(key: str) -> bool:
    """Return True the first time that this process asks for `key`, and False from then on."""
    if key in _said:
        return False
    _said.add(key)
    return True
