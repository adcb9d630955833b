"""Tests of checkpoints: folders that travel by their path."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from penstock.train import Checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "inner").mkdir(parents=True)
    (made / "weights").write_text("1 2 3")
    (made / "inner" / "bias").write_text("4")
    return made


@pytest.fixture
def elsewhere(folder: Path) -> Checkpoint:
    """Return a checkpoint on a file system that is not this machine's, as far as it knows."""
    filesystem = pafs.SubTreeFileSystem(str(folder.parent), pafs.LocalFileSystem())
    return Checkpoint(folder.name, filesystem)


def test_a_folder_on_this_machine_is_offered_as_it_is(folder):
    with Checkpoint.from_directory(folder).as_directory() as offered:
        assert offered == str(folder)


def test_to_directory_copies_all_files_and_leaves_the_original(folder, tmp_path):
    copied = Checkpoint(folder).to_directory(tmp_path / "copy")
    assert copied == str(tmp_path / "copy")
    assert (Path(copied) / "inner" / "bias").read_text() == "4"
    assert (folder / "weights").exists()


def test_to_directory_without_a_path_makes_a_folder(folder):
    first, second = Checkpoint(folder).to_directory(), Checkpoint(folder).to_directory()
    assert first != second
    assert (Path(first) / "weights").read_text() == "1 2 3"


def test_to_directory_of_itself_changes_nothing(folder):
    assert Checkpoint(folder).to_directory(folder) == str(folder)
    assert (folder / "weights").read_text() == "1 2 3"


def test_files_on_another_file_system_are_copied_for_the_block_alone(elsewhere):
    with elsewhere.as_directory() as offered:
        assert (Path(offered) / "inner" / "bias").read_text() == "4"
    assert not Path(offered).exists()


def test_a_uri_names_path_and_file_system(folder):
    checkpoint = Checkpoint(f"file://{folder}")
    assert checkpoint.path == str(folder)
    assert isinstance(checkpoint.filesystem, pafs.LocalFileSystem)


def test_a_checkpoint_survives_pickling(folder, elsewhere):
    for checkpoint in (Checkpoint(folder), elsewhere):
        again = pickle.loads(pickle.dumps(checkpoint))
        assert again == checkpoint
        with again.as_directory() as offered:
            assert (Path(offered) / "weights").read_text() == "1 2 3"


def test_a_relative_path_does_not_depend_on_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert Checkpoint(folder.name).path == str(folder)


def test_metadata_are_kept_with_the_files(folder, elsewhere):
    for checkpoint in (Checkpoint(folder), elsewhere):
        checkpoint.set_metadata({"step": 1})
        checkpoint.update_metadata({"loss": 0.5})
        assert pickle.loads(pickle.dumps(checkpoint)).get_metadata() == {"step": 1, "loss": 0.5}
        checkpoint.set_metadata({"step": 2})
        assert checkpoint.get_metadata() == {"step": 2}


def test_no_metadata_are_an_empty_dict(folder):
    assert Checkpoint(folder).get_metadata() == {}


def test_values_come_back_from_a_checkpoint_of_a_dict():
    checkpoint = Checkpoint.from_dict({"epoch": 3, "weights": [1.0, 2.0]})
    assert pickle.loads(pickle.dumps(checkpoint)).to_dict() == {"epoch": 3, "weights": [1.0, 2.0]}


def test_a_folder_of_files_is_no_dict(folder):
    with pytest.raises(ValueError, match=r"Only a checkpoint made by Checkpoint.from_dict"):
        Checkpoint(folder).to_dict()


def test_a_folder_that_is_gone_is_named(tmp_path):
    gone = Checkpoint(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match="gone"), gone.as_directory():
        pass
    with pytest.raises(FileNotFoundError, match="gone"):
        gone.to_directory(tmp_path / "copy")


def test_the_folder_of_a_dict_goes_with_the_process(run_script):
    done = run_script(
        "from penstock.train import Checkpoint\nprint(Checkpoint.from_dict({'a': 1}).path)\n"
    )
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()


def test_workers_that_get_a_checkpoint_do_not_import_pyarrow(run_script, folder):
    done = run_script(
        "import pickle, sys\n"
        f"checkpoint = pickle.loads({pickle.dumps(Checkpoint(folder))!r})\n"
        "with checkpoint.as_directory() as folder: pass\n"
        "print('pyarrow' in sys.modules)\n"
    )
    assert done.stdout.strip() == "False", done.stderr
