"""Ray started the same way for every job."""

from __future__ import annotations

import ray

CPUS = 8


def start_ray(cpus: int = CPUS) -> None:
    """Start Ray with so many logical CPUs and without its bars and dashboard.

    With the 2 CPUs of a small machine, jobs of two actors and a repartition never end.
    """
    ray.init(num_cpus=cpus, include_dashboard=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
