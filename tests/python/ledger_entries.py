"""Entries of a ledger's log as tests make them up."""

from __future__ import annotations

import json
from typing import Any


def entry_text(entry: dict[str, Any]) -> str:
    """Return the text of an entry's file, with its checksum."""
    body = json.dumps(entry)
    return f"{body}\ncrc32c:{_crc32c(body.encode()):08x}\n"


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
