"""Shows how many rows a function is given at once.

python examples/batch_sizes.py --rows 10 --batch-rows 2
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


def check_rows(batch: Batch, *, rows: int) -> Batch:
    """Return the batch as it is.

    Raises:
        AssertionError: it has not `rows` rows. The job ends with this traceback.

    """
    assert len(batch["data"]) == rows, f"{len(batch['data'])} rows instead of {rows}"
    return batch


def checked(data: Dataset, *, batch_rows: int) -> Dataset:
    """Return the data, which fails where a batch has another number of rows.

    Nothing runs yet: as any data set it is worked through when its rows are asked for.
    """
    return data.map_batches(check_rows, batch_size=batch_rows, fn_kwargs={"rows": batch_rows})


def main(arguments: list[str]) -> None:
    """Check every batch and say how many rows went through."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--batch-rows", type=int, default=2)
    options = parser.parse_args(arguments)
    data = ray.data.from_numpy(np.ones((options.rows, 100)))
    rows = checked(data, batch_rows=options.batch_rows).count()
    print(f"{rows} rows in batches of {options.batch_rows}")


if __name__ == "__main__":
    main(sys.argv[1:])
