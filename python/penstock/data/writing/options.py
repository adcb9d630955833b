"""Options that all writers of files share, in the engine's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.data import arguments
from penstock.data.reading.file_systems import place, retried_errors
from penstock.data.writing.save_mode import mode_name

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from penstock.data.writing.save_mode import SaveMode

# What pyarrow's and pandas' names of codecs are to the engine, for files compressed as a whole.
_STREAM_CODECS = {
    None: "none",
    "bz2": "bz2",
    "gz": "gzip",
    "gzip": "gzip",
    "lz4": "lz4",
    "none": "none",
    "uncompressed": "none",
    "zst": "zstd",
    "zstd": "zstd",
}
_CHOSEN_BY_NAME = frozenset({"detect", "infer"})
# Of pyarrow's `open_output_stream`; changes nothing in the file.
_SPEED = frozenset({"buffer_size"})


class FileOptions(NamedTuple):
    """What a verb was called with, beside its format's own options."""

    verb: str
    path: str | os.PathLike[str]
    filesystem: Any
    try_create_dir: bool
    arrow_open_stream_args: Mapping[str, Any] | None
    mode: SaveMode | str | None
    min_rows_per_file: int | None = None
    max_rows_per_file: int | None = None
    min_bytes_per_file: int | None = None
    concurrency: int | None = None
    on_mismatch: str = "error"

    def for_engine(self, *, whole_file_codec: bool) -> dict[str, Any]:
        """Return the engine's options; `whole_file_codec`: the format's files may be compressed.

        "file_system" is a file system that is open, or None.

        Raises:
            ValueError: an unknown mode or codec, limits that contradict each other.
            NotImplementedError: an option that this version cannot honour.

        """
        placed = place(self.verb, self.path, self.filesystem)
        return {
            **retried_errors(),
            "path": placed.paths[0],
            "file_system": placed.file_system,
            **self._mode(),
            "create_folder": self.try_create_dir,
            **_rows_per_part(self.min_rows_per_file, self.max_rows_per_file),
            **self._write_limits(),
            **self._stream_options(whole_file_codec=whole_file_codec),
        }

    def _mode(self) -> dict[str, str]:
        if self.on_mismatch not in ("error", "restart"):
            raise ValueError(f"on_mismatch must be 'error' or 'restart'; got: {self.on_mismatch!r}")
        if self.mode is not None:
            return {"mode": mode_name(self.mode)}
        return {"mode": "resume", "on_mismatch": self.on_mismatch}

    def _write_limits(self) -> dict[str, int]:
        options: dict[str, int] = {}
        if self.min_bytes_per_file is not None:
            least = arguments.at_least_one("min_bytes_per_file", self.min_bytes_per_file)
            options["bytes_per_part_min"] = least
        if self.concurrency is not None:
            options["steps_max"] = arguments.at_least_one("concurrency", self.concurrency)
        return options

    def _stream_options(self, *, whole_file_codec: bool) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for name, value in (self.arrow_open_stream_args or {}).items():
            if name == "compression" and whole_file_codec:
                options.update(stream_codec("arrow_open_stream_args['compression']", value))
            elif name not in _SPEED and value not in (*_CHOSEN_BY_NAME, None):
                raise NotImplementedError(
                    f"{self.verb} does not support this option; leave it out: "
                    f"arrow_open_stream_args[{name!r}]"
                )
        return options


def stream_codec(option: str, value: object) -> dict[str, Any]:
    """Return the codec of whole files as the engine's option; nothing where names decide.

    Raises:
        ValueError: an unknown codec.

    """
    name = value.lower() if isinstance(value, str) else value
    if name in _CHOSEN_BY_NAME:
        return {}
    if name not in _STREAM_CODECS:
        raise ValueError(f"{option} must be gzip, zstd, bz2, lz4 or None; got: {value!r}")
    return {"compression": _STREAM_CODECS[name]}


def merged(given: Mapping[str, Any], function: Callable[[], Mapping[str, Any]] | None) -> Any:
    """Return a verb's further arguments, with those that a function gives in their place."""
    return {**given, **(function() if function is not None else {})}


def _rows_per_part(least: int | None, most: int | None) -> dict[str, int]:
    options: dict[str, int] = {}
    if least is not None:
        options["rows_per_part_min"] = arguments.at_least_one("min_rows_per_file", least)
    if most is not None:
        options["rows_per_part_max"] = arguments.at_least_one("max_rows_per_file", most)
    if least is not None and most is not None and least > most:
        raise ValueError(
            f"min_rows_per_file must not exceed max_rows_per_file; got: {least} > {most}"
        )
    return options
