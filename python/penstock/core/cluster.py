"""What the machine has, and what of it is free."""

from __future__ import annotations

import json
import platform
from typing import Any

from penstock.core.connection import client, facts

_ADDRESS = "127.0.0.1"


def cluster_resources() -> dict[str, float]:
    """Return what tasks and actors may use in all, by resource; memory in bytes."""
    return {**_asked("resources"), **_node()}


def available_resources() -> dict[str, float]:
    """Return what of it is free just now."""
    return {**_asked("available"), **_node()}


def nodes() -> list[dict[str, Any]]:
    """Return facts about the machines: this one."""
    return [
        {
            "NodeID": facts()["node_id"],
            "Alive": True,
            "NodeManagerAddress": _ADDRESS,
            "NodeManagerHostname": platform.node(),
            "NodeName": _ADDRESS,
            "Resources": cluster_resources(),
            "Labels": {},
        }
    ]


def get_gpu_ids() -> list[int | str]:
    """Return the GPUs of the task or actor that calls this; none in the program itself."""
    from penstock.worker import current

    task = current.task()
    if task is None or not task.devices:
        return []
    return [int(name) if name.isdigit() else name for name in task.devices.split(",")]


def _asked(what: str) -> dict[str, float]:
    answer: dict[str, float] = json.loads(client().ask(what))
    return answer


def _node() -> dict[str, float]:
    return {f"node:{_ADDRESS}": 1.0, "node:__internal_head__": 1.0}
