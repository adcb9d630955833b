"""The table's rows: which job does what, on which engines, with which sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Engine = Literal["ray", "daft", "loop", "penstock"]
Figure = Literal[
    "seconds",
    "seconds_inside",
    "rows_per_second",
    "microseconds_per_batch",
    "milliseconds",
    "gigabytes_per_second",
    "mebibytes",
]

ENGINES: tuple[Engine, ...] = ("ray", "daft", "loop", "penstock")
CORE_ENGINES: tuple[Engine, ...] = ("ray", "loop", "penstock")
PEERS: frozenset[Engine] = frozenset({"ray", "daft"})

TINY_GPT2 = "{prepared}/tiny_gpt2"
DOCSTRINGS = "{prepared}/docstrings.json"
DOCSTRINGS_SMALL = "{prepared}/docstrings_small.json"
WHOLE_DOCSTRINGS = ("{prepared}/docstrings_whole.json", "{prepared}/docstrings_whole.npy")
WHOLE_DOCSTRINGS_SMALL = (
    "{prepared}/docstrings_whole_small.json",
    "{prepared}/docstrings_whole_small.npy",
)
POINTS = "{prepared}/points.parquet"
POINTS_SMALL = "{prepared}/points_small.parquet"
TAXI = "{prepared}/taxi"
TAXI_SMALL = "{prepared}/taxi_small"
IMAGES = "{prepared}/images"
IMAGES_SMALL = "{prepared}/images_small"
SMALL_FILES = "{prepared}/small_files"
SMALL_FILES_SMALL = "{prepared}/small_files_small"
LINES = "{prepared}/lines.jsonl"
LINES_SMALL = "{prepared}/lines_small.jsonl"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A row of the table; the script of an engine is `jobs/<name of job>_<engine>.py`.

    `figure` names what the table shows: the process's own wall time, its rows in a second, or a
    figure that the job itself measured and reported by this name. `note` is a sentence that the
    row needs to be read rightly; it stands under the table.
    """

    name: str
    title: str
    arguments: tuple[str, ...]
    small_arguments: tuple[str, ...]
    job: str = ""
    engines: tuple[Engine, ...] = ENGINES
    figure: Figure = "seconds"
    timeout_s: float = 120.0
    note: str = ""

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
        name="many_workers",
        title="200 rows in 40 blocks through tiny GPT-2, `concurrency=20`, to the last row",
        arguments=("200", "40", "20", TINY_GPT2),
        small_arguments=("8", "4", "3", TINY_GPT2),
        timeout_s=300.0,
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
        name="taxi",
        title="20 M taxi rides in 12 Parquet files, linear model, 2 workers, Parquet",
        arguments=(TAXI,),
        small_arguments=(TAXI_SMALL,),
    ),
    Workload(
        name="jsonl",
        title="`count` of a 2 GiB JSONL file after a filter (the loop is pyarrow.json)",
        arguments=(LINES,),
        small_arguments=(LINES_SMALL,),
        engines=("loop", "penstock"),
    ),
    Workload(
        name="images",
        title="1,000 JPEGs of 500 x 375 to 224 x 224, cheap class, Parquet (the loop: 2 threads)",
        arguments=(IMAGES,),
        small_arguments=(IMAGES_SMALL,),
    ),
    Workload(
        name="small_files_first",
        job="small_files",
        title="100,000 files of 1 KB: process start to first row",
        arguments=(SMALL_FILES, "take"),
        small_arguments=(SMALL_FILES_SMALL, "take"),
        engines=("loop", "penstock"),
    ),
    Workload(
        name="small_files_count",
        job="small_files",
        title="100,000 files of 1 KB: `count`",
        arguments=(SMALL_FILES, "count"),
        small_arguments=(SMALL_FILES_SMALL, "count"),
        engines=("loop", "penstock"),
        note="a rate of listing, not of reading: a file is a row, and `count` opens none",
    ),
    Workload(
        name="cpp_face",
        title="10 M rows: Parquet, a C++ function, Parquet; no Python (the loop is Arrow C++)",
        arguments=(POINTS,),
        small_arguments=(POINTS_SMALL,),
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
        name="empty_stage",
        title="the same with one more stage, which does nothing (the loop: without it)",
        arguments=(DOCSTRINGS,),
        small_arguments=(DOCSTRINGS_SMALL,),
        engines=("loop", "penstock"),
        figure="rows_per_second",
        timeout_s=600.0,
    ),
    Workload(
        name="ledger_copy",
        title="20 M taxi rides copied from Parquet to Parquet with a ledger (the loop: without)",
        arguments=(TAXI,),
        small_arguments=(TAXI_SMALL,),
        engines=("loop", "penstock"),
        figure="seconds_inside",
        note="both are Penstock's, so that the ratio is what resuming, checksums and commits cost",
    ),
    Workload(
        name="ledger_embed",
        title="MiniLM over the docstrings to Parquet with a ledger (the loop: without)",
        arguments=(DOCSTRINGS,),
        small_arguments=(DOCSTRINGS_SMALL,),
        engines=("loop", "penstock"),
        figure="seconds_inside",
        timeout_s=600.0,
        note="as for `ledger_copy`",
    ),
    Workload(
        name="docstrings_whole",
        title="2,000 whole docstrings, padded to the longest of a batch of 64, 2 workers",
        arguments=WHOLE_DOCSTRINGS,
        small_arguments=WHOLE_DOCSTRINGS_SMALL,
        engines=("loop", "penstock"),
        figure="rows_per_second",
        timeout_s=600.0,
    ),
    Workload(
        name="docstrings_grouped",
        job="docstrings_whole",
        title="the same with `group_by_length`",
        arguments=(*WHOLE_DOCSTRINGS, "grouped"),
        small_arguments=(*WHOLE_DOCSTRINGS_SMALL, "grouped"),
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
    Workload(
        name="worker_start",
        title="start of each further worker of an empty class, in a pool of 20",
        arguments=("20",),
        small_arguments=("3",),
        engines=("penstock",),
        figure="milliseconds",
    ),
    Workload(
        name="round_trip",
        title="round trip of a batch of 1 KiB, one on its way at once, median",
        arguments=("20000",),
        small_arguments=("200",),
        engines=("loop", "penstock"),
        figure="microseconds_per_batch",
    ),
    Workload(
        name="large_batches",
        title="batches of 64 MiB to a worker and back (the loop: two copies)",
        arguments=("64", "64"),
        small_arguments=("4", "1"),
        engines=("loop", "penstock"),
        figure="gigabytes_per_second",
    ),
    Workload(
        name="replaced_worker",
        title="a dead worker replaced and at work again",
        arguments=("1000",),
        small_arguments=("20",),
        engines=("penstock",),
        figure="milliseconds",
    ),
    Workload(
        name="empty_tasks",
        title="10,000 empty tasks submitted and got (the loop: `ProcessPoolExecutor`)",
        arguments=("10000",),
        small_arguments=("200",),
        engines=CORE_ENGINES,
        figure="seconds_inside",
    ),
    Workload(
        name="actor_calls",
        title="10,000 calls of 2 actors submitted and got (the loop: a pool's `map` in chunks)",
        arguments=("10000",),
        small_arguments=("200",),
        engines=CORE_ENGINES,
        figure="seconds_inside",
    ),
    Workload(
        name="put_get",
        title="an array of 100 MiB put and got, 20 times (the loop: sent to another process)",
        arguments=("100", "20"),
        small_arguments=("4", "2"),
        engines=CORE_ENGINES,
        figure="seconds_inside",
    ),
    Workload(
        name="first_task",
        title="`init` to the first result of a task (the loop: of a process pool)",
        arguments=("7",),
        small_arguments=("7",),
        engines=CORE_ENGINES,
        figure="seconds_inside",
    ),
    Workload(
        name="idle_runtime",
        title="memory of a runtime that has run a task and is idle (the loop: a process pool)",
        arguments=("7",),
        small_arguments=("7",),
        engines=CORE_ENGINES,
        figure="mebibytes",
        note="all processes together, pages that several share counted once, without what the "
        "program itself held before `init`",
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
