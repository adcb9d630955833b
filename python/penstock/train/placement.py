"""How many workers fit the machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from penstock.exceptions import UnplaceableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.train.config import ScalingConfig

_TOLERANCE = 1e-9


def workers_that_fit(scaling: ScalingConfig, there: Mapping[str, float]) -> int:
    """Return how many workers the training gets, of those that it may have.

    Raises:
        UnplaceableError: fewer fit the machine than it needs, even with nothing else on it.

    """
    fitting = scaling.max_workers
    for kind, each in scaling.worker_resources.items():
        held = there.get(kind, 0.0)
        fits = math.floor(held / each + _TOLERANCE)
        if fits < scaling.min_workers:
            raise UnplaceableError(
                f"The training can never start: num_workers={scaling.min_workers} with {each:g} "
                f"{kind} each is {scaling.min_workers * each:g} {kind}, and there is {held:g}. "
                "Lower num_workers, or what each takes (resources_per_worker)."
            )
        fitting = min(fitting, fits)
    return fitting
