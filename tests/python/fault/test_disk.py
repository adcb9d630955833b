from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import penstock

FULL = """
import os, subprocess, sys
import numpy as np
import penstock

folder = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
out = folder + "/out"
if sys.argv[2] == "there":
    os.mkdir(out)
random = lambda batch: {"x": np.random.default_rng(0).random((len(batch["id"]), 100))}
try:
    ds = penstock.data.range(10_000, override_num_blocks=10).map_batches(random)
    column = {"column": "x"} if sys.argv[3] in ("write_numpy", "write_images") else {}
    getattr(ds, sys.argv[3])(out, **column)
except OSError as error:
    print(error)
    print(os.listdir(out) if os.path.exists(out) else None)
"""


def can_mount():
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/tmp"]
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount")
@pytest.mark.parametrize(("before", "left"), [("there", "[]"), ("not there", "None")])
@pytest.mark.parametrize(
    ("verb", "ending"),
    [
        ("write_arrow", ".arrow"),
        ("write_json", ".json"),
        ("write_numpy", ".npy"),
        ("write_orc", ".orc"),
        ("write_parquet", ".parquet"),
        ("write_tfrecords", ".tfrecords"),
        ("write_webdataset", ".tar"),
    ],
)
def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_nothing(
    verb, ending, before, left, tmp_path
):
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", FULL, str(tmp_path), before, verb],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    message, listed = done.stdout.splitlines()
    assert "free some space" in message
    assert f"{tmp_path}/out/" in message
    assert message.endswith(ending)
    assert listed == left


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OSError, match="taken"):
        penstock.data.range(10).write_parquet(tmp_path / "taken")
    with pytest.raises(OSError, match="taken"):
        penstock.data.range(10).write_parquet(tmp_path / "taken" / "below")


def test_an_output_folder_that_cannot_be_made_is_refused():
    with pytest.raises(OSError, match="/proc/nothing"):
        penstock.data.range(10).write_parquet("/proc/nothing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="permissions"):
        penstock.data.range(10).write_parquet(tmp_path / "out")


def test_an_output_folder_that_goes_while_it_is_written_is_an_error(tmp_path):
    def remove(batch):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return batch

    ds = penstock.data.range(10, override_num_blocks=5).map_batches(remove, batch_size=2)
    with pytest.raises(OSError, match="out/"):
        ds.write_parquet(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bad", ["null\0here", "not utf-8 \udcff"])
def test_paths_that_no_file_can_have_are_refused(bad, tmp_path):
    with pytest.raises(ValueError, match="A path must"):
        penstock.data.range(10).write_parquet(f"{tmp_path}/{bad}")
    with pytest.raises(ValueError, match="A path must"):
        penstock.data.read_parquet(f"{tmp_path}/{bad}")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_function_leaves_no_output(tmp_path):
    def fail_late(row):
        return {"x": np.float64(1 // (9_999 - row["id"]))}

    with pytest.raises(ZeroDivisionError):
        penstock.data.range(10_000, override_num_blocks=10).map(fail_late).write_parquet(
            tmp_path / "out"
        )
    assert list(tmp_path.iterdir()) == []
