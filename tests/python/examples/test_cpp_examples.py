"""The C++ examples, built against an installed Penstock as a user would, and run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
BUILD = REPOSITORY / "build" / "release"


def run(*command, check=True):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Return the folder of the example programs."""
    folder = tmp_path_factory.mktemp("cpp")
    run("cmake", "--install", BUILD, "--component", "cpp", "--prefix", folder / "prefix")
    run(
        *("cmake", "-G", "Ninja", "-S", REPOSITORY / "examples" / "cpp", "-B", folder / "build"),
        f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}",
        f"-DPython_EXECUTABLE={sys.executable}",
    )
    run("cmake", "--build", folder / "build")
    return folder / "build"


def test_a_cpp_model_scores_parquet_without_python_in_the_process(programs, tmp_path):
    rows = np.random.default_rng(0).normal(size=(2, 100_000))
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"x": rows[0], "y": rows[1]}), tmp_path / "in" / "a.parquet")
    pq.write_table(
        pa.table({"x": [1.0, None], "y": pa.array([None, 1.0], pa.float64())}),
        tmp_path / "in" / "b.parquet",
    )
    run(programs / "score", tmp_path / "in", tmp_path / "out")
    scored = pq.read_table(tmp_path / "out")
    assert scored.num_rows == 100_000
    wanted = 0.75 * rows[0] - 0.5 * rows[1] + 0.125
    assert np.array_equal(scored["score"].to_numpy(), wanted)
    assert "libpython" not in run("ldd", programs / "score").stdout


def test_an_error_of_a_cpp_function_ends_the_program_with_its_words(programs, tmp_path):
    pq.write_table(pa.table({"x": [1], "y": [2]}), tmp_path / "a.parquet")
    failed = run(programs / "score", tmp_path / "a.parquet", tmp_path / "out", check=False)
    assert failed.returncode == 1
    assert "MapBatches(LinearModel): x and y must be columns of float64" in failed.stderr


def test_images_become_tensors_for_a_cpp_function(programs, tmp_path):
    image = pytest.importorskip("PIL.Image")
    for brightness in (10, 200):
        picture = np.full((64, 48, 3), brightness, np.uint8)
        image.fromarray(picture).save(tmp_path / f"{brightness}.png")
    lines = run(programs / "brightness", tmp_path).stdout.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["10", "200"]


def test_paths_with_odd_characters_are_read_and_stay_on_their_line(programs, tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / 'a "quoted" \\ name'
    folder.mkdir()
    image.fromarray(np.full((32, 32), 7, np.uint8)).save(folder / "two\nlines\tand é.png")
    (line,) = run(programs / "brightness", folder).stdout.splitlines()
    path, mean = line.split("\t")
    assert path.endswith('a "quoted" \\x5c name/two\\x0alines\\x09and é.png')
    assert mean == "7"


def test_a_cpp_program_computes_a_column_splits_the_rows_and_tells_of_them(programs, tmp_path):
    rows = np.random.default_rng(0).normal(size=(2, 10_000))
    pq.write_table(pa.table({"x": rows[0], "y": rows[1]}), tmp_path / "in.parquet")
    lines = run(programs / "split", tmp_path / "in.parquet", tmp_path / "out", "5").stdout
    train, test = (pq.read_table(tmp_path / "out" / part) for part in ("train", "test"))
    assert train.num_rows + test.num_rows == 10_000
    assert 1_800 < test.num_rows < 2_200
    for line, column in zip(lines.splitlines(), ("x", "y", "product"), strict=True):
        name, mean, deviation = line.split("\t")
        values = train[column].to_numpy()
        assert name == column
        assert float(mean) == pytest.approx(values.mean())
        assert float(deviation) == pytest.approx(values.std(ddof=1))
