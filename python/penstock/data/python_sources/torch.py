"""Items of a torch data set. Workers import this module too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.datasource import Datasource, ReadTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

ITEM = "item"
_ROWS_AT_ONCE = 1024
_BLOCK_BYTES = 8 << 20


class TorchDatasource(Datasource):
    """A torch data set: map-style in ranges of indices, iterable in one task."""

    def __init__(self, dataset: Any, *, is_iterable: bool) -> None:
        self._dataset = dataset
        self._is_iterable = is_iterable

    def get_name(self) -> str:
        """Return "Torch"."""
        return "Torch"

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002 - Ray's
    ) -> list[ReadTask]:
        """Return one task, or ranges of indices of about the same size."""
        from penstock.data.reading.custom import even_ranges

        if self._is_iterable:
            return [ReadTask(_ReadAll(self._dataset), per_task_row_limit=per_task_row_limit)]
        return [
            ReadTask(
                _ReadRange(self._dataset, begin, end),
                BlockMetadata(num_rows=end - begin),
                per_task_row_limit=per_task_row_limit,
            )
            for begin, end in even_ranges(len(self._dataset), parallelism)
        ]


class _ReadAll:
    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __call__(self) -> Iterator[dict[str, Any]]:
        return _blocks(iter(self._dataset))


class _ReadRange:
    def __init__(self, dataset: Any, begin: int, end: int) -> None:
        self._dataset = dataset
        self._begin = begin
        self._end = end

    def __call__(self) -> Iterator[dict[str, Any]]:
        return _blocks(self._dataset[index] for index in range(self._begin, self._end))


def _blocks(items: Iterable[Any]) -> Iterator[dict[str, Any]]:
    held: list[Any] = []
    held_bytes = 0
    for item in items:
        plain = _plain(item)
        held.append(plain)
        held_bytes += _nbytes(plain)
        if len(held) >= _ROWS_AT_ONCE or held_bytes >= _BLOCK_BYTES:
            yield _block(held)
            held, held_bytes = [], 0
    if held:
        yield _block(held)


def _nbytes(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_nbytes(part) for part in value.values())
    return int(getattr(value, "nbytes", 0))


def _plain(value: Any) -> Any:
    """Return arrays for tensors and images, and dicts for tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return {str(place): _plain(part) for place, part in enumerate(value)}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    elif hasattr(value, "getbands"):  # An image of Pillow's.
        import numpy as np

        value = np.asarray(value)
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _block(values: list[Any]) -> Any:
    if not isinstance(values[0], Mapping):
        return {ITEM: values}
    import pyarrow as pa

    return pa.table({ITEM: _nested(values)})


def _nested(values: list[Any]) -> pa.Array:
    """Return values inside of a struct; arrays of one shape keep their type as nested lists."""
    import numpy as np
    import pyarrow as pa

    first = values[0]
    if isinstance(first, Mapping) and all(
        isinstance(value, Mapping) and value.keys() == first.keys() for value in values
    ):
        columns = [_nested([value[key] for value in values]) for key in first]
        return pa.StructArray.from_arrays(columns, names=list(first))
    if isinstance(first, np.ndarray) and all(
        isinstance(value, np.ndarray) and value.shape == first.shape for value in values
    ):
        array = pa.array(np.stack(values).reshape(-1))
        for size in reversed(first.shape):
            array = pa.FixedSizeListArray.from_arrays(array, size)
        return array
    return pa.array([_listed(value) for value in values])


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_listed(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value
