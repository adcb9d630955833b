"""Options that the readers through Python libraries share, by Ray's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from penstock.data import arguments
from penstock.data.reading.engine_options import stream_codec
from penstock.data.reading.partitioning import check_partitioning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock.data.reading.partitioning import Partitioning

# Options of Ray's that this version knows of but cannot honour.
RAY_ONLY = frozenset({"accelerator_type", "fallback_strategy", "label_selector"})


class ReadOptions(TypedDict, total=False):
    """See `read_datasource`."""

    parallelism: int
    num_cpus: float | None
    num_gpus: float | None
    memory: float | None
    resources: Mapping[str, float] | None
    runtime_env: Mapping[str, Any] | None
    max_calls: int | None
    ray_remote_args: Mapping[str, Any] | None
    concurrency: int | None
    override_num_blocks: int | None


class FileOptions(TypedDict, total=False):
    """See `read_avro`."""

    filesystem: Any
    partition_filter: Callable[[list[str]], list[str]] | None
    partitioning: Partitioning | None
    ignore_missing_paths: bool
    include_paths: bool
    shuffle: Any
    file_extensions: Sequence[str] | None


class FileReadOptions(FileOptions, ReadOptions, total=False):
    """Both of them."""

    arrow_open_stream_args: Mapping[str, Any] | None


class SourceOptions(FileOptions, total=False):
    """What a `FileBasedDatasource` takes."""

    compression: str | None


def divide(operation: str, options: FileReadOptions) -> tuple[SourceOptions, ReadOptions]:
    """Return the options of the files and those of the read.

    Raises:
        NotImplementedError: an option of Ray's that is not supported.
        TypeError: a name that nobody knows.

    """
    rest: dict[str, Any] = dict(options)
    codec = stream_codec(operation, rest.pop("arrow_open_stream_args", None))
    check_partitioning(rest.get("partitioning"))
    files: Any = {name: rest.pop(name) for name in FileOptions.__annotations__ if name in rest}
    read: Any = {name: rest.pop(name) for name in ReadOptions.__annotations__ if name in rest}
    refuse_others(operation, rest)
    return files | {"compression": codec}, read


def refuse_others(operation: str, options: Mapping[str, Any]) -> None:
    """Accept options of Ray's only where they are not set.

    Raises:
        NotImplementedError: an option of Ray's that is not supported.
        TypeError: a name that nobody knows.

    """
    for name in options:
        if name not in RAY_ONLY:
            known = [*FileReadOptions.__annotations__, *RAY_ONLY]
            raise arguments.unknown(operation, name, known)
    arguments.refuse(operation, options)
