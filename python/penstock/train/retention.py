"""Which checkpoints stay. Nothing here touches a file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.train.run_config import CheckpointConfig


class Kept(NamedTuple):
    """A checkpoint's folder, and what was reported with it."""

    folder: str
    metrics: dict[str, Any]


def dropped(kept: Sequence[Kept], config: CheckpointConfig) -> list[Kept]:
    """Return those of `kept` (oldest first) that are to go. The latest is never among them."""
    if config.num_to_keep is None or len(kept) <= config.num_to_keep:
        return []
    best = ranked(kept, config.checkpoint_score_attribute, config.checkpoint_score_order)
    staying = {one.folder for one in best[: config.num_to_keep]} | {kept[-1].folder}
    return [one for one in kept if one.folder not in staying]


def ranked(kept: Sequence[Kept], attribute: str | None, order: str) -> list[Kept]:
    """Return the best first; later ones before earlier ones that are as good.

    What has no number by this name comes last. Without an attribute the latest is best.
    """
    latest_first = list(reversed(kept))
    if attribute is None:
        return latest_first
    sign = -1.0 if order == "max" else 1.0

    def key(one: Kept) -> tuple[bool, float]:
        score = score_of(one.metrics, attribute)
        return (True, 0.0) if score is None else (False, sign * score)

    return sorted(latest_first, key=key)


def score_of(metrics: Mapping[str, Any], attribute: str) -> float | None:
    """Return the number that was reported as `attribute`, "a/b" within a dict; NaN is none."""
    found: Any = metrics
    if attribute in metrics:
        found = metrics[attribute]
    else:
        for part in attribute.split("/"):
            if not hasattr(found, "get") or part not in found:
                return None
            found = found[part]
    try:
        score = float(found)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(score) else score
