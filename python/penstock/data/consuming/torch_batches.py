"""Batches as torch tensors. Imports torch where it is used; it is the user's to install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import blocks
from penstock.data.optional import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import torch

    from penstock._core import Block

    Dtypes = torch.dtype | Mapping[str, torch.dtype] | None
    FeatureColumns = list[str] | list[list[str]] | dict[str, list[str]] | None
    FeatureDtypes = torch.dtype | list[torch.dtype] | dict[str, torch.dtype] | None


def import_torch(operation: str) -> Any:
    """Return torch.

    Raises:
        ImportError: it is not installed.

    """
    require("torch", extra="torch", needed_by=operation)
    import torch

    return torch


class TensorMaker:
    """Turns blocks into dicts of tensors; ragged columns become lists of tensors.

    A tensor's memory is its own: changing it changes no data set. On the CPU that is one copy, on
    other devices the copy to the device, or to pinned memory.
    """

    def __init__(self, dtypes: Dtypes, device: str, *, pin_memory: bool) -> None:
        self._torch = import_torch("iter_torch_batches")
        self._dtypes = dtypes
        self._device = self._torch.device("cpu" if device == "auto" else device)
        self._pins = pin_memory
        self._leaves = self._device.type != "cpu" or pin_memory

    def __call__(self, block: Block) -> dict[str, Any]:
        """Return the block's columns as tensors.

        Raises:
            TypeError: torch has no type for a column, naming it.

        """
        return {name: self._column(name, v) for name, v in blocks.to_numpy(block).items()}

    def _column(self, name: str, values: Any) -> Any:
        if values.dtype == object:
            parts = [None if part is None else _numbers(part) for part in values]
            if parts and all(part is not None for part in parts):
                return [self._tensor(name, part) for part in parts]
        return self._tensor(name, values)

    def _tensor(self, name: str, values: Any) -> Any:
        torch = self._torch
        held = values
        if not values.flags.writeable and values.dtype != object:
            held = _writable_view(values) if self._leaves else values.copy()
        try:
            tensor = torch.from_numpy(held)
        except TypeError as error:
            raise TypeError(
                f"torch has no tensors of {values.dtype}; leave the column out with drop_columns, "
                f"or give a collate_fn; column: '{name}'"
            ) from error
        if self._pins:
            tensor = tensor.pin_memory()
        moved = tensor.to(
            device=self._device, dtype=_dtype_of(self._dtypes, name), non_blocking=self._pins
        )
        return moved.clone() if self._leaves and moved.data_ptr() == values.ctypes.data else moved


def check_options(
    dtypes: Dtypes, device: str, collate_fn: Callable[..., Any] | None, *, pin_memory: bool
) -> None:
    """Refuse options that contradict each other.

    Raises:
        ValueError: a `collate_fn` together with what it would have to do itself.

    """
    if collate_fn is None:
        return
    if dtypes is not None or device != "auto":
        raise ValueError(
            "collate_fn cannot be used with dtypes and device; convert and move the tensors in it"
        )
    if pin_memory:
        raise ValueError("pin_memory cannot be used with collate_fn; pin the tensors in it")


def iterable_dataset(
    iterator: object,
    batches: Callable[[], Iterable[Mapping[str, Any]]],
    *,
    label_column: str | None,
    feature_columns: FeatureColumns,
    label_dtype: torch.dtype | None,
    feature_dtypes: FeatureDtypes,
    unsqueeze_label: bool,
    unsqueeze_features: bool,
) -> Any:
    """Return what `DataIterator.to_torch` promises: an IterableDataset of (features, label)."""
    torch = import_torch("to_torch")
    _check_alike(feature_columns, feature_dtypes)

    def gathered(batch: Mapping[str, Any], columns: list[str], dtype: Any) -> Any:
        parts = [_as_feature(torch, batch[name], dtype, unsqueeze_features) for name in columns]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def features_of(batch: Mapping[str, Any]) -> Any:
        if isinstance(feature_columns, dict):
            kinds = feature_dtypes if isinstance(feature_dtypes, dict) else {}
            return {
                key: gathered(batch, names, kinds.get(key) if kinds else _single(feature_dtypes))
                for key, names in feature_columns.items()
            }
        if feature_columns and isinstance(feature_columns[0], (list, tuple)):
            each = (
                feature_dtypes
                if isinstance(feature_dtypes, list)
                else [_single(feature_dtypes)] * len(feature_columns)
            )
            return [
                gathered(batch, list(names), dtype)
                for names, dtype in zip(feature_columns, each, strict=True)
            ]
        names = feature_columns or [name for name in batch if name != label_column]
        return gathered(batch, list(names), _single(feature_dtypes))  # type: ignore[arg-type]

    class _Batches(torch.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[tuple[Any, Any]]:
            for batch in batches():
                label = None
                if label_column is not None:
                    label = batch[label_column]
                    label = label if label_dtype is None else label.to(label_dtype)
                    if unsqueeze_label and label.dim() == 1:
                        label = label.unsqueeze(1)
                yield features_of(batch), label

        def __repr__(self) -> str:
            return f"IterableDataset({iterator!r})"

    return _Batches()


def _check_alike(columns: FeatureColumns, dtypes: FeatureDtypes) -> None:
    if isinstance(dtypes, dict) and not isinstance(columns, dict):
        raise TypeError("feature_column_dtypes is a dict, so feature_columns must be one")
    if isinstance(dtypes, list) and (not isinstance(columns, list) or len(dtypes) != len(columns)):
        raise TypeError("feature_column_dtypes is a list, so feature_columns must be one as long")


def _single(dtypes: FeatureDtypes) -> Any:
    return None if isinstance(dtypes, (list, dict)) else dtypes


def _as_feature(torch: Any, values: Any, dtype: Any, unsqueeze: bool) -> Any:  # noqa: FBT001
    tensor = values if dtype is None else values.to(dtype)
    return torch.unsqueeze(tensor, 1) if unsqueeze and tensor.dim() == 1 else tensor


def _dtype_of(dtypes: Dtypes, name: str) -> Any:
    return dtypes.get(name) if hasattr(dtypes, "get") else dtypes  # type: ignore[union-attr]


def _numbers(part: Any) -> Any | None:
    """Return one row of a ragged column as an array of numbers; None: it is something else."""
    import numpy as np

    if isinstance(part, (str, bytes)):
        return None
    array = np.asarray(part)
    return None if array.dtype.kind not in "biufc" or array.ndim == 0 else array


class _Lent:
    """Shows memory that NumPy holds to be read as memory that may be written."""

    def __init__(self, values: Any) -> None:
        self._kept = values
        shown = dict(values.__array_interface__)
        shown["data"] = (shown["data"][0], False)
        self.__array_interface__ = shown


def _writable_view(values: Any) -> Any:
    """Return a view that torch takes without a warning. Nobody may write to it."""
    import numpy as np

    return np.asarray(_Lent(values))
