"""Placement groups: resources that are to be near each other, or apart.

On one machine everything is near everything else. So a group that fits the machine is there at
once and holds nothing back: what runs in it takes its resources from the machine, as all else does.
One that can never fit is refused at once.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

VALID_PLACEMENT_GROUP_STRATEGIES = frozenset({"PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD"})

_WAIT_S = 30
_REMOVED_MAX = 1000  # Of groups that are gone, the table tells of the last so many made.
_NUMBER_BYTES = 18


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
        """Return a reference to the group that is ready when the group is: at once.

        Raises:
            ValueError: the group was removed.

        """
        import penstock

        self._check()
        return penstock.put(self)

    def wait(self, timeout_seconds: float = _WAIT_S) -> bool:
        """Return True: the group is there.

        Raises:
            ValueError: the group was removed, or the timeout is negative.

        """
        if timeout_seconds < 0:
            raise ValueError(f"timeout_seconds must not be negative; got: {timeout_seconds}")
        self._check()
        return True

    def _check(self) -> None:
        if _groups.is_removed(self.id):
            raise ValueError(f"The placement group was removed: {self.id}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlacementGroup) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"PlacementGroup({self.id}, {self.bundle_specs})"


class _Groups:
    """The groups that this process has made since the last `penstock.init`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # Guards everything below.
        self._run = ""
        self._rows: dict[PlacementGroupID, dict[str, Any]] = {}

    def add(self, group: PlacementGroup, strategy: str, name: str) -> None:
        """List a group.

        Raises:
            ValueError: the name is taken.

        """
        with self._lock:
            self._forget_earlier_runs()
            if name and self._named(name) is not None:
                raise ValueError(f"There is a placement group of this name already: {name}")
            self._rows[group.id] = {
                "placement_group_id": group.id.hex(),
                "name": name,
                "bundles": dict(enumerate(group.bundle_specs)),
                "bundles_to_node_id": dict.fromkeys(range(group.bundle_count), self._run),
                "strategy": strategy,
                "state": "CREATED",
            }

    def remove(self, group: PlacementGroupID) -> None:
        with self._lock:
            if group in self._rows:
                self._rows[group]["state"] = "REMOVED"
            gone = [name for name, row in self._rows.items() if row["state"] == "REMOVED"]
            for name in gone[:-_REMOVED_MAX]:
                del self._rows[name]

    def is_removed(self, group: PlacementGroupID) -> bool:
        with self._lock:
            return self._rows.get(group, {}).get("state") == "REMOVED"

    def find(self, name: str) -> PlacementGroup | None:
        with self._lock:
            self._forget_earlier_runs()
            group = self._named(name)
            if group is None:
                return None
            return PlacementGroup(group, list(self._rows[group]["bundles"].values()))

    def table(self) -> dict[str, dict[str, Any]]:
        with self._lock:
            self._forget_earlier_runs()
            return {group.hex(): _copy(row) for group, row in self._rows.items()}

    def _forget_earlier_runs(self) -> None:
        import penstock

        run = penstock.get_runtime_context().get_node_id()
        if self._run != run:
            self._run = run
            self._rows = {}

    def _named(self, name: str) -> PlacementGroupID | None:
        for group, row in self._rows.items():
            if row["name"] == name and row["state"] != "REMOVED":
                return group
        return None


_groups = _Groups()


def placement_group(  # noqa: PLR0917  # Ray's order.
    bundles: list[dict[str, float]],
    strategy: str | None = None,
    name: str = "",
    lifetime: str | None = None,
    _soft_target_node_id: str | None = None,
    bundle_label_selector: list[dict[str, str]] | None = None,
    topology_strategy: dict[str, str] | None = None,
) -> PlacementGroup:
    """Make a placement group.

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
        UnplaceableError: this machine has not what the bundles ask for, all together.

    """
    del _soft_target_node_id, bundle_label_selector, topology_strategy
    checked = _checked_bundles(bundles)
    strategy = strategy or "PACK"
    if strategy not in VALID_PLACEMENT_GROUP_STRATEGIES:
        known = ", ".join(sorted(VALID_PLACEMENT_GROUP_STRATEGIES))
        raise ValueError(f"Unknown placement group strategy; known: {known}; got: {strategy}")
    if lifetime not in (None, "detached"):
        raise ValueError(f"lifetime must be None or 'detached'; got: {lifetime!r}")
    _refuse_what_never_fits(checked, strategy)
    group = PlacementGroup(PlacementGroupID(secrets.token_hex(_NUMBER_BYTES)), checked)
    _groups.add(group, strategy, name)
    return group


def remove_placement_group(placement_group: PlacementGroup) -> None:
    """Remove a group. What runs in it goes on; one that is gone already is left as it is."""
    _groups.remove(placement_group.id)


def get_placement_group(placement_group_name: str) -> PlacementGroup:
    """Return the group that this process has made by this name.

    Raises:
        ValueError: there is none, or the name is empty.

    """
    if not placement_group_name:
        raise ValueError("get_placement_group needs a name that is not empty")
    group = _groups.find(placement_group_name)
    if group is None:
        raise ValueError(f"There is no placement group of this name: {placement_group_name}")
    return group


def get_current_placement_group() -> PlacementGroup | None:
    """Return None: nothing is bound to a group on one machine."""
    return None


def placement_group_table(
    placement_group: PlacementGroup | None = None,
) -> dict[str, Any]:
    """Return facts about a group, or about each that this process has made, by its name in hex."""
    table = _groups.table()
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


def _copy(row: dict[str, Any]) -> dict[str, Any]:
    bundles = {place: dict(bundle) for place, bundle in row["bundles"].items()}
    return {**row, "bundles": bundles, "bundles_to_node_id": dict(row["bundles_to_node_id"])}
