"""The order in which files are read: `FileShuffleConfig`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from penstock.data import arguments

_SEEDS = 2**31


@dataclass(frozen=True)
class FileShuffleConfig:
    """The order of files is drawn from `seed`; None: another one each time."""

    seed: int | None = None

    def __post_init__(self) -> None:
        """Check the seed.

        Raises:
            ValueError: negative or not an integer.

        """
        if self.seed is not None:
            arguments.not_negative("seed", self.seed)


def shuffle_seed(shuffle: str | FileShuffleConfig | None) -> int | None:
    """Return the seed that the order of files is drawn from; None: they keep their order.

    Raises:
        ValueError: neither "files" nor a `FileShuffleConfig`.

    """
    if shuffle is None:
        return None
    if shuffle == "files":
        shuffle = FileShuffleConfig()
    if not isinstance(shuffle, FileShuffleConfig):
        raise ValueError(  # noqa: TRY004 - a wrong text is as wrong as a wrong type
            f'shuffle must be None, "files" or a FileShuffleConfig; got: {shuffle!r}'
        )
    return secrets.randbelow(_SEEDS) if shuffle.seed is None else shuffle.seed
