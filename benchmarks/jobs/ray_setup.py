"""Ray started the same way for every job."""

from __future__ import annotations

import ray


def start_ray() -> None:
    """Start Ray with 8 logical CPUs and without its bars and dashboard.

    With the 2 CPUs of a small machine, jobs of two actors and a repartition never end.
    """
    ray.init(num_cpus=8, include_dashboard=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
