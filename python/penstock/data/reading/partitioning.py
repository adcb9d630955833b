"""What the folders of a path tell: `Partitioning`, and `PathPartitionFilter`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

_TYPES: dict[type, str] = {int: "int64", float: "double", str: "string", bool: "bool"}
_BOOLS = {"true": True, "1": True, "false": False, "0": False}
_NULL = "__HIVE_DEFAULT_PARTITION__"


class PartitionStyle(StrEnum):
    """How folders are named: `key=value`, or `value` alone."""

    HIVE = "hive"
    DIRECTORY = "dir"


@dataclass(frozen=True)
class Partitioning:
    """Columns that the folders of a path tell.

    Args:
        style: "hive": folders are named `key=value`. "dir": they are named by their values, and
            `field_names` says of what.
        base_dir: only folders below it count; None: all.
        field_names: the columns; with "hive", the keys that must be there in this order.
        field_types: int, float, str or bool of some columns; the others are text.
        filesystem: not supported; only None.

    """

    style: PartitionStyle | str
    base_dir: str | os.PathLike[str] | None = None
    field_names: Sequence[str] | None = None
    field_types: dict[str, type] | None = None
    filesystem: Any = None

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            ValueError: an unknown style or type, or "dir" without names.
            NotImplementedError: `filesystem` is given.

        """
        if self.style not in tuple(PartitionStyle):
            raise ValueError(f'The partition style must be "hive" or "dir"; got: {self.style!r}')
        if self.style == PartitionStyle.DIRECTORY and not self.field_names:
            raise ValueError(
                "Directory partitioning needs the columns that the folders stand for; give "
                "field_names"
            )
        for name, kind in (self.field_types or {}).items():
            if kind not in _TYPES:
                raise ValueError(
                    f"A partition's type must be int, float, str or bool; {name!r}; got: {kind!r}"
                )
        if self.filesystem is not None:
            raise NotImplementedError(
                "Partitioning does not support this option; leave it out: filesystem"
            )

    def reader_options(self) -> dict[str, Any]:
        """Return the engine's form."""
        return {
            "style": str(self.style),
            "base_dir": self._base_folder(),
            "field_names": None if self.field_names is None else list(self.field_names),
            "field_types": {name: _TYPES[kind] for name, kind in (self.field_types or {}).items()},
        }

    def values_of(self, path: str) -> dict[str, Any]:
        """Return the columns and values that a path tells; none outside of `base_dir`.

        Raises:
            ValueError: naming the path: the folders do not go with `field_names`, or a value with
                its type.

        """
        base = self._base_folder()
        if not path.startswith(base):
            return {}
        folders = [folder for folder in path[len(base) :].split("/")[:-1] if folder]
        names = list(self.field_names or [])
        if self.style == PartitionStyle.HIVE:
            pairs = [folder.split("=") for folder in folders if folder.count("=") == 1]
            found = {key: unquote(value) for key, value in pairs}
            fits = not names or not found or [key for key, _ in pairs] == names
        else:
            found = dict(zip(names, folders, strict=False))
            fits = not folders or len(folders) == len(names)
        if not fits:
            raise ValueError(f"The folders are not the partitions {names}; got: {path}")
        return {name: self._typed(path, name, text) for name, text in found.items()}

    def types_of(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the columns that any of the paths tells, and their types as Arrow calls them."""
        names = dict.fromkeys(name for path in paths for name in self.values_of(path))
        return {name: _TYPES[(self.field_types or {}).get(name, str)] for name in names}

    def _base_folder(self) -> str:
        base = "" if self.base_dir is None else os.fspath(self.base_dir)
        return base if not base or base.endswith("/") else f"{base}/"

    def _typed(self, path: str, name: str, text: str) -> Any:
        kind = (self.field_types or {}).get(name, str)
        if text == _NULL and self.style == PartitionStyle.HIVE:
            return None
        try:
            return _BOOLS[text.lower()] if kind is bool else kind(text)
        except (KeyError, ValueError):
            raise ValueError(
                f'{path}: the partition "{name}" is not of its type {kind.__name__}; got: {text}'
            ) from None


def check_partitioning(partitioning: Partitioning | None) -> Partitioning | None:
    """Return the argument of a reader.

    Raises:
        TypeError: no `Partitioning`.

    """
    if not isinstance(partitioning, Partitioning | None):
        raise TypeError(
            f'partitioning must be a Partitioning, such as Partitioning("hive"); '
            f"got: {partitioning!r}"
        )
    return partitioning


class PathPartitionFilter:
    """Chooses files by what their paths tell; pass it as `partition_filter`."""

    def __init__(
        self, partitioning: Partitioning, filter_fn: Callable[[dict[str, Any]], bool]
    ) -> None:
        self._partitioning = partitioning
        self._chosen = filter_fn

    @classmethod
    def of(  # noqa: PLR0917 - Ray's
        cls,
        filter_fn: Callable[[dict[str, Any]], bool],
        style: PartitionStyle | str = PartitionStyle.HIVE,
        base_dir: str | None = None,
        field_names: Sequence[str] | None = None,
        field_types: dict[str, type] | None = None,
        filesystem: Any = None,
    ) -> Self:
        """Return a filter that keeps the files for whose values `filter_fn` is true.

        `filter_fn` gets an empty dict for a file that is in no partition. The other arguments and
        errors are those of `Partitioning`.
        """
        scheme = Partitioning(style, base_dir, field_names, field_types, filesystem)
        return cls(scheme, filter_fn)

    def __call__(self, paths: list[str]) -> list[str]:
        """Return the paths that are kept."""
        return [path for path in paths if self._chosen(self._partitioning.values_of(path))]
