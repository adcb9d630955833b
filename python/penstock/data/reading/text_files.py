"""Data sets of files of text: `read_csv`, `read_json`, `read_text`.

Reading is lazy: only the first rows of the first files are looked into before the data set is
consumed. A long file that is not compressed is read in pieces, by all processors at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data.reading.csv_options import csv_options
from penstock.data.reading.file_arguments import HIVE, FileArguments
from penstock.data.reading.text_options import encoding_name, json_options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from penstock.data.dataset import Dataset
    from penstock.data.reading.engine_options import EngineReadOptions
    from penstock.data.reading.file_arguments import PathFilter
    from penstock.data.reading.file_shuffle import FileShuffleConfig
    from penstock.data.reading.partitioning import Partitioning
    from penstock.data.reading.paths import Paths


def read_csv(
    paths: Paths,
    *,
    parse_options: Any = None,
    read_options: Any = None,
    convert_options: Any = None,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = HIVE,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read CSV files with a header line; types follow from the values.

    Types and columns are those that the first rows of the first 16 files show. A later value that
    needs a wider type, or a file with more columns, widens the blocks from there on; a number in a
    column of text is text, a text in a column of numbers is an error. Expressions see each block
    as it is: name the types (`column_types` of `convert_options`), or cast, where whole numbers may
    turn into fractions late.

    Args:
        paths: a path, glob or URI, or several; folders are searched through.
        parse_options: `pyarrow.csv.ParseOptions`: delimiter, quotes, escapes.
        read_options: `pyarrow.csv.ReadOptions`: column names, rows to skip, encoding.
        convert_options: `pyarrow.csv.ConvertOptions`: types, texts for null, true and false,
            timestamp formats, columns.
        filesystem: one of pyarrow's or fsspec's that the paths are on; None: they say.
        partition_filter: takes the list of files and returns those to read, such as a
            `PathPartitionFilter`.
        partitioning: what columns the folders' names tell; None: none.
        include_paths: add a column "path" with the file that each row came from.
        ignore_missing_paths: leave out paths that do not exist.
        shuffle: "files", or a `FileShuffleConfig`: read the files in an order drawn at random.
        file_extensions: leave out files with other endings; None: leave out those that a folder
            holds besides the format's own.
        parallelism: older name of `override_num_blocks`; -1: not set.
        override_num_blocks: in about how many pieces the input is read, as far as it can be cut.
        options: `concurrency` (pieces read at once), `num_cpus`, `num_gpus`, `memory`,
            `ray_remote_args` and `arrow_open_stream_args` ({"compression": ...}), see
            `EngineReadOptions` (`penstock.data.reading.engine_options`).

    Raises:
        NotImplementedError: an option or a file system that this version does not support.
        ValueError: no path, or a number below 1.

    """
    reader = csv_options(
        parse_options=parse_options,
        read_options=read_options,
        convert_options=convert_options,
    )
    columns = list(getattr(convert_options, "include_columns", None) or [])
    files = FileArguments(
        operation="read_csv",
        paths=paths,
        filesystem=filesystem,
        partition_filter=partition_filter,
        partitioning=partitioning,
        include_paths=include_paths,
        ignore_missing_paths=ignore_missing_paths,
        shuffle=shuffle,
        file_extensions=file_extensions,
        parallelism=parallelism,
        override_num_blocks=override_num_blocks,
    )
    return files.dataset("csv", reader, options, columns=columns or None)


def read_json(
    paths: Paths,
    *,
    lines: bool = False,
    read_options: Any = None,
    parse_options: Any = None,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = HIVE,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    """Read JSON files: an array of objects, or one object a line (`lines=True` insists on it).

    The text must be UTF-8, with objects and arrays at most 60 deep in each other. `read_options`
    and `parse_options` are those of `pyarrow.json`; what they say of its own speed is passed over.
    `explicit_schema` of `parse_options` names types. Types, the other arguments and errors are
    those of `read_csv`.
    """
    reader = {"lines": lines, **json_options(read_options, parse_options)}
    files = FileArguments(
        operation="read_json",
        paths=paths,
        filesystem=filesystem,
        partition_filter=partition_filter,
        partitioning=partitioning,
        include_paths=include_paths,
        ignore_missing_paths=ignore_missing_paths,
        shuffle=shuffle,
        file_extensions=file_extensions,
        parallelism=parallelism,
        override_num_blocks=override_num_blocks,
    )
    return files.dataset("json", reader, options)


def read_text(
    paths: Paths,
    *,
    encoding: str = "utf-8",
    drop_empty_lines: bool = True,
    filesystem: Any = None,
    partition_filter: PathFilter | None = None,
    partitioning: Partitioning | None = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    shuffle: str | FileShuffleConfig | None = None,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Unpack[EngineReadOptions],
) -> Dataset:
    r"""Read files of text, a line a row, in a column "text".

    Lines end with "\n", "\r\n" or a lone "\r", which are not part of them.

    Args:
        paths: see `read_csv`.
        encoding: of the text.
        drop_empty_lines: leave out lines of nothing but white space.
        filesystem: see `read_csv`; so are the other arguments and errors.
        partition_filter: see there.
        partitioning: see there.
        include_paths: see there.
        ignore_missing_paths: see there.
        shuffle: see there.
        file_extensions: see there; None: all.
        parallelism: see there.
        override_num_blocks: see there.
        options: see there.

    """
    reader = {"encoding": encoding_name(encoding), "drop_empty_lines": drop_empty_lines}
    files = FileArguments(
        operation="read_text",
        paths=paths,
        filesystem=filesystem,
        partition_filter=partition_filter,
        partitioning=partitioning,
        include_paths=include_paths,
        ignore_missing_paths=ignore_missing_paths,
        shuffle=shuffle,
        file_extensions=file_extensions,
        parallelism=parallelism,
        override_num_blocks=override_num_blocks,
    )
    return files.dataset("text", reader, options)
