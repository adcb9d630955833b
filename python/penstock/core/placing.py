"""Refuses at once what this machine can never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock import exceptions
from penstock.core import cluster

if TYPE_CHECKING:
    from collections.abc import Mapping


def refuse_what_never_fits(what: str, options: Mapping[str, Any], num_cpus: float) -> None:
    """Compare what `what` asks for with what there is in all.

    Raises:
        UnplaceableError: a resource is not there, or not enough of it.

    """
    wanted: dict[str, float] = {
        "CPU": num_cpus if options.get("num_cpus") is None else options["num_cpus"],
        "GPU": options.get("num_gpus") or 0,
        "memory": options.get("memory") or 0,
        **(options.get("resources") or {}),
    }
    if options.get("accelerator_type"):
        wanted[f"accelerator_type:{options['accelerator_type']}"] = 0.001
    refuse(what, wanted)
    strategy = options.get("scheduling_strategy")
    group = getattr(strategy, "placement_group", None)
    if strategy is not None and group is not None and not group.is_empty:
        _refuse_in(group.bundle_specs, strategy.placement_group_bundle_index, what, wanted)


def refuse(what: str, wanted: Mapping[str, float]) -> None:
    """Do the work of `refuse_what_never_fits` for amounts by name."""
    there = cluster.cluster_resources()
    for name, amount in wanted.items():
        if amount > there.get(name, 0):
            raise exceptions.UnplaceableError(
                f"{what} asks for {_told(amount)} of the resource {name}, of which this machine "
                f"has {_told(there.get(name, 0))}; ask for less, or tell penstock.init of more"
            )


def _refuse_in(
    bundles: list[dict[str, float]], index: int, what: str, wanted: Mapping[str, float]
) -> None:
    """Compare what `what` asks for with the bundle of its placement group, or with each (-1)."""
    meant = bundles if index < 0 else bundles[index : index + 1]
    for bundle in meant:
        if all(amount <= bundle.get(name, 0) for name, amount in wanted.items()):
            return
    asked = {name: amount for name, amount in wanted.items() if amount}
    which = "any of the bundles" if index < 0 else f"the bundle {index}"
    raise exceptions.UnplaceableError(
        f"{what} asks for {asked}, which does not fit {which} of its placement group: {meant}"
    )


def _told(amount: float) -> str:
    return str(int(amount)) if amount == int(amount) else str(amount)
