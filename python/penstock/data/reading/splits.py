"""In how many pieces an input is to be read."""

from __future__ import annotations

from penstock.data import arguments


def wished_splits(parallelism: int, override_num_blocks: int | None) -> int | None:
    """Return the number of pieces that the caller asked for; None: none.

    Raises:
        ValueError: below 1.

    """
    if override_num_blocks is not None:
        return arguments.at_least_one("override_num_blocks", override_num_blocks)
    if parallelism == -1:
        return None
    return arguments.at_least_one("parallelism", parallelism)
