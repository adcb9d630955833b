"""Audio files, decoded by soundfile. Workers import this module too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from penstock.data.python_sources.files import FileBasedDatasource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

AUDIO_EXTENSIONS = (
    "mp3",
    "wav",
    "aac",
    "flac",
    "ogg",
    "m4a",
    "wma",
    "alac",
    "aiff",
    "pcm",
    "amr",
    "opus",
    "ra",
    "rm",
    "au",
    "mid",
    "midi",
    "caf",
)


class AudioDatasource(FileBasedDatasource):
    """One row a file: the channels' samples as 32-bit floats, and how many there are a second."""

    FORMAT: ClassVar[str] = "audio"
    _FILE_EXTENSIONS: ClassVar[Sequence[str] | None] = AUDIO_EXTENSIONS

    def get_name(self) -> str:
        """Return "Audio"."""
        return "Audio"

    def _read_stream(self, f: pa.NativeFile, path: str) -> Iterator[Any]:  # noqa: ARG002 - the base's
        import numpy as np
        import pyarrow as pa
        import soundfile

        samples, rate = soundfile.read(f, always_2d=True, dtype="float32")
        frames, channels = samples.shape
        values = pa.array(np.ascontiguousarray(samples.T).reshape(-1))
        inner = pa.ListArray.from_arrays(
            pa.array(np.arange(channels + 1, dtype=np.int32) * np.int32(frames)), values
        )
        outer = pa.ListArray.from_arrays(pa.array([0, channels], pa.int32()), inner)
        yield pa.table({"amplitude": outer, "sample_rate": pa.array([rate], pa.int32())})
