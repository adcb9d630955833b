"""Offline batch inference: read a data set, run models over every row, write the result.

`penstock.data` offers Ray Data's names. Everything is imported on first use, so that
`import penstock` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazily import found

if TYPE_CHECKING:
    from penstock import actor, data, exceptions, train, util
    from penstock.core.actors import ActorHandle, method
    from penstock.core.cluster import (
        available_resources,
        cluster_resources,
        get_gpu_ids,
        nodes,
    )
    from penstock.core.control import cancel, get_actor, kill
    from penstock.core.objects import get, put, wait
    from penstock.core.references import (
        DynamicObjectRefGenerator,
        ObjectRef,
        ObjectRefGenerator,
    )
    from penstock.core.remote import remote
    from penstock.core.runtime_context import get_runtime_context
    from penstock.data.reading.dead_letters import dead_letters
    from penstock.data.writing.retrying import retry_dead
    from penstock.session import init, is_initialized, shutdown

__version__ = "0.1.0"

# Where each name is: imported on first use.
_PLACES = {
    "ActorHandle": "core.actors",
    "DynamicObjectRefGenerator": "core.references",
    "ObjectRef": "core.references",
    "ObjectRefGenerator": "core.references",
    "available_resources": "core.cluster",
    "cancel": "core.control",
    "cluster_resources": "core.cluster",
    "dead_letters": "data.reading.dead_letters",
    "get": "core.objects",
    "get_actor": "core.control",
    "get_gpu_ids": "core.cluster",
    "get_runtime_context": "core.runtime_context",
    "init": "session",
    "is_initialized": "session",
    "kill": "core.control",
    "method": "core.actors",
    "nodes": "core.cluster",
    "put": "core.objects",
    "remote": "core.remote",
    "retry_dead": "data.writing.retrying",
    "shutdown": "session",
    "wait": "core.objects",
}
_SUBMODULES = frozenset({"actor", "data", "errors", "exceptions", "train", "util"})

__all__ = [
    "ActorHandle",
    "DynamicObjectRefGenerator",
    "ObjectRef",
    "ObjectRefGenerator",
    "__version__",
    "actor",
    "available_resources",
    "cancel",
    "cluster_resources",
    "data",
    "dead_letters",
    "exceptions",
    "get",
    "get_actor",
    "get_gpu_ids",
    "get_runtime_context",
    "init",
    "is_initialized",
    "kill",
    "method",
    "nodes",
    "put",
    "remote",
    "retry_dead",
    "shutdown",
    "train",
    "util",
    "wait",
]


def __getattr__(name: str) -> object:
    return found(__name__, name, _PLACES, _SUBMODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
