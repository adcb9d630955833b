"""What the jobs read: made once, before anything is measured."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SMALL_ROWS = "128"


def prepare(
    folder: Path, jobs: Path, *, arguments: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Make those of the files in `folder` that `arguments` name and that are not there yet."""
    makers = {
        "tiny_gpt2": ["tiny_gpt2.py"],
        "docstrings.json": ["save_docstrings.py"],
        "docstrings_small.json": ["save_docstrings.py", _SMALL_ROWS],
        "docstrings_whole.json": ["save_whole_docstrings.py", "2000"],
        "docstrings_whole.npy": ["save_embeddings.py", str(folder / "docstrings_whole.json")],
        "docstrings_whole_small.json": ["save_whole_docstrings.py", "32"],
        "docstrings_whole_small.npy": [
            "save_embeddings.py",
            str(folder / "docstrings_whole_small.json"),
        ],
        "points.parquet": ["save_points.py", "10000000"],
        "points_small.parquet": ["save_points.py", _SMALL_ROWS],
        "taxi": ["save_taxi.py", "20000000", "12"],
        "taxi_small": ["save_taxi.py", "1200", "12"],
        "images": ["save_images.py", "1000"],
        "images_small": ["save_images.py", "40"],
        "small_files": ["save_small_files.py", "100000", "1024"],
        "small_files_small": ["save_small_files.py", "200", "1024"],
        "lines.jsonl": ["save_json_lines.py", "2048"],
        "lines_small.jsonl": ["save_json_lines.py", "1"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (script, *rest) in makers.items():
        wanted = any(argument.endswith(f"/{name}") for argument in arguments)
        if not wanted or (folder / name).exists():
            continue
        unfinished = folder / f"unfinished_{name}"
        command = [sys.executable, str(jobs / script), str(unfinished), *rest]
        subprocess.run(command, check=True, env=dict(environment), stderr=subprocess.DEVNULL)
        unfinished.rename(folder / name)
