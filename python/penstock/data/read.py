"""Data sets that are read from files or generated: `read_parquet`, `read_csv`, and `range`.

Reading is lazy: nothing but metadata is touched before the data set is consumed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from penstock._core import LogicalPlan
from penstock.data import arguments
from penstock.data.context import DataContext
from penstock.data.csv_options import csv_options
from penstock.data.dataset import Dataset
from penstock.data.paths import path_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.data.paths import Paths


def read_parquet(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Any,
) -> Dataset:
    """Read Parquet files; folders are searched through.

    Files whose columns differ are read as one: columns by name, in the order of the first file and
    then of those that add some; null where a file lacks a column; integers and floats in the type
    that holds both.

    Args:
        paths: a path, glob or URI, or several.
        columns: read only these columns, in this order.
        include_paths: add a column "path" with the file that each row came from.
        ignore_missing_paths: leave out paths that do not exist.
        file_extensions: leave out files with other endings; None: leave out those that a folder
            holds besides the format's own.
        parallelism: older name of `override_num_blocks`; -1: not set.
        override_num_blocks: in how many pieces the input is read.
        options: Ray's other options; only None and False are accepted.

    Raises:
        NotImplementedError: an option that this version does not support.
        ValueError: no path, or a number below 1.

    """
    reader = _file_options(paths, include_paths, ignore_missing_paths, file_extensions)
    arguments.refuse("read_parquet", options)
    plan = LogicalPlan.read("parquet", json.dumps(reader))
    dataset = _read(plan, parallelism, override_num_blocks)
    return dataset if columns is None else dataset.select_columns(columns)


def read_csv(
    paths: Paths,
    *,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    parse_options: Any = None,
    read_options: Any = None,
    convert_options: Any = None,
    **options: Any,
) -> Dataset:
    """Read CSV files with a header line; types follow from the values.

    `parse_options`, `read_options` and `convert_options` are those of `pyarrow.csv`: delimiter,
    quotes, escapes, column names and types, rows to skip and texts for null.
    The other arguments and errors are those of `read_parquet`.
    """
    reader = _file_options(paths, include_paths, ignore_missing_paths, file_extensions)
    arguments.refuse("read_csv", options)
    reader.update(
        csv_options(
            parse_options=parse_options,
            read_options=read_options,
            convert_options=convert_options,
        )
    )
    return _read(LogicalPlan.read("csv", json.dumps(reader)), parallelism, override_num_blocks)


def read_json(
    paths: Paths,
    *,
    lines: bool = False,
    include_paths: bool = False,
    ignore_missing_paths: bool = False,
    file_extensions: Sequence[str] | None = None,
    parallelism: int = -1,
    override_num_blocks: int | None = None,
    **options: Any,
) -> Dataset:
    """Read JSON files: an array of objects, or one object a line (`lines=True` insists on it).

    The text must be UTF-8, with objects and arrays at most 60 deep in each other.
    The other arguments and errors are those of `read_parquet`.
    """
    reader = _file_options(paths, include_paths, ignore_missing_paths, file_extensions)
    arguments.refuse("read_json", options)
    reader["lines"] = lines
    return _read(LogicalPlan.read("json", json.dumps(reader)), parallelism, override_num_blocks)


def range(
    n: int,
    *,
    parallelism: int = -1,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
) -> Dataset:
    """Make the integers from 0 up to `n` in a column "id"."""
    arguments.refuse("range", {"concurrency": concurrency})
    count = arguments.not_negative("n", n)
    plan = LogicalPlan.read("range", json.dumps({"count": count}))
    return _read(plan, parallelism, override_num_blocks)


def range_tensor(
    n: int,
    *,
    shape: tuple[int, ...] = (1,),
    parallelism: int = -1,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
) -> Dataset:
    """Make `n` tensors of `shape` in a column "data"; tensor i is filled with i."""
    arguments.refuse("range_tensor", {"concurrency": concurrency})
    reader = {
        "count": arguments.not_negative("n", n),
        "shape": [arguments.at_least_one("shape", size) for size in shape],
    }
    plan = LogicalPlan.read("range_tensor", json.dumps(reader))
    return _read(plan, parallelism, override_num_blocks)


def wished_splits(parallelism: int, override_num_blocks: int | None) -> int | None:
    """Return the number of pieces that the caller asked for; None: none.

    Raises:
        ValueError: below 1.

    """
    if override_num_blocks is not None:
        return arguments.at_least_one("override_num_blocks", override_num_blocks)
    if parallelism == -1:
        return None
    return arguments.at_least_one("parallelism", parallelism)


def _read(plan: LogicalPlan, parallelism: int, override_num_blocks: int | None) -> Dataset:
    splits = wished_splits(parallelism, override_num_blocks)
    if splits is not None:
        plan = plan.with_splits(splits)
    return Dataset(plan, DataContext.get_current().copy())


def _file_options(
    paths: Paths,
    include_paths: bool,  # noqa: FBT001 - passed on by position among readers only
    ignore_missing_paths: bool,  # noqa: FBT001 - passed on by position among readers only
    file_extensions: Sequence[str] | None,
) -> dict[str, Any]:
    return {
        "paths": path_list(paths),
        "include_paths": include_paths,
        "ignore_missing_paths": ignore_missing_paths,
        "file_extensions": None if file_extensions is None else list(file_extensions),
    }
