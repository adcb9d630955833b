"""Options that the engine's own readers share beside their files', by Ray's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from penstock._core import machine_processors
from penstock.data import arguments
from penstock.data.execution import resources
from penstock.data.worker_arguments import (
    RayOnly,
    check_names,
    lifetime_options,
    machine_options,
)

if TYPE_CHECKING:
    from penstock.data.context import DataContext
    from penstock.data.worker_arguments import WorkerArguments

# What pyarrow's and pandas' names of codecs are to the engine; None where the path's suffix says.
_CODECS = {
    None: None,
    "brotli": "brotli",
    "bz2": "bz2",
    "detect": None,
    "gz": "gzip",
    "gzip": "gzip",
    "infer": None,
    "lz4": "lz4",
    "none": "none",
    "uncompressed": "none",
    "zst": "zstd",
    "zstd": "zstd",
}


class ReadResources(RayOnly, total=False):
    """What Ray gives to each of its read tasks. Here the engine reads, in this process.

    None is the same as leaving an argument out.

    Keys:
        concurrency: how many pieces of the input are read at once, at most; None: as many as the
            machine has processors.
        num_cpus: processors for each piece, so that no more pieces are read at once than the
            machine has processors for; at least one is.
        num_gpus: checked, without effect: nothing is read on a GPU.
        memory: checked, without effect: the engine keeps what is in flight within its own limit.
        resources: checked, without effect, as are `runtime_env` and the following, which are for
            worker processes: none takes part.
        runtime_env: see there.
        max_calls: see there.
        max_retries: see there.
    """

    concurrency: int | None
    num_cpus: float | None
    num_gpus: float | None
    memory: float | None
    resources: Mapping[str, float] | None
    runtime_env: Mapping[str, Any] | None
    max_calls: int | None
    max_retries: int | None


class EngineReadOptions(ReadResources, total=False):
    """All that a reader of files takes beside its own arguments.

    Keys:
        ray_remote_args: the others of `ReadResources` as a dict; those given by name win.
        arrow_open_stream_args: {"compression": codec, "buffer_size": bytes}. The codec is gzip,
            zstd, bz2, lz4 or brotli, whatever the files' names end in, or "none" for files that
            are not compressed; None and "detect": as the names say. A buffer's size has no effect.
    """

    arrow_open_stream_args: Mapping[str, Any] | None


class ParquetReadOptions(EngineReadOptions, total=False):
    """What `read_parquet` takes too, without effect: how pyarrow's scanner goes about it.

    Keys:
        batch_size: checked, as are all.
        batch_readahead: see there.
        fragment_readahead: see there.
        cache_metadata: see there.
        use_threads: see there.
        memory_pool: see there.
    """

    batch_size: int | None
    batch_readahead: int | None
    fragment_readahead: int | None
    cache_metadata: bool | None
    use_threads: bool | None
    memory_pool: Any


def splits_at_once(operation: str, given: Mapping[str, Any], context: DataContext) -> int | None:
    """Return how many pieces of the input may be read at once; None: as many as can be.

    `given` are the keys of `ReadResources`, and `ray_remote_args`.

    Raises:
        TypeError, ValueError: a value that makes no sense, or a name that nobody knows.
        NotImplementedError: an option of Ray's that is not supported is set.

    """
    named = dict(given)
    remote = named.pop("ray_remote_args", None) or {}
    if not isinstance(remote, Mapping):
        raise TypeError(f"ray_remote_args must be a dict of options; got: {remote!r}")
    said = {**remote, **{name: value for name, value in named.items() if value is not None}}
    check_names(operation, said, ReadResources)
    checked = cast("WorkerArguments", said)
    processors = machine_options(operation, checked)["processors"]
    lifetime_options(checked, context, stateful=False)
    concurrency = said.get("concurrency")
    bounds = []
    if concurrency is not None:
        bounds.append(arguments.at_least_one("concurrency", concurrency))
    if processors:
        machine = resources(context).processors or machine_processors()
        bounds.append(max(1, int(machine / processors)))
    return min(bounds, default=None)


def stream_codec(operation: str, stream_args: Mapping[str, Any] | None) -> str | None:
    """Return the codec of `arrow_open_stream_args`, as the engine calls it; None: names say.

    Raises:
        TypeError: no dict, or a buffer's size that is no number.
        ValueError: an unknown codec, or a buffer below 0.
        NotImplementedError: another key.

    """
    if stream_args is None:
        return None
    if not isinstance(stream_args, Mapping):
        raise TypeError(f"arrow_open_stream_args must be a dict; got: {stream_args!r}")
    for name in stream_args:
        if name not in ("compression", "buffer_size"):
            raise NotImplementedError(
                f"{operation} does not support this option; leave it out: "
                f"arrow_open_stream_args[{name!r}]"
            )
    if stream_args.get("buffer_size") is not None:
        arguments.not_negative("buffer_size", stream_args["buffer_size"])
    codec = stream_args.get("compression")
    key = codec.lower() if isinstance(codec, str) else codec
    if key not in _CODECS:
        raise ValueError(
            "arrow_open_stream_args['compression'] must be gzip, zstd, bz2, lz4, brotli, none, "
            f"detect or None; got: {codec!r}"
        )
    return _CODECS[key]
