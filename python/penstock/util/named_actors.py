"""`list_named_actors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from penstock.core.control import actor_names, current_namespace

if TYPE_CHECKING:
    from typing import Literal


@overload
def list_named_actors(all_namespaces: Literal[False] = ...) -> list[str]: ...


@overload
def list_named_actors(all_namespaces: bool) -> list[str] | list[dict[str, str]]: ...  # noqa: FBT001


def list_named_actors(
    all_namespaces: bool = False,  # noqa: FBT001, FBT002  # Ray's order.
) -> list[str] | list[dict[str, str]]:
    """Return the names of the actors that have one and have not ended.

    Args:
        all_namespaces: return dicts of "namespace" and "name" for all of them, instead of the names
            in the namespace where names are looked for by default.

    """
    names = actor_names()
    if all_namespaces:
        return [{"namespace": space, "name": name} for space, name in names]
    here = current_namespace()
    return [name for space, name in names if space == here]
