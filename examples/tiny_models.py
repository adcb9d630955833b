"""Tiny models of random weights, saved as the Hugging Face hub saves real ones; made in seconds.

What they answer means nothing, but they load and run as their large kin do, and no network is
touched. Wherever an example takes `--model`, the name or the folder of a real one will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docstrings import collect

if TYPE_CHECKING:
    from pathlib import Path

_END = "<|endoftext|>"
_VOCABULARY_SIZE = 600  # The 256 bytes, and what the texts have most of.
_DOCSTRINGS_READ = 500
_KINDS = ("bird", "boat", "bridge", "cat", "flower", "house", "road", "temple", "tree", "wall")


def save_text_generator(folder: Path) -> None:
    """Write a GPT-2 of two layers to `folder`, with a tokenizer trained on docstrings."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY_SIZE,
        special_tokens=[_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [docstring.text for docstring in collect(limit=_DOCSTRINGS_READ)]
    tokenizer.train_from_iterator(texts, trainer)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, bos_token=_END, eos_token=_END, pad_token=_END
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=256,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)


def save_image_classifier(folder: Path) -> None:
    """Write a ResNet of four layers to `folder`, with what prepares pictures for it."""
    import torch
    from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessorPil

    torch.manual_seed(0)
    config = ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 32],
        depths=[1, 1, 1, 1],
        id2label=dict(enumerate(_KINDS)),
        label2id={kind: number for number, kind in enumerate(_KINDS)},
    )
    ResNetForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
