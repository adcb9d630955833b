"""Parquet files scored by tasks and by a pool of actors that write their results themselves."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

import penstock

pytest.importorskip("pandas")

import predict_with_actors
import predict_with_tasks
from trip_shards import MONTHS, load_model, predict_shard, save_trips


@pytest.fixture(autouse=True)
def session():
    yield penstock.init
    penstock.shutdown()


@pytest.fixture
def shards(tmp_path):
    return save_trips(tmp_path / "trips", rows=50)


@pytest.fixture
def output(tmp_path):
    (tmp_path / "scores").mkdir()
    return tmp_path / "scores"


def check_scores(shards, output, tmp_path):
    """Every file has its scores, and nothing else is there."""
    assert sorted(path.name for path in output.iterdir()) == [shard.name for shard in shards]
    (tmp_path / "expected").mkdir()
    for shard in shards:
        predict_shard(load_model(), shard, tmp_path / "expected")
        expected = pq.read_table(tmp_path / "expected" / shard.name)
        assert pq.read_table(output / shard.name).equals(expected)


def test_tasks_share_the_model_and_write_a_result_for_each_file(shards, output, tmp_path):
    counts = predict_with_tasks.predict_all(shards, output)
    assert counts == [50 + month for month in range(MONTHS)]
    check_scores(shards, output, tmp_path)


def test_a_pool_of_actors_writes_a_result_for_each_file_in_order(shards, output, tmp_path):
    counts = list(predict_with_actors.predict_all(shards, output, actors=4))
    assert counts == [50 + month for month in range(MONTHS)]
    check_scores(shards, output, tmp_path)


def test_tasks_that_need_most_of_the_memory_run_one_after_another(
    session, shards, output, tmp_path, monkeypatch
):
    def model(trips):
        (tmp_path / "running").touch(exist_ok=False)  # Fails while another one runs.
        scores = load_model()(trips)
        (tmp_path / "running").unlink()
        return scores

    session(num_cpus=4)
    memory = 0.6 * penstock.cluster_resources()["memory"]
    monkeypatch.setattr(predict_with_tasks, "load_model", lambda: model)
    counts = predict_with_tasks.predict_all(shards, output, memory=memory)
    assert counts == [50 + month for month in range(MONTHS)]


def test_tasks_that_need_a_gpu_where_there_is_none_are_refused_at_once(session, shards, output):
    session(num_gpus=0)
    with pytest.raises(ValueError, match="GPU"):
        predict_with_tasks.predict_all(shards, output, num_gpus=1)


@pytest.mark.parametrize(
    ("program", "arguments"), [(predict_with_tasks, []), (predict_with_actors, ["--actors", "2"])]
)
def test_the_programs_say_how_many_scores_each_file_has(program, arguments, tmp_path, capsys):
    program.main(["--output", str(tmp_path), *arguments])
    printed = capsys.readouterr().out.splitlines()
    assert printed == [f"{1000 + month} scores" for month in range(MONTHS)]
