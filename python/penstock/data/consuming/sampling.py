"""Verbs that choose or reorder rows by chance: the same seed, the same rows."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NoReturn, Unpack

from penstock.data import arguments
from penstock.data.base import DatasetBase
from penstock.data.worker_arguments import WorkerArguments, check_unused

if TYPE_CHECKING:
    from penstock.data.dataset import Dataset

_SEED_MAX = 2**62


class SampleVerbs(DatasetBase):
    """random_sample, streaming_train_test_split, randomize_block_order.

    Without a seed one is drawn when the verb is called: running the data set again gives the same
    rows, calling the verb again others.
    """

    def random_sample(self, fraction: float, *, seed: int | None = None) -> Dataset:
        """Keep each row with the probability `fraction`.

        A row stays or goes by the seed and its place in the input (which file, or which piece of
        one, and which row of it), whatever the batches and the number of workers. Above a function
        that may change the number of rows, its place is that of its batch and the row in it.

        Raises:
            ValueError: `fraction` is not between 0 and 1.

        """
        if not 0 <= fraction <= 1:
            raise ValueError(f"fraction must lie between 0 and 1; got: {fraction}")
        plan = self._plan.sample(seed=drawn_seed(seed), begin=0.0, end=float(fraction))
        return self._derive(plan)

    def streaming_train_test_split(
        self,
        test_size: float,
        *,
        split_type: str = "random",
        hash_column: str | None = None,
        seed: int | None = None,
        **options: Unpack[WorkerArguments],
    ) -> tuple[Dataset, Dataset]:
        """Return two lazy data sets that share out the rows: for training, and for testing.

        Each of them reads the input on its own.

        Args:
            test_size: the share of rows for testing, between 0 and 1; what comes out is near it.
            split_type: "random", row by row as in `random_sample`; or "hash", by the value in
                `hash_column`, so that rows with equal values stay together.
            hash_column: a column of integers, text or binary; for "hash" alone.
            seed: see the class.
            options: who would run it; checked, but no worker takes part.

        Raises:
            ValueError: arguments that contradict each other, or lie out of range.

        """
        check_unused("streaming_train_test_split", options)
        if not 0 < test_size < 1:
            raise ValueError(f"test_size must lie between 0 and 1; got: {test_size}")
        if split_type not in ("random", "hash"):
            raise ValueError(f"split_type must be 'random' or 'hash'; got: {split_type!r}")
        if (hash_column is not None) != (split_type == "hash"):
            raise ValueError(
                f"hash_column belongs to split_type='hash', and only there; got: {hash_column!r}"
            )
        if seed is not None and split_type == "hash":
            raise ValueError("seed belongs to split_type='random'; equal values always go together")
        drawn = drawn_seed(0 if split_type == "hash" else seed)
        border = 1.0 - test_size
        train = self._plan.sample(seed=drawn, begin=0.0, end=border, column=hash_column)
        test = self._plan.sample(seed=drawn, begin=border, end=1.0, column=hash_column)
        return self._derive(train), self._derive(test)

    def randomize_block_order(self, *, seed: int | None = None) -> Dataset:
        """Read the pieces of the input (row groups, files, blocks) in a random order.

        Rows within a piece keep theirs. Nothing is held, but all pieces are listed before the first
        is read.

        Raises:
            NotImplementedError: there is a limit, a repartition or a sample before it, which
                depend on the order.

        """
        plan = self._plan.with_split_order(drawn_seed(seed))
        if plan is None:
            raise NotImplementedError(
                "randomize_block_order shuffles what is read: call it before limit, repartition, "
                "random_sample and the like"
            )
        return self._derive(plan)

    def random_shuffle(
        self, *, seed: int | None = None, num_blocks: int | None = None, **ray_remote_args: Any
    ) -> NoReturn:
        """Raise NotImplementedError: rows cannot be shuffled globally yet."""
        del seed, num_blocks, ray_remote_args
        raise NotImplementedError(
            "random_shuffle is not there yet; use randomize_block_order() together with "
            "iter_batches(local_shuffle_buffer_size=...)"
        )


def drawn_seed(seed: int | None) -> int:
    """Return the seed as the engine takes it, or one drawn by chance."""
    if seed is None:
        return secrets.randbelow(_SEED_MAX)
    return arguments.whole_number("seed", seed)
