"""Video files, decoded by PyAV. Workers import this module too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from penstock.data.python_sources.files import FileBasedDatasource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

VIDEO_EXTENSIONS = (
    "mp4",
    "mkv",
    "mov",
    "avi",
    "wmv",
    "flv",
    "webm",
    "m4v",
    "3gp",
    "mpeg",
    "mpg",
    "ts",
    "ogv",
    "rm",
    "rmvb",
    "vob",
    "asf",
    "f4v",
    "m2ts",
    "mts",
    "divx",
    "xvid",
    "mxf",
)
_BLOCK_BYTES = 8 << 20
_PIXELS_MAX = 1 << 27  # As source/image.h has it.


class VideoDatasource(FileBasedDatasource):
    """One row a frame."""

    FORMAT: ClassVar[str] = "video"
    _FILE_EXTENSIONS: ClassVar[Sequence[str] | None] = VIDEO_EXTENSIONS

    def __init__(
        self,
        paths: Any,
        *,
        include_timestamps: bool = False,
        fps: float | None = None,
        resize: tuple[int, int] | None = None,
        **file_options: Any,
    ) -> None:
        super().__init__(paths, **file_options)
        self._include_timestamps = include_timestamps
        self._fps = fps
        self._resize = resize

    def get_name(self) -> str:
        """Return "Video"."""
        return "Video"

    def _read_stream(self, f: pa.NativeFile, path: str) -> Iterator[Any]:  # noqa: ARG002 - the base's
        import av

        with av.open(f) as container:
            if not container.streams.video:
                raise ValueError("the file has no video")
            stream = container.streams.video[0]
            if stream.codec_context is None:  # Asked for frames, PyAV before 18.1 would crash.
                raise ValueError("the file's video is of no kind that is known")
            stream.thread_type = "AUTO"
            rows: list[tuple[int, Any, float, float]] = []
            for row in self._rows(_frames(container, stream), stream):
                if rows and (
                    row[1].shape != rows[0][1].shape or len(rows) * row[1].nbytes >= _BLOCK_BYTES
                ):
                    yield self._block(rows)
                    rows = []
                rows.append(row)
            if rows:
                yield self._block(rows)

    def _rows(self, frames: Any, stream: Any) -> Iterator[tuple[int, Any, float, float]]:
        """Yield (number, pixels, start and end in seconds) of the frames that are wanted."""
        rate = float(stream.average_rate or stream.guessed_rate or 1)
        next_s = None
        for number, frame in enumerate(frames):
            start_s = frame.time if frame.time is not None else number / rate
            if self._fps is not None:
                if next_s is None:
                    next_s = start_s
                if start_s + 0.5 / rate < next_s:
                    continue
                next_s += 1 / self._fps
            duration_s = float((frame.duration or 0) * (frame.time_base or 0)) or 1 / rate
            size = (
                {}
                if self._resize is None
                else {
                    "height": self._resize[0],
                    "width": self._resize[1],
                }
            )
            pixels = frame.to_ndarray(format="rgb24", **size)
            yield number, pixels, start_s, start_s + duration_s

    def _block(self, rows: list[tuple[int, Any, float, float]]) -> dict[str, Any]:
        import numpy as np

        block = {
            "frame": np.stack([row[1] for row in rows]),
            "frame_index": np.array([row[0] for row in rows], dtype=np.int64),
        }
        if self._include_timestamps:
            block["frame_timestamp"] = np.array([row[2:] for row in rows], dtype=np.float64)
        return block


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Yield all frames of the stream.

    Raises:
        ValueError: after the last one: there is none, or the container's index lists more of them.

    """
    frames = packets = 0
    is_cut = False
    for packet in container.demux(stream):
        if packet.size:  # The last one is empty: it asks for what the decoder holds.
            packets += 1
            is_cut = packet.is_corrupt
        for frame in packet.decode():
            if frame.width * frame.height > _PIXELS_MAX:
                raise ValueError(f"a frame has {frame.width} x {frame.height} pixels, too many")
            frames += 1
            yield frame
    whole = packets - is_cut
    listed = len(getattr(stream, "index_entries", ()))  # PyAV has it since 17.
    if whole < listed:
        raise ValueError(f"the file ends after {whole} of the {listed} frames that it lists")
    if frames == 0:
        raise ValueError("the file's video has no frames")
