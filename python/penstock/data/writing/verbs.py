"""Verbs that run a data set and write what comes out as files."""

from __future__ import annotations

from penstock.data.writing.columns import ColumnFileVerbs
from penstock.data.writing.samples import SampleFileVerbs
from penstock.data.writing.save_mode import SaveMode

__all__ = ["SaveMode", "WriteVerbs"]


class WriteVerbs(ColumnFileVerbs, SampleFileVerbs):
    """All verbs that write files. The args that they share, as in Ray.

    Without a `mode` a job that was cut off goes on: a ledger in `<path>/_penstock/` says which
    chunks of the input are done, and their files are there, whole. The same job run again does
    what is left, or nothing; `_SUCCESS` says that all is there. On an object store, and with a
    `mode`, the files appear together, when all is written; a failed or interrupted job leaves none,
    and what a killed one leaves is hidden and goes with the next write to the folder. Where rows
    differ in their columns or types, a file ends and the next begins. A result without rows is
    one file with its columns (none where a function decides them: then Parquet, CSV, JSON, ORC
    and Arrow have an empty file, others no file), unless rows are files of their own. Where columns
    name folders it lies in the folder of nulls.

    Args:
        path: the output folder, as a path or URI. On an object store the files are written on this
            machine first and appear one by one at the end; what a killed job leaves there stays.
        filesystem: one of pyarrow's or of fsspec's that the path is on; None: the path says.
        try_create_dir: make the folder where it does not exist.
        arrow_open_stream_args: `compression` of whole files ("gzip", "zstd", "bz2", "lz4"); the
            names then end in that codec's suffix.
        filename_provider: a `FilenameProvider`; its `get_filename_for_task` names the files, one a
            part of the output, a number added where a part has several.
        min_rows_per_file: rows that a file gathers before it is closed.
        num_rows_per_file: Ray's older name for `min_rows_per_file`.
        mode: a `SaveMode`, or its value as a string: add to what the folder holds (APPEND),
            replace it (OVERWRITE), write nothing (IGNORE), or fail (ERROR, CREATE). None: go on
            with the same job; on an object store as APPEND.
        on_mismatch: without a `mode`, where another job has written the output: "error", or
            "restart", which removes what that one has written.
        concurrency: threads that write at once; None: as many as there are processors.
        ray_remote_args: not supported.

    Raises:
        ValueError: an unknown mode, limits that contradict each other, or a column that the
            format cannot hold; the message names it.
        FileExistsError: the folder holds files and the mode is ERROR.
        JobChangedError: another job has written the output; the message says what differs.
        OutputTakenError: another run writes the output, and lives.
        CorruptDataError: the ledger is damaged; the message names the entry.
        OSError: the system refuses to write there; the message holds its reason.
        SchemaMismatchError: a column holds text in some rows and numbers in others.
        NotImplementedError: an option that this version does not support.

    """
