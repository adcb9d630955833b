"""Batches as TensorFlow tensors. Imports tensorflow where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Names = str | list[str]


def import_tensorflow(operation: str) -> Any:
    """Return tensorflow.

    Raises:
        ImportError: it is not installed.

    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            f"{operation} needs TensorFlow; install it: pip install penstock[tensorflow]"
        ) from error
    return tf


def to_tensor(tf: Any, values: Any, dtype: Any = None) -> Any:
    """Return a column as a tensor; a ragged one as a RaggedTensor."""
    if values.dtype == object and len(values) and hasattr(values[0], "__array__"):
        return tf.ragged.constant([part.tolist() for part in values], dtype=dtype)
    return tf.convert_to_tensor(values, dtype=dtype)


def generated(
    tf: Any,
    batches: Callable[[], Iterable[Mapping[str, Any]]],
    groups: list[Names],
    specs: list[Any],
) -> Any:
    """Return a tf.data.Dataset whose elements have a tensor or a dict of tensors for each group."""

    def tensors_of(batch: Mapping[str, Any], group: Names) -> Any:
        if isinstance(group, str):
            return to_tensor(tf, batch[group])
        return {name: to_tensor(tf, batch[name]) for name in group}

    def generate() -> Iterator[tuple[Any, ...]]:
        for batch in batches():
            yield tuple(tensors_of(batch, group) for group in groups)

    return tf.data.Dataset.from_generator(generate, output_signature=tuple(specs))


def spec_of(tf: Any, sample: Mapping[str, Any], group: Names) -> Any:
    """Return the type of a group's tensors, as one batch shows it; the rows are left open."""

    def one(name: str) -> Any:
        tensor = to_tensor(tf, sample[name])
        if isinstance(tensor, tf.RaggedTensor):
            return tf.RaggedTensorSpec.from_value(tensor)
        return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name=name)

    return one(group) if isinstance(group, str) else {name: one(name) for name in group}
