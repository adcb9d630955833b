"""How many workers a training has, and what each of them may use: `ScalingConfig`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEMENTS = frozenset({"PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD"})


@dataclass
class ScalingConfig:
    """The size of a training.

    Fields:
        num_workers: worker processes; (least, most): as many as fit the machine.
        use_gpu: give each worker a GPU.
        resources_per_worker: "CPU" (1), "GPU", "memory" in bytes, and kinds of the program's own.
        placement_strategy: Ray's; on one machine each has the same effect.
        accelerator_type: what Ray calls a kind of GPU; has no effect on one machine.
        trainer_resources: taken for Ray's sake; nothing runs beside the workers.

    """

    num_workers: int | tuple[int, int] = 1
    use_gpu: bool = False
    resources_per_worker: Mapping[str, float] | None = None
    placement_strategy: str = "PACK"
    accelerator_type: str | None = None
    trainer_resources: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        self.num_workers = _checked_workers(self.num_workers)
        if not isinstance(self.use_gpu, bool):
            raise TypeError(f"use_gpu must be True or False; got: {self.use_gpu!r}")
        for name in ("resources_per_worker", "trainer_resources"):
            _check_resources(name, getattr(self, name))
        if self.placement_strategy not in _PLACEMENTS:
            raise ValueError(
                f"placement_strategy must be one of {', '.join(sorted(_PLACEMENTS))}; "
                f"got: {self.placement_strategy!r}"
            )
        gpus = (self.resources_per_worker or {}).get("GPU")
        if self.use_gpu and gpus == 0:
            raise ValueError(
                "use_gpu is True, but resources_per_worker has GPU: 0; leave out one of them"
            )
        if not self.use_gpu and gpus:
            raise ValueError(
                "resources_per_worker asks for GPUs, but use_gpu is False; set use_gpu=True; "
                f"got: {gpus}"
            )

    @property
    def min_workers(self) -> int:
        """The fewest workers that the training may have."""
        return self.num_workers if isinstance(self.num_workers, int) else self.num_workers[0]

    @property
    def max_workers(self) -> int:
        """The most workers that the training may have."""
        return self.num_workers if isinstance(self.num_workers, int) else self.num_workers[1]

    @property
    def worker_resources(self) -> dict[str, float]:
        """What each worker holds: one CPU, and one GPU with `use_gpu`, unless told otherwise."""
        resources = {"CPU": 1.0, **({"GPU": 1.0} if self.use_gpu else {})}
        resources.update(self.resources_per_worker or {})
        return {name: amount for name, amount in resources.items() if amount}

    @property
    def total_resources(self) -> dict[str, float]:
        """What all workers hold together."""
        return {name: each * self.max_workers for name, each in self.worker_resources.items()}

    @property
    def num_cpus_per_worker(self) -> float:
        """The CPUs of one worker."""
        return self.worker_resources.get("CPU", 0.0)

    @property
    def num_gpus_per_worker(self) -> float:
        """The GPUs of one worker."""
        return self.worker_resources.get("GPU", 0.0)


def _checked_workers(given: object) -> int | tuple[int, int]:
    pair = given if isinstance(given, tuple) else (given, given)
    if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) for n in pair):  # noqa: PLR2004
        raise ValueError(
            f"num_workers must be a whole number, or two as (least, most); got: {given!r}"
        )
    least, most = pair
    if least < 1:
        raise ValueError(f"num_workers must be at least 1; got: {given}")
    if least > most:
        raise ValueError(f"num_workers must not fall from least to most; got: {given}")
    return least if least == most else (least, most)


def _check_resources(name: str, given: Any) -> None:
    if given is None:
        return
    if not hasattr(given, "items"):
        raise TypeError(f"{name} must be a dict such as {{'CPU': 1}}; got: {given!r}")
    for kind, amount in given.items():
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            raise TypeError(f"{name}[{kind!r}] must be a number; got: {amount!r}")
        if not 0 <= amount < float("inf"):
            raise ValueError(f"{name}[{kind!r}] must not be negative; got: {amount}")
