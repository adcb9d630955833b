"""The options of the readers of records, in the form in which the engine takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.reading.paths import path_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.data.reading.paths import Paths

_KINDS = {1: "bytes", 2: "int", 3: "float"}  # tensorflow_metadata's FeatureType.
_SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "bz2": ".bz2", "lz4": ".lz4", "brotli": ".br"}


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


def check_open_arguments(operation: str, paths: Paths, given: Mapping[str, Any] | None) -> None:
    """Accept a compression that the paths' own suffixes say too, since it is chosen by them.

    Raises:
        NotImplementedError: anything else.

    """
    rest = dict(given or {})
    compression = rest.pop("compression", None)
    suffix = _SUFFIXES.get(compression or "")
    if suffix is not None and not all(path.endswith(suffix) for path in path_list(paths)):
        raise NotImplementedError(
            f"{operation} knows compressed files by their names; name the files themselves, each "
            f"ending in {suffix}, or leave out arrow_open_stream_args; got: {compression!r}"
        )
    if compression is not None and suffix is None:
        rest["arrow_open_stream_args"] = compression
    arguments.refuse(operation, {"arrow_open_stream_args": rest or None})
