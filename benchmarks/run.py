"""Runs Penstock, Ray Data, Daft and the bare loop side by side and writes the table.

Each job is a whole process, timed from start to end. The engines take turns, so that a slow
minute of the machine meets all of them. The first run of each job samples the memory of its
process tree every 50 ms and is not timed; the others are timed and not sampled.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from harness.measure import Run, run_job
from harness.peers import install_peers, python_of, versions
from harness.prepare import prepare
from harness.processes import adopt_orphans
from harness.table import Measured, Results, disagreements, markdown, notes, size, spread
from harness.workloads import ENGINES, PEERS, WORKLOADS, Engine, Workload, select

if TYPE_CHECKING:
    from collections.abc import Sequence

_BENCHMARKS = Path(__file__).resolve().parent
_REPOSITORY = _BENCHMARKS.parent
_WORK_FOLDER = _REPOSITORY / "build" / "bench"
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_PACKAGES = ["penstock", "ray", "daft", "torch", "transformers", "numpy", "pyarrow"]

_METHOD = """\
Medians of whole processes, start to end, the engines taking turns; in brackets the ratio to the
bare loop. Peak memory is that of the whole process tree, sampled every 50 ms in a run of its own:
the proportional set sizes of all processes, so that shared pages count once, plus shared memory
that is not mapped. Ray gets 8 logical CPUs, and where it has 20 workers one more for each: with 2,
jobs of two actors and a repartition never end. Rows and checksum of every run were compared with
the loop's. What differs, and why a job failed, stands under its table.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for on the command line."""

    rounds: int
    workloads: Sequence[Workload]
    engines: Sequence[Engine]
    small: bool
    peers: Path
    install: bool
    output: Path
    timeout_s: float | None
    command: str


def parse(arguments: Sequence[str]) -> Options:
    """Return the options; a wrong one ends the program with a message."""
    parser = argparse.ArgumentParser(description=__doc__, prog="benchmarks/run.py")
    names = ", ".join(workload.name for workload in WORKLOADS)
    parser.add_argument("--rounds", type=int, help="timed runs of each job (5; with --small 1)")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORK", help=f"of: {names}")
    engine_names = ", ".join(ENGINES)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, help=f"of: {engine_names}")
    parser.add_argument("--small", action="store_true", help="tiny sizes, loop and Penstock only")
    parser.add_argument("--peers", type=Path, help="environment that has Ray and Daft already")
    parser.add_argument("--timeout", type=float, metavar="S", help="of each job, in seconds")
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    given = parser.parse_args(arguments)
    try:
        workloads = select(given.only)
    except ValueError as error:
        parser.error(str(error))
    chosen = given.engines or ENGINES
    engines = [e for e in ENGINES if e in chosen and not (given.small and e in PEERS)]
    partial = given.small or given.only or given.engines
    rounds = given.rounds if given.rounds is not None else (1 if given.small else 5)
    if rounds < 1:
        parser.error(f"--rounds must be at least 1; got: {rounds}")
    return Options(
        rounds=rounds,
        workloads=workloads,
        engines=engines,
        small=given.small,
        peers=(given.peers or _WORK_FOLDER / "peers").absolute(),
        install=given.peers is None,
        output=given.output or (_WORK_FOLDER if partial else _BENCHMARKS) / "RESULTS.md",
        timeout_s=given.timeout,
        command=_command(given),
    )


def run(options: Options) -> int:
    """Run everything, write the table and return the program's exit status."""
    if options.install and PEERS.intersection(options.engines):
        install_peers(options.peers)
    with tempfile.TemporaryDirectory(prefix="bench") as scratch:
        results = _measure(options, job_environment(Path(scratch)))
    wrong = [text for work in options.workloads for text in disagreements(work, results)]
    page = _page(options, results, wrong)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page)
    print(f"\n{page}")
    broken = any(measured.broken() for key, measured in results.items() if key[1] not in PEERS)
    return 1 if wrong or broken else 0


def _measure(options: Options, environment: dict[str, str]) -> Results:
    prepared = _WORK_FOLDER / "prepared"
    wanted = [argument for work in options.workloads for argument in _sizes(work, options)]
    prepare(prepared, _BENCHMARKS / "jobs", arguments=wanted, environment=environment)
    adopt_orphans()
    results: defaultdict[tuple[str, Engine], Measured] = defaultdict(Measured)
    for round_number in range(options.rounds + 1):
        for workload, engine in product(options.workloads, options.engines):
            measured = results[workload.name, engine]
            if engine not in workload.engines or measured.broken():
                continue
            result = run_job(
                _job(workload, engine, options, prepared),
                environment=environment,
                timeout_s=options.timeout_s or workload.timeout_s,
                sample_memory=round_number == 0,
            )
            _tell(round_number, workload, engine, result)
            if round_number == 0:
                measured.memory_run = result
            else:
                measured.timed_runs.append(result)
    return results


def _page(options: Options, results: Results, wrong: Sequence[str]) -> str:
    parts = [
        "# Benchmark results\n",
        f"Made with `{options.command}`.\n\n{_facts(options)}",
        "Tiny sizes, not those that the table names.\n" if options.small else "",
        markdown(options.workloads, results, options.engines),
        _without_paths(notes(options.workloads, results, options.engines), options),
        "\n".join(f"**{text}**\n" for text in wrong),
        _METHOD,
        "## Spread\n",
        spread(options.workloads, results, options.engines),
    ]
    return "\n".join(part for part in parts if part)


def _without_paths(text: str, options: Options) -> str:
    """Return what jobs said without this machine's folders."""
    return text.replace(f"{options.peers}/", "").replace(f"{_REPOSITORY}/", "")


def _sizes(workload: Workload, options: Options) -> tuple[str, ...]:
    return workload.small_arguments if options.small else workload.arguments


def _job(workload: Workload, engine: Engine, options: Options, prepared: Path) -> list[str]:
    python = str(python_of(options.peers)) if engine in PEERS else sys.executable
    arguments = [text.format(prepared=prepared) for text in _sizes(workload, options)]
    return [python, str(_BENCHMARKS / "jobs" / workload.script(engine)), *arguments]


def job_environment(scratch: Path) -> dict[str, str]:
    """Return the environment of all jobs; what they leave behind goes to `scratch`."""
    folders = [str(_BENCHMARKS / "jobs"), str(_REPOSITORY / "examples")]
    already = os.environ.get("PYTHONPATH")
    # Modules are compiled in the first run alone, as those of an installed package are.
    inherited = {name: os.environ[name] for name in os.environ.keys() - {_NO_BYTECODE}}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join([*folders, already] if already else folders),
        "HF_HUB_OFFLINE": "1",
        "RAY_TMPDIR": str(scratch),
        "RAY_USAGE_STATS_ENABLED": "0",
        "DAFT_ANALYTICS_ENABLED": "0",
        "DAFT_PROGRESS_BAR": "0",
    }


def _facts(options: Options) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = versions(Path(sys.executable), _PACKAGES)
    if PEERS.intersection(options.engines):
        found = {**versions(python_of(options.peers), ["ray", "daft"]), **found}
    packages = ", ".join(f"{name} {found[name]}" for name in _PACKAGES if name in found)
    return (
        f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB of memory, "
        f"{platform.system()} {platform.machine()}; Python {platform.python_version()}, "
        f"{packages}; {options.rounds} timed run(s) of each job.\n"
    )


def _command(given: argparse.Namespace) -> str:
    parts = ["python benchmarks/run.py"]
    parts += [f"--rounds {given.rounds}"] if given.rounds is not None else []
    parts += [f"--only {' '.join(given.only)}"] if given.only else []
    parts += [f"--engines {' '.join(given.engines)}"] if given.engines else []
    parts += ["--small"] if given.small else []
    return " ".join(parts)


def _tell(round_number: int, workload: Workload, engine: Engine, result: Run) -> None:
    what = "memory" if round_number == 0 else f"round {round_number}"
    memory = "" if result.memory_bytes is None else f", {size(result.memory_bytes)}"
    print(
        f"{what}: {workload.name} {engine}: {result.outcome}, {result.seconds:.2f} s{memory}"
        f"{': ' if result.message else ''}{result.message}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(run(parse(sys.argv[1:])))
