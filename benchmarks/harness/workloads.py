"""The table's rows: which job does what, on which engines, with which sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Engine = Literal["ray", "daft", "loop", "penstock"]

ENGINES: tuple[Engine, ...] = ("ray", "daft", "loop", "penstock")
PEERS: frozenset[Engine] = frozenset({"ray", "daft"})

TINY_GPT2 = "{prepared}/tiny_gpt2"
DOCSTRINGS = "{prepared}/docstrings.json"
DOCSTRINGS_SMALL = "{prepared}/docstrings_small.json"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A row of the table; the script of an engine is `jobs/<name of job>_<engine>.py`.

    `figure` names what the table shows: the process's own wall time, its rows in a second, or
    the cost of a batch that the job itself measured.
    """

    name: str
    title: str
    arguments: tuple[str, ...]
    small_arguments: tuple[str, ...]
    job: str = ""
    engines: tuple[Engine, ...] = ENGINES
    figure: Literal["seconds", "rows_per_second", "microseconds_per_batch"] = "seconds"
    timeout_s: float = 120.0

    def script(self, engine: Engine) -> str:
        """Return the file name of the engine's script."""
        return f"{self.job or self.name}_{engine}.py"


WORKLOADS: tuple[Workload, ...] = (
    Workload(
        name="first_row",
        title="process start to first row, tiny GPT-2 pipeline class, `concurrency=2`",
        arguments=("8", TINY_GPT2),
        small_arguments=("4", TINY_GPT2),
    ),
    Workload(
        name="many_blocks",
        title="10,000 rows in 1,000 blocks through 2 class workers",
        arguments=("10000", "1000"),
        small_arguments=("200", "20"),
    ),
    Workload(
        name="integers",
        title="10 M integers, `batch_size=4096`, class, 2 workers, sum",
        arguments=("10000000",),
        small_arguments=("100000",),
    ),
    Workload(
        name="row_map",
        title="1 M rows through row `map`, sum",
        arguments=("1000000",),
        small_arguments=("10000",),
    ),
    Workload(
        name="tensors",
        title="8 GiB of 1 MiB tensors made by one stage, reduced by the next, 2 workers",
        arguments=("8192",),
        small_arguments=("64",),
    ),
    Workload(
        name="tensors_20gib",
        job="tensors",
        title="the same with 20 GiB (Penstock's budget: 512 MiB)",
        arguments=("20480",),
        small_arguments=("128",),
        engines=("loop", "penstock"),
    ),
    Workload(
        name="minilm",
        title="MiniLM over the standard library's docstrings, 2 workers",
        arguments=(DOCSTRINGS,),
        small_arguments=(DOCSTRINGS_SMALL,),
        engines=("loop", "penstock"),
        figure="rows_per_second",
        timeout_s=600.0,
    ),
    Workload(
        name="batch_cost",
        title="cost of a one-row batch through one worker that does nothing",
        arguments=("20000",),
        small_arguments=("500",),
        engines=("loop", "penstock"),
        figure="microseconds_per_batch",
    ),
)


def select(names: list[str]) -> list[Workload]:
    """Return the workloads of these names in the table's order; all for an empty list.

    Raises:
        ValueError: a name is unknown.
    """
    known = {workload.name for workload in WORKLOADS}
    for name in names:
        if name not in known:
            raise ValueError(f"Unknown workload; known: {', '.join(sorted(known))}; got: {name}")
    return [workload for workload in WORKLOADS if not names or workload.name in names]
