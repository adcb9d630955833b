"""Batches as TensorFlow tensors. Imports tensorflow where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.optional import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Names = str | list[str]


def import_tensorflow(operation: str) -> Any:
    """Return tensorflow.

    Raises:
        ImportError: it is not installed.

    """
    require("tensorflow", extra="tensorflow", needed_by=operation)
    import tensorflow as tf

    return tf


def to_tensor(tf: Any, values: Any, dtype: Any = None, *, ragged_rank: int | None = None) -> Any:
    """Return a column as a tensor; a ragged one, or with `ragged_rank`, as a RaggedTensor."""
    if ragged_rank is None:
        if not (values.dtype == object and len(values) and hasattr(values[0], "__array__")):
            return tf.convert_to_tensor(values, dtype=dtype)
        ragged_rank = max(values[0].ndim, 1)
    if dtype is None and values[0].dtype != object:
        dtype = values[0].dtype  # TensorFlow makes 32 bits of Python's numbers.
    return tf.ragged.constant([row.tolist() for row in values], dtype, ragged_rank=ragged_rank)


def generated(
    tf: Any,
    batches: Callable[[], Iterable[Mapping[str, Any]]],
    groups: list[Names],
    specs: list[Any],
) -> Any:
    """Return a tf.data.Dataset whose elements have a tensor or a dict of tensors for each group."""

    def tensor_of(values: Any, spec: Any) -> Any:
        rank = spec.ragged_rank if isinstance(spec, tf.RaggedTensorSpec) else None
        return to_tensor(tf, values, spec.dtype, ragged_rank=rank)

    def tensors_of(batch: Mapping[str, Any], group: Names, spec: Any) -> Any:
        if isinstance(group, str):
            return tensor_of(batch[group], spec)
        return {name: tensor_of(batch[name], spec[name]) for name in group}

    def generate() -> Iterator[tuple[Any, ...]]:
        for batch in batches():
            yield tuple(
                tensors_of(batch, group, spec) for group, spec in zip(groups, specs, strict=True)
            )

    return tf.data.Dataset.from_generator(generate, output_signature=tuple(specs))


def spec_of(tf: Any, sample: Mapping[str, Any], group: Names) -> Any:
    """Return the type of a group's tensors, as one batch shows it; the rows are left open."""

    def one(name: str) -> Any:
        tensor = to_tensor(tf, sample[name])
        if isinstance(tensor, tf.RaggedTensor):
            shape = [None] * (tensor.ragged_rank + 1)
            return tf.RaggedTensorSpec(shape, tensor.dtype, tensor.ragged_rank)
        return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name)

    return one(group) if isinstance(group, str) else {name: one(name) for name in group}
