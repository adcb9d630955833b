"""Tests of what a training loop may ask and tell."""

from __future__ import annotations

import threading

import pytest

from penstock import train
from penstock.train import session as sessions
from penstock.train.context import TrainContext
from penstock.train.session import Assignment, Session
from penstock.train.storage import Storage


@pytest.fixture
def session(tmp_path, monkeypatch) -> Session:
    storage = Storage(str(tmp_path / "run"))
    storage.create()
    context = TrainContext(1, 2, "run", storage, {"CPU": 1.0}, {"author": "me"})
    made = Session(Assignment(context, {}, None, 5))
    monkeypatch.setattr(sessions, "_current", made)
    return made


def reporting(count: int, **options: object) -> threading.Thread:
    def report() -> None:
        for number in range(count):
            train.report({"step": number}, **options)

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    return thread


def test_a_report_waits_until_the_driver_has_it(session):
    thread = reporting(2)
    reports, ended = session.take(0, 10)
    assert [report.metrics for report in reports] == [{"step": 0}]
    assert not ended
    assert thread.is_alive()
    reports, _ = session.take(1, 10)
    assert [report.metrics for report in reports] == [{"step": 1}]
    session.take(2, 0)
    thread.join(10)
    assert not thread.is_alive()


def test_a_report_whose_answer_was_lost_is_told_again(session):
    reporting(1)
    first, _ = session.take(0, 10)
    again, _ = session.take(0, 10)
    assert first == again


def test_nothing_new_is_an_empty_answer_after_a_while(session):
    assert session.take(0, 0) == ([], False)


def test_the_end_of_the_loop_is_told_at_once(session):
    told = []
    thread = threading.Thread(target=lambda: told.append(session.take(0, 3600)), daemon=True)
    thread.start()
    session.end()
    thread.join(10)
    assert told == [([], True)]


def test_a_checkpoint_is_copied_before_it_is_told(session, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_text("1")
    checkpoint = train.Checkpoint(folder)
    checkpoint.set_metadata({"layers": 2})
    reporting(1, checkpoint=checkpoint)
    reports, _ = session.take(0, 10)
    assert reports[0].folder == "checkpoint_000005"
    kept = session.context.storage.checkpoint("checkpoint_000005")
    assert kept.get_metadata() == {"author": "me", "layers": 2}
    assert train.get_checkpoint() == kept


def test_a_report_that_fails_does_not_count(session, tmp_path):
    with pytest.raises(FileNotFoundError):
        train.report({}, checkpoint=train.Checkpoint(tmp_path / "gone"))
    (tmp_path / "model").mkdir()
    reporting(1, checkpoint=train.Checkpoint(tmp_path / "model"))
    reports, _ = session.take(0, 10)
    assert [report.folder for report in reports] == ["checkpoint_000005"]


def test_a_checkpoint_may_be_given_a_name(session, tmp_path):
    (tmp_path / "model").mkdir()
    reporting(1, checkpoint=train.Checkpoint(tmp_path / "model"), checkpoint_dir_name="best")
    reports, _ = session.take(0, 10)
    assert reports[0].folder == "best"


def test_the_context_says_which_worker_this_is(session):
    context = train.get_context()
    assert (context.get_world_rank(), context.get_world_size()) == (1, 2)
    assert (context.get_local_rank(), context.get_node_rank()) == (1, 0)
    assert context.get_local_world_size() == 2
    assert context.get_experiment_name() == context.get_trial_name() == "run"
    assert context.get_trial_dir() == session.context.storage.path
    assert context.get_trial_resources() == {"CPU": 1.0}
    assert context.get_metadata() == {"author": "me"}


@pytest.mark.parametrize(
    "call",
    [
        lambda: train.report({}),
        train.get_checkpoint,
        train.get_context,
        lambda: train.get_dataset_shard("train"),
    ],
)
def test_outside_of_a_training_loop_they_are_refused(call, monkeypatch):
    monkeypatch.setattr(sessions, "_current", None)
    with pytest.raises(RuntimeError, match="is for training loops"):
        call()


def test_wrong_arguments_are_refused(session):
    with pytest.raises(TypeError, match="report needs a dict of metrics; got: 3"):
        train.report(3)
    with pytest.raises(TypeError, match=r"must be a penstock.train.Checkpoint; got: '/tmp/x'"):
        train.report({}, checkpoint="/tmp/x")
    with pytest.raises(KeyError, match="there are: none; got: 'train'"):
        train.get_dataset_shard()
