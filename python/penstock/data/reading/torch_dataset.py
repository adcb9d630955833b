"""`from_torch`: torch data sets, read in worker processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._core import machine_processors
from penstock.data.optional import require
from penstock.data.reading.custom import read_datasource

if TYPE_CHECKING:
    from penstock.data.dataset import Dataset

_TASKS_PER_PROCESSOR = 4


def from_torch(dataset: Any, local_read: bool = False) -> Dataset:  # noqa: ARG001, FBT001, FBT002 - Ray's
    """Read a torch data set into the column "item".

    A map-style data set is read by several workers, a range of its indices each; an iterable one
    by a single worker. Tensors become arrays; a tuple or list of unlike values becomes a dict
    with the keys "0", "1", …. The data set is pickled for the workers.

    Args:
        dataset: a `torch.utils.data.Dataset` or `IterableDataset`.
        local_read: of no effect: all workers are on this machine.

    Raises:
        TypeError: no data set, or it cannot be sent to another process.

    """
    require("torch", extra="torch", needed_by="from_torch")
    import torch.utils.data as torch_data

    from penstock.data.python_sources.torch import TorchDatasource

    if not isinstance(dataset, torch_data.Dataset):
        raise TypeError(f"from_torch needs a torch.utils.data.Dataset; got: {dataset!r}")
    source = TorchDatasource(dataset, is_iterable=isinstance(dataset, torch_data.IterableDataset))
    return read_datasource(source, override_num_blocks=_TASKS_PER_PROCESSOR * machine_processors())
