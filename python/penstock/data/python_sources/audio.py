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


_SAMPLE_BYTES = 4
_SAMPLES_MAX = (1 << 31) - 1  # What Arrow's lists can count.
_DECODED_FREELY_BYTES = 1 << 30
_COMPRESSION_RATIO_MAX = 256  # Speech at 6 kbit/s.


class AudioDatasource(FileBasedDatasource):
    """One row a file: the channels' samples as 32-bit floats, and how many there are a second."""

    FORMAT: ClassVar[str] = "audio"
    _FILE_EXTENSIONS: ClassVar[Sequence[str] | None] = AUDIO_EXTENSIONS

    def get_name(self) -> str:
        """Return "Audio"."""
        return "Audio"

    def _read_stream(self, f: pa.NativeFile, path: str) -> Iterator[Any]:  # noqa: ARG002 - the base's
        import pyarrow as pa
        import soundfile

        from penstock.worker import ragged

        with soundfile.SoundFile(f) as sound:
            _check(sound.frames * sound.channels, f.size())
            samples, rate = sound.read(always_2d=True, dtype="float32"), sound.samplerate
        amplitude = ragged.encode([samples.T])
        fields = [
            pa.field("amplitude", amplitude.type, metadata=ragged.METADATA),
            pa.field("sample_rate", pa.int32()),
        ]
        yield pa.table([amplitude, pa.array([rate], pa.int32())], schema=pa.schema(fields))


def _check(samples: int, file_bytes: int) -> None:
    """Raise where a file claims more than memory should hold, before that is taken."""
    bytes_max = max(_DECODED_FREELY_BYTES, file_bytes * _COMPRESSION_RATIO_MAX)
    if samples > min(_SAMPLES_MAX, bytes_max // _SAMPLE_BYTES):
        raise ValueError(
            f"its samples would take {samples * _SAMPLE_BYTES >> 20} MiB of memory as one row; "
            "split the recording into shorter files"
        )
