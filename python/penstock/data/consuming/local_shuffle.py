"""Batches of rows in a random order, drawn from a buffer of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._core import Block

# The buffer is shuffled anew once it holds this much more than the least: so each row is copied
# about three times, however small the blocks.
_REFILL_RATIO = 1.5


def shuffled(
    blocks: Iterable[Block],
    rows: int,
    *,
    buffer_rows: int,
    seed: int | None,
    drop_last: bool,
) -> Iterator[Block]:
    """Yield blocks of exactly `rows` rows, the last one smaller unless `drop_last`.

    Each row comes once. Until the input ends each batch is drawn from at least `buffer_rows` rows;
    at most about 1.5 times as many are held, one block and one batch more. The same seed and the
    same blocks give the same order.
    """
    import numpy as np

    from penstock._core import Block

    random = np.random.default_rng(seed)
    least = max(buffer_rows, rows)
    enough = int(least * _REFILL_RATIO) + rows
    source = iter(blocks)
    ended = False
    buffer: Block | None = None  # Shuffled; its rows before `taken` are gone.
    taken = 0
    while True:
        left = 0 if buffer is None else buffer.num_rows - taken
        if not ended and left < least + rows:
            pending = [] if buffer is None or left == 0 else [buffer.slice(taken, left)]
            ended = not _fill(pending, source, enough - left)
            if pending:
                order = random.permutation(sum(block.num_rows for block in pending))
                buffer = Block.take(pending, order)
            taken = 0
            continue
        if buffer is None or left == 0 or (left < rows and drop_last):
            return
        size = min(rows, left)
        yield buffer.slice(taken, size)
        taken += size


def _fill(pending: list[Block], source: Iterator[Block], wanted: int) -> bool:
    """Add blocks until there are `wanted` rows more; False: the source has ended."""
    while wanted > 0:
        block = next(source, None)
        if block is None:
            return False
        if block.num_rows:
            pending.append(block)
            wanted -= block.num_rows
    return True
