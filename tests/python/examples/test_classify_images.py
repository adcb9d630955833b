"""Pictures classified by models that workers keep, or load for every batch."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest

import penstock

pytest.importorskip("transformers")
pytest.importorskip("PIL")
pytest.importorskip("sklearn")

from classify_images import ImageClassifier, main, save_pictures

PICTURES = 24


@pytest.fixture
def pictures(tmp_path):
    save_pictures(tmp_path, PICTURES)
    return penstock.data.read_images(str(tmp_path), mode="RGB")


def test_pictures_are_of_differing_sizes(pictures):
    batch = pictures.limit(10).take_batch(3)
    assert len(batch["image"]) == 3
    assert len({image.shape for image in batch["image"]}) == 3
    assert all(image.shape[2] == 3 for image in batch["image"])


def test_a_model_is_loaded_once_a_worker_or_once_a_batch_and_answers_alike_in_order(
    tmp_path, image_classifier, capfd
):
    save_pictures(tmp_path, 8)
    main(["--images", str(tmp_path), "--pictures", "8", "--model", image_classifier])
    printed = capfd.readouterr().out
    assert printed.count("loads the model") == 8 // 4
    assert re.search(r"8 pictures, a model for each batch: \d+\.\d s\n8 pictures, a model", printed)
    pictures = penstock.data.read_images(str(tmp_path), mode="RGB")
    batch = pictures.take_batch(8)
    expected = [row["confidence"] for row in ImageClassifier(image_classifier)(batch)]
    assert len(set(expected)) > 4
    shown = re.findall(r"^(\w+)  (0\.\d+)$", printed, flags=re.MULTILINE)
    assert [confidence for _, confidence in shown] == [f"{each:.3f}" for each in expected[:5]]


def test_taking_a_few_records_does_not_classify_all_pictures(tmp_path, pictures):
    class Marks:
        def __call__(self, batch):
            (tmp_path / f"{os.getpid()}-{np.random.default_rng().integers(1 << 60)}.mark").touch()
            return [{"prediction": "x", "confidence": 1.0} for _ in batch["image"]]

    rows = pictures.union(pictures, pictures, pictures).map_batches(
        Marks, batch_size=1, concurrency=2
    )
    assert len(rows.take(3)) == 3
    assert len(list(tmp_path.glob("*.mark"))) < 4 * PICTURES
