"""The code of the documents that this project started from, as it stands, with Penstock for Ray.

The documents are no part of the repository: they are read where `PENSTOCK_SEED_DOCUMENTS` says, or
in `../shared/seeds`, and skipped where there are none. A document's cells run in their order in one
program. What no test can have (data in a bucket, a model of a hub, a GPU) is put in by its name.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from document_cells import cells_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REPOSITORY = Path(__file__).resolve().parents[3]
_PATIENCE_S = 300
_MACHINE = "import ray\nray.init(num_cpus=16, num_gpus=2)\n"  # One that the documents speak of.
_BUCKET = "s3://anonymous@air-example-data/"
_NUMBER = r"\[?\d\.\d+(e-\d+)?\]?"


class Document(NamedTuple):
    """A document, and what its cells take from elsewhere."""

    number: str
    cells: int
    put_in: dict[str, str]  # What stands in a cell, and what a test has in its place.
    before: str  # What the cells find there already.
    shown: dict[int, Callable[[str], bool]]  # What a cell prints; of the others nothing is asked.


def _prints(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.search(pattern, text, re.MULTILINE) is not None


def _continues(prompt: str, rows: int = 1) -> Callable[[str], bool]:
    """Tell whether so many rows are printed, each with this prompt and what a model made of it."""

    def does(text: str) -> bool:
        printed = [ast.literal_eval(line) for line in text.splitlines() if line.startswith("{")]
        return len(printed) == rows and all(
            row["data"] == prompt and row["output"].startswith(prompt) for row in printed
        )

    return does


_NOTEBOOK = Document(
    "000",
    5,
    {'model="gpt2"': 'model="generator"', "device=0": "device=-1"},
    _MACHINE,
    {
        0: _continues("Complete this"),
        1: _continues("Today's weather", rows=20),
        2: _continues("Large language models"),
        3: _prints(r"^\{'data': array\(\[1\., 1\., (.|\n)*\]\)\}$"),
        4: _continues("Complete this"),
    },
)
_GUIDE = Document(
    "001",
    11,
    {
        'model="gpt2"': 'model="generator"',
        'device="cuda:0"': 'device="cpu"',
        'device="cuda"': 'device="cpu"',
        ".cuda()": ".cpu()",
        "GPU:0": "CPU:0",
        _BUCKET: "bucket/",
    },
    _MACHINE,
    {
        0: _continues("Complete this"),
        **dict.fromkeys(
            (1, 2, 4, 5), _prints(rf"^\{{'output': array\({_NUMBER}, dtype=float32\)\}}$")
        ),
        3: _continues("Complete this"),
        7: _continues("Complete this"),
        10: _prints(rf"^\{{'predictions': {_NUMBER}\}}$"),
    },
)
_OPTIMIZED = Document(
    "002",
    8,
    {
        "s3://ray-benchmark-data/imagenette2/train/": "pictures/",
        "microsoft/resnet-50": "classifier",
        # The library takes NumPy arrays no longer.
        "classifier(image)": "classifier(__import__('PIL.Image').Image.fromarray(image))",
    },
    _MACHINE,
    {
        0: _prints(r"Available resources: \{.*'CPU': 16\.0.*\}"),
        1: _prints(r"Available resources: \{.*'GPU': 2\.0.*\}"),
        2: _prints(r"contains 3 images\nImage shape: \(\d+, \d+, 3\)"),
        3: _prints(r"approach completed"),
        4: _prints(r"approach completed"),
        7: _prints(r"shutdown complete"),
    },
)
_CHUNKS = Document(
    "003",
    3,
    {
        "meta-llama/Meta-Llama-3.1-7B-Instruct": "generator",
        "'/data/": "'data/",
        "'/output'": "'output'",
    },
    "import json, os\n"
    "from typing import List\n"
    "from tqdm import tqdm\n"
    "SAMPLING_PARAMS = None\n"
    "chunk_paths, num_workers = [f'part_{number}.jsonl' for number in range(32)], 16\n",
    {0: _prints(r"Processing data/part_0\.jsonl")},
)
_TAXIS = Document(
    "004",
    7,
    {_BUCKET: "bucket/"},
    _MACHINE,
    {
        place: _prints("".join(rf"Prediction output size: {100 + month}\n" for month in range(12)))
        for place in (2, 4)
    },
)


@pytest.fixture
def place(tmp_path, text_generator, image_classifier):
    """Make a folder with all that the documents' programs find by name; return it."""
    from classify_images import save_pictures
    from score_tables import save_measurements

    (tmp_path / "generator").symlink_to(text_generator)
    (tmp_path / "classifier").symlink_to(image_classifier)
    for name in ("pictures", "data", "workers", "bucket"):
        (tmp_path / name).mkdir()
    save_pictures(tmp_path / "pictures", 120)
    save_measurements(tmp_path / "bucket" / "breast_cancer.csv")
    _save_conversations(tmp_path / "data" / "part_0.jsonl")
    (tmp_path / "vllm.py").write_text(_MODEL_SERVER)
    return tmp_path


# Answers as the class of this name does, by a model that a test can have.
_MODEL_SERVER = """
from types import SimpleNamespace
from transformers import pipeline

class LLM:
    def __init__(self, model, tensor_parallel_size):
        self._answer = pipeline("text-generation", model=model)

    def generate(self, prompts, sampling_params, use_tqdm):
        answers = self._answer(prompts, max_new_tokens=5, return_full_text=False)
        texts = [" ".join(answer["generated_text"].split()) for (answer,) in answers]
        return [SimpleNamespace(outputs=[SimpleNamespace(text=text)]) for text in texts]
"""


@pytest.mark.long
def test_a_notebook_s_cells_run(place):
    _run(_NOTEBOOK, place)


@pytest.mark.long
def test_a_guide_s_cells_run(place):
    _run(_GUIDE, place, kept=lambda cell: "tensorflow" not in cell)


@pytest.mark.tensorflow
def test_a_guide_s_cells_of_tensorflow_run(tmp_path):
    _run(_GUIDE, tmp_path, kept=lambda cell: "tensorflow" in cell)


@pytest.mark.long
def test_the_cells_that_compare_two_ways_run(place):
    _run(_OPTIMIZED, place)


@pytest.mark.long
def test_the_cells_that_cut_work_into_chunks_run(place):
    _run(_CHUNKS, place)
    assert len((place / "output" / "part_0.jsonl").read_text().splitlines()) == 11
    listed = [(place / "workers" / f"{worker}.txt").read_text() for worker in range(16)]
    assert listed[0] == "part_0.jsonl\npart_1.jsonl"
    assert listed[15] == "part_30.jsonl\npart_31.jsonl"


@pytest.mark.long
def test_the_cells_that_score_shards_run(place):
    names = re.findall(
        rf"{_BUCKET}([\w/.-]+)\"\s+f\"([\w/]+_)", _file_of(_TAXIS).read_text(encoding="utf-8")
    )
    for folder, prefix in set(names):
        (place / "bucket" / folder).mkdir(parents=True)
        for month in range(12):
            table = pa.table({"passenger_count": np.arange(100 + month) % 6})
            pq.write_table(table, place / "bucket" / f"{folder}{prefix}{month:06d}.parquet")
    _run(_TAXIS, place)


def _save_conversations(file: Path) -> None:
    content = "Please tell me more. " * 9
    said = [{"conversation": [{"role": "user", "content": content}]} for _ in range(30)]
    file.write_text("\n".join(json.dumps(line) for line in said))


def _run(document: Document, folder: Path, *, kept: Callable[[str], bool] = lambda _: True) -> None:
    """Run the cells that are kept, and look at what each has printed."""
    cells = cells_of(_file_of(document))
    assert len(cells) == document.cells
    unused = [there for there in document.put_in if not any(there in cell for cell in cells)]
    assert not unused
    run = {place: cell for place, cell in enumerate(cells) if kept(cell)}
    program = [document.before]
    for place, cell in run.items():
        program += [f"print('<cell {place}>', flush=True)", _with(cell, document.put_in)]
    (folder / "script.py").write_text("\n\n".join(program))
    printed = re.split(r"^<cell \d+>\n", _printed_by(folder), flags=re.MULTILINE)[1:]
    for place, text in zip(run, printed, strict=True):
        assert place not in document.shown or document.shown[place](text), (place, text)


def _with(cell: str, put_in: Mapping[str, str]) -> str:
    for there, ours in put_in.items():
        cell = cell.replace(there, ours)
    return cell


def _printed_by(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "penstock.as_ray", "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY / "python"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _file_of(document: Document) -> Path:
    given = os.environ.get("PENSTOCK_SEED_DOCUMENTS")
    folder = Path(given) if given else _REPOSITORY.parent / "shared" / "seeds"
    if not folder.is_dir():
        pytest.skip(f"the documents are not here; PENSTOCK_SEED_DOCUMENTS names them: {folder}")
    (file,) = folder.glob(f"{document.number}_*")
    return file
