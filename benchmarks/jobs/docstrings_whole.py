"""What the docstrings_whole jobs run and check, alike for all engines."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm import MiniLM

BATCH_ROWS = 64
TOKENS_PER_TEXT_MAX = 512  # The model's limit, at which its tokenizer cuts unless told otherwise.
_COSINE_MIN = 0.9999


class PaddedMiniLM(MiniLM):
    """Embeds a batch in one step, as most code does: every text is padded to the longest."""

    def __init__(self) -> None:
        """Load the model."""
        super().__init__(tokens_per_text_max=TOKENS_PER_TEXT_MAX)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the embeddings of the column `text`."""
        return {"embedding": self._embed(self._tokens(batch["text"].tolist())).numpy()}


def rows_alike(embeddings: list[np.ndarray[Any, Any]], file: str) -> int:
    """Return how many embeddings are those of the file, in its order; all are of length one."""
    wanted = np.load(file)
    cosines = (np.concatenate(embeddings) * wanted).sum(axis=1)
    return int((cosines >= _COSINE_MIN).sum())
