"""Where tasks and actors are to run: values of the option `scheduling_strategy`.

A placement group's has what is called drawn from its bundles. On one machine there is one place to
run, so that the others decide nothing; that they make sense is checked all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.util.placement_group import PlacementGroup

_NODE_DIGITS = 56


class PlacementGroupSchedulingStrategy:
    """Run in what the bundles of a placement group hold back."""

    def __init__(
        self,
        placement_group: PlacementGroup | None,
        placement_group_bundle_index: int = -1,
        placement_group_capture_child_tasks: bool | None = None,  # noqa: FBT001  # Ray's order.
    ) -> None:
        """Name the group, and which of its bundles; -1: any of them.

        With `placement_group_capture_child_tasks` what the task or actor starts runs in the group
        too, unless it has a strategy of its own.

        Raises:
            ValueError: the group has no such bundle.

        """
        bundles = None if placement_group is None else placement_group.bundle_count
        if bundles is not None and not -1 <= placement_group_bundle_index < bundles:
            raise ValueError(
                f"placement_group_bundle_index must be from -1 to {bundles - 1}, as the group has "
                f"{bundles} bundles; got: {placement_group_bundle_index}"
            )
        self.placement_group = placement_group
        self.placement_group_bundle_index = placement_group_bundle_index
        self.placement_group_capture_child_tasks = placement_group_capture_child_tasks


class NodeAffinitySchedulingStrategy:
    """Run on a machine; if `soft`, elsewhere where that is not possible."""

    def __init__(
        self,
        node_id: str,
        soft: bool,  # noqa: FBT001  # Ray's order.
        _spill_on_unavailable: bool = False,  # noqa: FBT001, FBT002
        _fail_on_unavailable: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Name the machine, as `penstock.nodes()` does.

        Raises:
            ValueError: that is no machine's name; or both of the last two are set, or one of them
                without `soft`, or with it.

        """
        if not _is_node(node_id):
            raise ValueError(
                f"node_id must be a machine's NodeID, as penstock.nodes() shows; got: {node_id!r}"
            )
        if _spill_on_unavailable and not soft:
            raise ValueError("_spill_on_unavailable wants soft=True")
        if _fail_on_unavailable and soft:
            raise ValueError("_fail_on_unavailable wants soft=False")
        self.node_id = node_id
        self.soft = soft
        self._spill_on_unavailable = _spill_on_unavailable
        self._fail_on_unavailable = _fail_on_unavailable


class _Operator:
    """What a machine's label is to be."""


class _Values(_Operator):
    def __init__(self, *values: str) -> None:
        name = type(self).__name__
        if not values:
            raise ValueError(f"{name} wants at least one value")
        for place, value in enumerate(values):
            if not isinstance(value, str):
                raise ValueError(  # noqa: TRY004  # As in Ray.
                    f"{name} takes texts; the value {place} is of type {type(value).__name__}"
                )
        self.values = list(values)


class In(_Values):
    """The label has one of these values."""


class NotIn(_Values):
    """The label has none of these values."""


class Exists(_Operator):
    """There is such a label."""


class DoesNotExist(_Operator):
    """There is no such label."""


class NodeLabelSchedulingStrategy:
    """Run on a machine whose labels are like that: `{"region": In("here", "there")}`."""

    def __init__(
        self,
        hard: Mapping[str, _Operator] | None,
        *,
        soft: Mapping[str, _Operator] | None = None,
    ) -> None:
        """Say what must be (`hard`) and what should be (`soft`).

        Raises:
            ValueError: nothing is asked for, or with something else than an operator.

        """
        if not hard and not soft:
            raise ValueError(
                "NodeLabelSchedulingStrategy wants labels in hard, in soft, or in both"
            )
        self.hard = _checked("hard", hard)
        self.soft = _checked("soft", soft)


def _is_node(name: object) -> bool:
    if not isinstance(name, str) or len(name) != _NODE_DIGITS:
        return False
    return all(digit in "0123456789abcdefABCDEF" for digit in name)


def _checked(which: str, labels: Mapping[str, _Operator] | None) -> dict[str, _Operator]:
    for label, wanted in (labels or {}).items():
        if not isinstance(label, str) or not isinstance(wanted, _Operator):
            raise ValueError(  # noqa: TRY004  # As in Ray.
                f"{which} must map labels to In, NotIn, Exists or DoesNotExist; "
                f"got: {label!r}: {wanted!r}"
            )
    return dict(labels or {})
