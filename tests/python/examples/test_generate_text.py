"""Prompts and how a pipeline continues them, from two rows to ten thousand."""

from __future__ import annotations

import ast
import time

import numpy as np
import pytest

import generate_text
import penstock
from penstock.exceptions import UnplaceableError

pytest.importorskip("transformers")


def prompts(*texts):
    return penstock.data.from_numpy(np.asarray(texts))


def shown(capsys):
    """Return the rows that were printed."""
    return [
        ast.literal_eval(line)
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("{")
    ]


def sees_a_gpu():
    import torch

    return torch.cuda.is_available()


def test_each_prompt_is_continued_in_its_place(text_generator, capsys):
    generate_text.main(["Complete this", "for me", "--model", text_generator])
    rows = shown(capsys)
    assert [row["data"] for row in rows] == ["Complete this", "for me"]
    assert all(row["output"].startswith(row["data"]) for row in rows)
    assert all(len(row["output"]) > len(row["data"]) for row in rows)


def test_a_pool_of_actors_of_a_size_answers_as_the_model_does(text_generator):
    pool = penstock.data.ActorPoolStrategy(size=2)
    (row,) = generate_text.continued(prompts("for me"), text_generator, compute=pool).take_all()
    batch = {"data": np.array(["for me"], dtype=object)}
    (expected,) = generate_text.TextGenerator(text_generator, "cpu")(batch)["output"]
    assert row == {"data": "for me", "output": expected}


@pytest.mark.long
def test_twenty_workers_show_the_first_of_ten_thousand_prompts_in_a_thousand_blocks(
    text_generator, capsys
):
    size = ["--repeat", "10000", "--blocks", "1000", "--workers", "20"]
    generate_text.main(["The weather", "--model", text_generator, *size])
    rows = shown(capsys)
    assert len(rows) == 20
    assert len({row["output"] for row in rows}) == 1


def test_twenty_workers_take_ten_thousand_rows_in_a_thousand_blocks_to_the_last():
    class Lengths:
        def __call__(self, batch):
            return {**batch, "length": [len(text) for text in batch["data"]]}

    rows = prompts(*[f"row {row}" for row in range(10_000)]).repartition(1000)
    answers = rows.map_batches(Lengths, concurrency=20).take_all()
    assert [row["data"] for row in answers] == [f"row {row}" for row in range(10_000)]
    assert all(row["length"] == len(row["data"]) for row in answers)


@pytest.fixture
def session():
    yield penstock.init
    penstock.shutdown()


@pytest.mark.parametrize(
    ("machine", "asked", "words"),
    [
        ({"num_gpus": 0}, {"num_gpus": 1}, "this machine has none; leave out num_gpus, it is 1"),
        ({"num_cpus": 2}, {"num_cpus": 5}, "lower num_cpus to at most 2, it is 5"),
    ],
)
def test_workers_that_the_machine_cannot_hold_are_refused_at_once(session, machine, asked, words):
    session(**machine)
    start = time.monotonic()
    with pytest.raises(UnplaceableError, match=words):
        generate_text.continued(prompts("a"), "no such model", concurrency=12, **asked).take(1)
    assert time.monotonic() - start < 5


def test_as_many_workers_run_as_the_machine_holds(session):
    session(num_cpus=16)

    class Worker:
        def __call__(self, batch):
            import os

            return {"process": [os.getpid()] * len(batch["id"])}

    rows = penstock.data.range(40).map_batches(Worker, batch_size=1, num_cpus=5, concurrency=12)
    assert len({row["process"] for row in rows.take_all()}) <= 3


@pytest.mark.gpu
def test_a_gpu_continues_prompts_in_their_places(text_generator, capsys):
    if not sees_a_gpu():
        pytest.skip("torch sees no GPU")
    on_gpu = ["--gpus-per-worker", "1", "--batch-rows", "1"]
    generate_text.main(["Complete this", "for me", "--model", text_generator, *on_gpu])
    rows = shown(capsys)
    assert [row["data"] for row in rows] == ["Complete this", "for me"]
    assert all(row["output"].startswith(row["data"]) for row in rows)
