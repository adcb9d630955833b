"""Classifies pictures: with a model held by each worker, and with one loaded for every batch.

    python examples/classify_images.py --pictures 100
    python examples/classify_images.py --images FOLDER --model microsoft/resnet-50

Both give the same answers, as a list of records a batch. What the second way costs is printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import penstock as ray

if TYPE_CHECKING:
    import numpy as np

    from penstock.data import Dataset

    Batch = dict[str, np.ndarray[Any, Any]]
    Records = list[dict[str, Any]]


class ImageClassifier:
    """Names what each picture of the column `image` shows; the model is loaded once a worker."""

    def __init__(self, model: str) -> None:
        """Load `model`, a folder or a name of the hub, onto the GPU where there is one."""
        import torch
        from transformers import pipeline

        device = 0 if torch.cuda.is_available() else -1
        self._classify = pipeline("image-classification", model=model, device=device)

    def __call__(self, batch: Batch) -> Records:
        """Return a record for each picture; they may differ in size."""
        from PIL import Image

        answers = self._classify([Image.fromarray(image) for image in batch["image"]])
        return [{"prediction": best["label"], "confidence": best["score"]} for best, *_ in answers]


def classify_with_a_new_model(batch: Batch, *, model: str) -> Records:
    """Do the same with a model that is loaded for this batch alone. Do not do this."""
    print("loads the model")
    return ImageClassifier(model)(batch)


def classified(images: Dataset, model: str, *, workers: int = 2, num_gpus: float = 0) -> Dataset:
    """Return the names of what the pictures show, in their order."""
    return images.map_batches(
        ImageClassifier,
        fn_constructor_args=[model],
        batch_size=16,
        concurrency=workers,
        num_gpus=num_gpus,
    )


def classified_slowly(images: Dataset, model: str, *, workers: int = 2) -> Dataset:
    """Return the same, with small batches and a model for each of them."""
    function = partial(classify_with_a_new_model, model=model)
    return images.map_batches(function, batch_size=4, concurrency=workers)


def save_pictures(folder: Path, count: int) -> None:
    """Write `count` JPEGs of differing sizes: parts of the two pictures of scikit-learn."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    pictures = [Image.fromarray(picture) for picture in load_sample_images().images]
    for number in range(count):
        left, top = 7 * number % 200, 5 * number % 150
        part = (left, top, left + 160 + number % 9 * 20, top + 120 + number % 7 * 20)
        pictures[number % 2].crop(part).save(folder / f"{number:05d}.jpeg")


def main(arguments: list[str]) -> None:
    """Classify the pictures both ways and compare how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, help="a folder of pictures")
    parser.add_argument("--pictures", type=int, default=100, help="take so many of them")
    parser.add_argument("--model", help="a folder, or a name of the Hugging Face hub")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gpus-per-worker", type=float, default=0)
    options = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as folder:
        images = options.images or _sample_pictures(Path(folder), options.pictures)
        model = options.model or _tiny_model(Path(folder))
        dataset = ray.data.read_images(str(images), mode="RGB").limit(options.pictures)
        start = time.perf_counter()
        slow = classified_slowly(dataset, model, workers=options.workers).take_all()
        middle = time.perf_counter()
        fast = classified(
            dataset, model, workers=options.workers, num_gpus=options.gpus_per_worker
        ).take_all()
        end = time.perf_counter()
    for record in fast[:5]:
        print(f"{record['prediction']}  {record['confidence']:.3f}")
    print(f"{len(slow)} pictures, a model for each batch: {middle - start:.1f} s")
    print(f"{len(fast)} pictures, a model for each worker: {end - middle:.1f} s")


def _sample_pictures(folder: Path, count: int) -> Path:
    images = folder / "images"
    images.mkdir()
    save_pictures(images, count)
    return images


def _tiny_model(folder: Path) -> str:
    from tiny_models import save_image_classifier

    save_image_classifier(folder / "model")
    return str(folder / "model")


if __name__ == "__main__":
    main(sys.argv[1:])
