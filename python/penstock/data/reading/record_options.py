"""The options of the readers of records, in the form in which the engine takes them."""

from __future__ import annotations

from typing import Any

_KINDS = {1: "bytes", 2: "int", 3: "float"}  # tensorflow_metadata's FeatureType.


def feature_kinds(tf_schema: Any) -> dict[str, str] | None:
    """Return the kind of each feature of a tensorflow_metadata Schema; None: the files say.

    Raises:
        TypeError: it is none.
        ValueError: a feature is neither bytes, int nor float, or is there twice.

    """
    if tf_schema is None:
        return None
    features = getattr(tf_schema, "feature", None)
    if features is None:
        raise TypeError(
            f"tf_schema must be a Schema of tensorflow_metadata, with features; got: {tf_schema!r}"
        )
    kinds: dict[str, str] = {}
    for feature in features:
        kind = _KINDS.get(feature.type)
        if kind is None:
            raise ValueError(
                f"A feature of tf_schema must be BYTES (1), INT (2) or FLOAT (3): {feature.name}; "
                f"got: {feature.type}"
            )
        if feature.name in kinds:
            raise ValueError(f"tf_schema must name each feature once; twice: {feature.name}")
        kinds[feature.name] = kind
    return kinds


def patterns(name: str, given: Any) -> list[str] | None:
    """Return patterns of names as a list; None: all names.

    Raises:
        TypeError: neither None nor a list of texts.

    """
    if given is None:
        return None
    listed = isinstance(given, list | tuple | set | frozenset)
    if not listed or not all(isinstance(pattern, str) for pattern in given):
        raise TypeError(f"{name} must be a list of patterns (str) or a function; got: {given!r}")
    return sorted(given)
