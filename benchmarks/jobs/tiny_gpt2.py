"""A text-generation pipeline with a tiny GPT-2 of random weights, made on the spot."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

BATCH_ROWS = 2
_NEW_TOKENS = 4


def prompts(count: int) -> list[str]:
    """Return `count` different prompts of a few words."""
    return [f"complete this sentence number {number}" for number in range(count)]


def checksum(text: str) -> int:
    """Return a number that stands for the generated text."""
    return zlib.crc32(text.encode())


class Generator:
    """Continues each prompt of a batch; greedy, so that every engine gets the same words."""

    def __init__(self, folder: str) -> None:
        """Load tokenizer and model from `folder`, as `save_tiny_gpt2` left them."""
        os.environ["HF_HUB_OFFLINE"] = "1"
        from transformers import pipeline

        self._pipeline = pipeline("text-generation", model=folder)

    def generate(self, texts: list[str]) -> list[str]:
        """Return each prompt with its continuation."""
        outputs = self._pipeline(texts, max_new_tokens=_NEW_TOKENS, do_sample=False)
        return [output[0]["generated_text"] for output in outputs]

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the continued texts of the column `data`."""
        return {"text": self.generate(batch["data"].tolist())}


def save_tiny_gpt2(folder: Path) -> None:
    """Write a tokenizer of bytes and a two-layer model of random weights to `folder`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    end = "<|endoftext|>"
    vocabulary = {token: number for number, token in enumerate([end, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, bos_token=end, eos_token=end, pad_token=end
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(vocabulary),
        n_positions=128,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)


if __name__ == "__main__":
    import sys

    save_tiny_gpt2(Path(sys.argv[1]))
