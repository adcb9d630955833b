"""Rows scored by a PyTorch network that each worker holds."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from score_with_torch import TorchScorer, main, scored

torch = pytest.importorskip("torch")

ROWS = np.random.default_rng(0).normal(size=(1000, 100))


def check_scores(dataset):
    scores = np.concatenate([batch["output"] for batch in dataset.iter_batches()])
    expected = TorchScorer("cpu")({"data": ROWS})["output"]
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_two_workers_score_all_rows_in_order():
    check_scores(scored(penstock.data.from_numpy(ROWS), workers=2))


def test_the_program_shows_a_score(capsys):
    main([])
    assert capsys.readouterr().out.startswith("{'output': array([0.")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_a_gpu_scores_all_rows_in_order():
    check_scores(scored(penstock.data.from_numpy(ROWS), workers=1, num_gpus=1))
