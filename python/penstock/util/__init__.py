"""What Ray keeps under `ray.util`: pools of actors, queues, placement groups.

Everything is imported on first use, but for `placement_group`, which is the name of a function
and of the module that it is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazily import found
from penstock.util.placement_group import (
    get_current_placement_group,
    get_placement_group,
    placement_group,
    placement_group_table,
    remove_placement_group,
)

if TYPE_CHECKING:
    from penstock.util import multiprocessing, queue, scheduling_strategies
    from penstock.util.actor_pool import ActorPool
    from penstock.util.addresses import get_node_ip_address
    from penstock.util.completion import as_completed, map_unordered
    from penstock.util.debug import log_once
    from penstock.util.named_actors import list_named_actors
    from penstock.util.serialization import deregister_serializer, register_serializer

# Where each name is: imported on first use.
_PLACES = {
    "ActorPool": "actor_pool",
    "as_completed": "completion",
    "deregister_serializer": "serialization",
    "get_node_ip_address": "addresses",
    "list_named_actors": "named_actors",
    "log_once": "debug",
    "map_unordered": "completion",
    "register_serializer": "serialization",
}
_SUBMODULES = frozenset({"multiprocessing", "queue", "scheduling_strategies"})

__all__ = [
    "ActorPool",
    "as_completed",
    "deregister_serializer",
    "get_current_placement_group",
    "get_node_ip_address",
    "get_placement_group",
    "list_named_actors",
    "log_once",
    "map_unordered",
    "multiprocessing",
    "placement_group",
    "placement_group_table",
    "queue",
    "register_serializer",
    "remove_placement_group",
    "scheduling_strategies",
]


def __getattr__(name: str) -> object:
    return found(__name__, name, _PLACES, _SUBMODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
