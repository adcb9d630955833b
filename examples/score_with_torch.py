"""Scores rows with a PyTorch network, on processors or on GPUs.

python examples/score_with_torch.py --rows 1000
python examples/score_with_torch.py --rows 1000 --gpus-per-worker 1 --workers 1
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

import penstock as ray

if TYPE_CHECKING:
    from penstock.data import Dataset

    Batch = dict[str, np.ndarray[Any, Any]]

_FEATURES = 100


class TorchScorer:
    """Answers with the column `output`: one number between 0 and 1 a row, on `device`."""

    def __init__(self, device: str) -> None:
        """Make a small network; a real one would be loaded from a file here."""
        import torch
        from torch import nn

        torch.manual_seed(0)  # So that all workers hold the same weights.
        self._device = device
        self._network = nn.Sequential(nn.Linear(_FEATURES, 1), nn.Sigmoid()).to(device).eval()

    def __call__(self, batch: Batch) -> Batch:
        """Score the column `data`; what is on the GPU comes back to the processor."""
        import torch

        rows = torch.as_tensor(batch["data"], dtype=torch.float32, device=self._device)
        with torch.inference_mode():
            return {"output": self._network(rows).cpu().numpy()}


def scored(rows: Dataset, *, workers: int, num_gpus: float = 0) -> Dataset:
    """Return the scores of the rows, in their order; each worker holds the network once."""
    return rows.map_batches(
        TorchScorer,
        fn_constructor_args=["cuda" if num_gpus else "cpu"],
        num_gpus=num_gpus,
        batch_size=256,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )


def main(arguments: list[str]) -> None:
    """Score rows of ones and show one of the scores."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gpus-per-worker", type=float, default=0)
    options = parser.parse_args(arguments)
    rows = ray.data.from_numpy(np.ones((options.rows, _FEATURES)))
    scored(rows, workers=options.workers, num_gpus=options.gpus_per_worker).show(1)


if __name__ == "__main__":
    main(sys.argv[1:])
