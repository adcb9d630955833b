"""Pictures classified by models that workers keep, or load for every batch."""

from __future__ import annotations

import re

import pytest

import penstock

pytest.importorskip("transformers")
pytest.importorskip("PIL")
pytest.importorskip("sklearn")

from classify_images import ImageClassifier, main, save_pictures


def test_pictures_are_of_differing_sizes(tmp_path):
    save_pictures(tmp_path, 24)
    batch = penstock.data.read_images(str(tmp_path), mode="RGB").limit(10).take_batch(3)
    assert len(batch["image"]) == 3
    assert len({image.shape for image in batch["image"]}) == 3
    assert all(image.shape[2] == 3 for image in batch["image"])


@pytest.mark.long
def test_a_model_is_loaded_once_a_worker_or_once_a_batch_and_answers_alike_in_order(
    tmp_path, image_classifier, capfd
):
    save_pictures(tmp_path, 8)
    main(["--images", str(tmp_path), "--pictures", "8", "--model", image_classifier])
    printed = capfd.readouterr().out
    assert printed.count("loads the model") == 8 // 4
    assert re.search(r"8 pictures, a model for each batch: \d+\.\d s\n8 pictures, a model", printed)
    pictures = penstock.data.read_images(str(tmp_path), mode="RGB")
    classifier = ImageClassifier(image_classifier)
    alone = [classifier({"image": [row["image"]]}) for row in pictures.take(8)]
    expected = [record["confidence"] for (record,) in alone]
    assert len(set(expected)) > 4
    shown = re.findall(r"^(\w+)  (0\.\d+)$", printed, flags=re.MULTILINE)
    assert [confidence for _, confidence in shown] == [f"{each:.3f}" for each in expected[:5]]
