"""`read_avro`, `read_audio`, `read_videos`: files that Python libraries decode, in workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.data import arguments
from penstock.data.optional import require
from penstock.data.reading.custom import read_datasource
from penstock.data.reading.read_options import divide

if TYPE_CHECKING:
    from typing import Unpack

    from penstock.data.dataset import Dataset
    from penstock.data.reading.paths import Paths
    from penstock.data.reading.read_options import FileReadOptions


def read_avro(paths: Paths, **options: Unpack[FileReadOptions]) -> Dataset:
    """Read Avro files; columns and their types are those of each file's schema.

    The library fastavro decodes them, in worker processes; one file is read by one worker.

    Args:
        paths: a path, glob or URI, or several.
        options: `filesystem` (one of pyarrow's or fsspec's), `partition_filter` (a function that
            chooses from a list of paths), `partitioning` (what columns the folders' names tell),
            `ignore_missing_paths`, `include_paths` (adds a column "path"), `shuffle` ("files", or a
            `FileShuffleConfig`), `file_extensions`, `arrow_open_stream_args` ({"compression": ...},
            see `read_csv`; only `read_avro` reads compressed files); `concurrency` (workers that
            read at once), `override_num_blocks` (in how many tasks), and what each
            takes, see `read_datasource`.

    Raises:
        ImportError: fastavro is not installed.
        FileNotFoundError: nothing is there.
        TypeError: an unknown option.

    """
    require("fastavro", extra="avro", needed_by="read_avro")
    from penstock.data.python_sources.avro import AvroDatasource

    files, read = divide("read_avro", options)
    return read_datasource(AvroDatasource(paths, **files), **read)


def read_audio(paths: Paths, **options: Unpack[FileReadOptions]) -> Dataset:
    """Read audio files, one row a file: "amplitude" and "sample_rate".

    "amplitude" is an array (channels, samples) of 32-bit floats between -1 and 1. The library
    soundfile decodes them, in worker processes. For the options and errors see `read_avro`.
    """
    require("soundfile", extra="audio", needed_by="read_audio")
    from penstock.data.python_sources.audio import AudioDatasource

    files, read = divide("read_audio", options)
    return read_datasource(AudioDatasource(paths, **files), **read)


def read_videos(
    paths: Paths,
    *,
    include_timestamps: bool = False,
    fps: float | None = None,
    resize: tuple[int, int] | None = None,
    **options: Unpack[FileReadOptions],
) -> Dataset:
    """Read video files, one row a frame: "frame" (height, width, RGB) and "frame_index".

    The library PyAV decodes them, in worker processes; one file is read by one worker. A file that
    ends before the last frame that its own index lists is refused, with PyAV 17 and later; of one
    without an index the frames before its end are read.

    Args:
        paths: a path, glob or URI, or several.
        include_timestamps: add "frame_timestamp": the frame's start and end in seconds.
        fps: take so many frames a second; None: all.
        resize: (height, width) that frames are brought to; needed where they differ.
        options: see `read_avro`.

    Raises:
        ImportError: PyAV is not installed.
        ValueError: `fps` or `resize` is not above 0.
        Others: see `read_avro`.

    """
    require("av", extra="video", needed_by="read_videos")
    from penstock.data.python_sources.video import VideoDatasource

    if fps is not None and fps <= 0:
        raise ValueError(f"fps must be above 0; got: {fps}")
    if resize is not None:
        height, width = resize
        resize = (arguments.at_least_one("resize", height), arguments.at_least_one("resize", width))
    files, read = divide("read_videos", options)
    source = VideoDatasource(
        paths, include_timestamps=include_timestamps, fps=fps, resize=resize, **files
    )
    return read_datasource(source, **read)
