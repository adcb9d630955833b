"""Values in messages."""

from __future__ import annotations

_SHOWN_MAX = 80


def shown(value: object) -> str:
    """Return the value's text on one line, cut to a readable length."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001  # Whatever the user's __repr__ raises.
        text = "<it cannot be shown>"
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"
