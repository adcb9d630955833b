"""Lets the tests import the example programs and the benchmark harness, which are no packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[3]

for folder in ("examples", "benchmarks"):
    sys.path.insert(0, str(_REPOSITORY / folder))


@pytest.fixture(scope="session")
def text_generator(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a tiny GPT-2; return its folder."""
    pytest.importorskip("transformers")
    from tiny_models import save_text_generator

    folder = tmp_path_factory.mktemp("text_generator")
    save_text_generator(folder)
    return str(folder)


@pytest.fixture(scope="session")
def image_classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a tiny ResNet; return its folder."""
    pytest.importorskip("transformers")
    from tiny_models import save_image_classifier

    folder = tmp_path_factory.mktemp("image_classifier")
    save_image_classifier(folder)
    return str(folder)
