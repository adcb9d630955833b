"""Placement groups as the hub knows them, and as tasks say that they belong to one."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from penstock.core import connection, serialization
from penstock.worker import current as running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NUMBER_DIGITS = 16
_SESSION_DIGITS = 20  # Before the number, so that a group of an earlier run is no other one's.


def make(
    bundles: list[dict[str, float]], strategy: str, name: str, value_of: Callable[[str], Any]
) -> Any:
    """Make a group; `value_of` its name returns what its object is, and so does this.

    Raises:
        ValueError: the hub refuses it.

    """
    connected = connection.client()
    number = connected.new_ids(2)
    value = value_of(f"{_session()}{number:0{_NUMBER_DIGITS}x}")
    options = json.dumps({"bundles": bundles, "strategy": strategy, "name": name})
    why_not = connected.make_group(number, options, serialization.dumps(connected, value))
    if why_not:
        raise ValueError(why_not)
    return value


def remove(group: str) -> None:
    """Remove a group, if there is one of this name."""
    number = number_of(group)
    if number:
        connection.client().remove_group(number)


def table() -> dict[str, dict[str, Any]]:
    """Return "name", "strategy", "bundles" and "state" of each group, by its name in this run."""
    rows = json.loads(connection.client().ask("groups"))
    return {f"{_session()}{row['number']:0{_NUMBER_DIGITS}x}": row for row in rows}


def number_of(group: str) -> int:
    """Return the number by which the hub knows the group; 0: it is none of this run."""
    if not group.startswith(_session()):
        return 0
    return int(group[_SESSION_DIGITS:], 16)


def current() -> str | None:
    """Return the group in which the task or actor that asks runs; None outside of groups."""
    number = _place_in(_running_options()).get("group")
    return f"{_session()}{number:0{_NUMBER_DIGITS}x}" if number else None


def inherited(options: str, strategy: Any) -> str:
    """Return the options, as JSON, of what the running task starts, with what it hands on in them.

    That is its placement group, unless there is another `strategy`; and where that is a group's and
    says nothing of it, that what is started hands its own group on.
    """
    place = _handed_on(_running_options())
    if not place:
        return options
    if strategy is None:
        return placed(options, place)
    if getattr(strategy, "placement_group_capture_child_tasks", False) is None:
        return placed(options, json.dumps({"captures": True}))
    return options


@functools.lru_cache(256)
def placed(options: str, place: str) -> str:
    """Return options, as JSON, with a place ("": nowhere) added to them."""
    if not place:
        return options
    return json.dumps({**(json.loads(options) if options else {}), **json.loads(place)})


def place_of(options: Mapping[str, Any]) -> str:
    """Return, as JSON, where the strategy among options says that it belongs; "": nowhere.

    Raises:
        ValueError: to a placement group of an earlier run.

    """
    strategy = options.get("scheduling_strategy")
    group = getattr(strategy, "placement_group", None)
    if strategy is None or group is None or group.is_empty:
        return ""
    number = number_of(group.id)
    if not number:
        raise ValueError(f"The placement group is of an earlier run: {group.id}")
    place = {"group": number, "bundle": strategy.placement_group_bundle_index}
    if strategy.placement_group_capture_child_tasks:
        place["captures"] = True
    return json.dumps(place)


def _session() -> str:
    session: str = connection.facts()["session"]
    return session[:_SESSION_DIGITS]


def _running_options() -> str:
    task = running.task()
    if task is None:
        return ""
    return running.actor_options() if task.actor_id else task.options


@functools.lru_cache(256)
def _place_in(options: str) -> dict[str, Any]:
    told = json.loads(options) if options else {}
    return {key: told[key] for key in ("group", "captures") if key in told}


@functools.lru_cache(256)
def _handed_on(options: str) -> str:
    place = _place_in(options)
    return json.dumps(place) if place.get("captures") else ""
