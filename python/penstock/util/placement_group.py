"""Placement groups: resources kept for the tasks and actors of a group.

A group waits for its turn like a task. What its bundles ask for is then held back, used or not,
until the group is removed; what runs in it draws from a bundle. One that can never fit is refused
at once.
"""

from __future__ import annotations

from typing import Any

VALID_PLACEMENT_GROUP_STRATEGIES = frozenset({"PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD"})

_WAIT_S = 30
_REMOVED = "REMOVED"


class PlacementGroupID(str):
    """A placement group's name in this run."""

    __slots__ = ()

    def hex(self) -> str:
        """Return the name as text."""
        return str(self)

    def is_nil(self) -> bool:
        """Return whether this is nobody's name."""
        return not self


class PlacementGroup:
    """Stands for a placement group; may be sent to tasks and actors."""

    def __init__(
        self, id: PlacementGroupID, bundle_cache: list[dict[str, float]] | None = None
    ) -> None:
        self.id = id
        self.bundle_cache = bundle_cache

    @staticmethod
    def empty() -> PlacementGroup:
        """Return the group that stands for none."""
        return PlacementGroup(PlacementGroupID())

    @property
    def is_empty(self) -> bool:
        """Whether this stands for none."""
        return self.id.is_nil()

    @property
    def bundle_specs(self) -> list[dict[str, float]]:
        """The bundles: amounts by resource."""
        return [dict(bundle) for bundle in self.bundle_cache or []]

    @property
    def bundle_count(self) -> int:
        """The number of bundles."""
        return len(self.bundle_cache or [])

    def ready(self) -> Any:
        """Return a reference to the group that is ready once there is room for it.

        Raises:
            ValueError: the group was removed.

        """
        from penstock.core.references import ObjectRef

        return ObjectRef(self._number() + 1)

    def wait(self, timeout_seconds: float = _WAIT_S) -> bool:
        """Wait for the group, and return whether there is room for it now.

        Raises:
            ValueError: the group was removed, or the timeout is negative.

        """
        import penstock

        if timeout_seconds < 0:
            raise ValueError(f"timeout_seconds must not be negative; got: {timeout_seconds}")
        ready, _ = penstock.wait([self.ready()], timeout=timeout_seconds)
        self._number()
        return bool(ready)

    def _number(self) -> int:
        from penstock.core import groups

        row = groups.table().get(self.id)
        if row is None or row["state"] == _REMOVED:
            raise ValueError(f"The placement group was removed: {self.id}")
        return groups.number_of(self.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlacementGroup) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"PlacementGroup({self.id}, {self.bundle_specs})"


def placement_group(  # noqa: PLR0917  # Ray's order.
    bundles: list[dict[str, float]],
    strategy: str | None = None,
    name: str = "",
    lifetime: str | None = None,
    _soft_target_node_id: str | None = None,
    bundle_label_selector: list[dict[str, str]] | None = None,
    topology_strategy: dict[str, str] | None = None,
) -> PlacementGroup:
    """Make a placement group; `ready` and `wait` tell when there is room for it.

    Args:
        bundles: amounts by resource: `[{"CPU": 1, "GPU": 1}, {"CPU": 2}]`.
        strategy: "PACK" (the default), "SPREAD", "STRICT_PACK", or "STRICT_SPREAD", which wants a
            machine for each bundle.
        name: what `get_placement_group` finds it by.
        lifetime: None or "detached"; both last as long as the program here.
        bundle_label_selector: labels of machines; nothing depends on them here.
        topology_strategy: nothing depends on it here.

    Raises:
        ValueError: an argument makes no sense, or the name is taken.
        UnplaceableError: this machine has not what the bundles ask for, all together; or
            "STRICT_SPREAD" asks for several machines.

    """
    from penstock.core import groups

    del _soft_target_node_id, bundle_label_selector, topology_strategy
    checked = _checked_bundles(bundles)
    strategy = strategy or "PACK"
    if strategy not in VALID_PLACEMENT_GROUP_STRATEGIES:
        known = ", ".join(sorted(VALID_PLACEMENT_GROUP_STRATEGIES))
        raise ValueError(f"Unknown placement group strategy; known: {known}; got: {strategy}")
    if lifetime not in (None, "detached"):
        raise ValueError(f"lifetime must be None or 'detached'; got: {lifetime!r}")
    _refuse_what_never_fits(checked, strategy)
    made: PlacementGroup = groups.make(
        checked, strategy, name, lambda group: PlacementGroup(PlacementGroupID(group), checked)
    )
    return made


def remove_placement_group(placement_group: PlacementGroup) -> None:
    """Remove a group: what it holds is free again, and the tasks and actors in it are killed.

    `get` then raises `TaskPlacementGroupRemoved` for tasks, `ActorDiedError` for calls of actors.
    A group that is gone already is left as it is.
    """
    from penstock.core import groups

    groups.remove(placement_group.id)


def get_placement_group(placement_group_name: str) -> PlacementGroup:
    """Return the group that was made by this name.

    Raises:
        ValueError: there is none, or the name is empty.

    """
    from penstock.core import groups

    if not placement_group_name:
        raise ValueError("get_placement_group needs a name that is not empty")
    for group, row in groups.table().items():
        if row["name"] == placement_group_name and row["state"] != _REMOVED:
            return PlacementGroup(PlacementGroupID(group), row["bundles"])
    raise ValueError(f"There is no placement group of this name: {placement_group_name}")


def get_current_placement_group() -> PlacementGroup | None:
    """Return the group in which the task or actor that asks runs; None outside of groups."""
    from penstock.core import groups

    group = groups.current()
    if group is None:
        return None
    return PlacementGroup(PlacementGroupID(group), groups.table().get(group, {}).get("bundles"))


def placement_group_table(
    placement_group: PlacementGroup | None = None,
) -> dict[str, Any]:
    """Return facts about a group, or about each that is there or was of late, by its name."""
    from penstock.core import groups

    table = {group: _row(group, row) for group, row in groups.table().items()}
    if placement_group is None:
        return table
    return table.get(placement_group.id.hex(), {})


def _checked_bundles(bundles: object) -> list[dict[str, float]]:
    if not isinstance(bundles, list):
        raise ValueError(f"bundles must be a list of dicts; got: {type(bundles).__name__}")  # noqa: TRY004  # As in Ray.
    if not bundles:
        raise ValueError('bundles must not be empty; an example: [{"CPU": 1}, {"GPU": 1}]')
    return [_checked_bundle(place, bundle) for place, bundle in enumerate(bundles)]


def _checked_bundle(place: int, bundle: object) -> dict[str, float]:
    if not isinstance(bundle, dict):
        raise ValueError(f"The bundle {place} must be a dict; got: {type(bundle).__name__}")  # noqa: TRY004  # As in Ray.
    for name, amount in bundle.items():
        if not isinstance(name, str) or isinstance(amount, bool):
            raise ValueError(  # noqa: TRY004  # As in Ray.
                f"The bundle {place} must map names to amounts; got: {bundle}"
            )
        if not isinstance(amount, int | float) or not amount >= 0:
            raise ValueError(f"The bundle {place} asks for no amount of {name}: {amount!r}")
    if not any(bundle.values()):
        raise ValueError(f"The bundle {place} asks for nothing: {bundle}")
    return {name: float(amount) for name, amount in bundle.items()}


def _refuse_what_never_fits(bundles: list[dict[str, float]], strategy: str) -> None:
    from penstock.core.placing import refuse
    from penstock.exceptions import UnplaceableError

    names = {name for bundle in bundles for name in bundle}
    wanted = {name: sum(bundle.get(name, 0) for bundle in bundles) for name in sorted(names)}
    refuse("The placement group", wanted)
    if strategy == "STRICT_SPREAD" and len(bundles) > 1:
        raise UnplaceableError(
            f"STRICT_SPREAD asks for {len(bundles)} machines, one for each bundle; there is 1"
        )


def _row(group: str, row: dict[str, Any]) -> dict[str, Any]:
    import penstock

    here = penstock.get_runtime_context().get_node_id()
    created = row["state"] == "CREATED"
    return {
        "placement_group_id": group,
        "name": row["name"],
        "bundles": dict(enumerate(row["bundles"])),
        "bundles_to_node_id": dict.fromkeys(range(len(row["bundles"])), here if created else ""),
        "strategy": row["strategy"],
        "state": row["state"],
    }
