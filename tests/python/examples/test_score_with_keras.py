"""Rows scored by a Keras network that each worker holds; skipped where Keras is not installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import penstock

if importlib.util.find_spec("keras") is None:  # Not imported before its backend is chosen.
    pytest.importorskip("keras")

from score_with_keras import main, scored

ROWS = np.random.default_rng(0).normal(size=(1000, 100))


@pytest.fixture(autouse=True)
def backend(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")


def scores_of(workers):
    answers = scored(penstock.data.from_numpy(ROWS), workers=workers).iter_batches()
    return np.concatenate([batch["output"] for batch in answers])


def test_two_workers_score_all_rows_as_one_does():
    scores = scores_of(2)
    assert scores.shape == (1000, 1)
    assert ((scores > 0) & (scores < 1)).all()
    np.testing.assert_array_equal(scores, scores_of(1))


def test_the_program_shows_a_score(capsys):
    main([])
    assert capsys.readouterr().out.startswith("{'output': array([0.")
