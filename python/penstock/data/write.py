"""Verbs that run a data set and write what comes out."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.base import DatasetBase
from penstock.data.paths import path_text

if TYPE_CHECKING:
    import os


class SaveMode(enum.Enum):
    """What to do where the output folder holds files already."""

    APPEND = "append"
    OVERWRITE = "overwrite"
    IGNORE = "ignore"
    ERROR = "error"
    CREATE = "create"
    UPSERT = "upsert"


class WriteVerbs(DatasetBase):
    """write_parquet."""

    def write_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        partition_cols: list[str] | None = None,
        filesystem: object = None,
        try_create_dir: bool = True,
        filename_provider: object = None,
        min_rows_per_file: int | None = None,
        max_rows_per_file: int | None = None,
        min_bytes_per_file: int | None = None,
        num_rows_per_file: int | None = None,
        mode: SaveMode | str = SaveMode.APPEND,
        concurrency: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        **arrow_parquet_args: Any,
    ) -> None:
        """Run the data set and write Parquet files into the folder `path`.

        The files appear together, when all rows are written; a failed or interrupted job leaves
        none. Where rows differ in their columns or types, a file ends and the next begins;
        `read_parquet` reads them as one. A result without rows is one file with its columns,
        unless a function decides them.

        Args:
            path: the output folder.
            partition_cols: not supported yet.
            filesystem: not supported yet.
            try_create_dir: make the folder where it does not exist.
            filename_provider: not supported yet.
            min_rows_per_file: rows that a file gathers before it is closed.
            max_rows_per_file: rows after which the next file begins.
            min_bytes_per_file: not supported yet.
            num_rows_per_file: Ray's older name for `min_rows_per_file`.
            mode: a `SaveMode`, or its value as a string: add to what the folder holds (APPEND),
                replace it (OVERWRITE), write nothing (IGNORE), or fail (ERROR, CREATE).
            concurrency: not supported yet.
            ray_remote_args: not supported yet.
            arrow_parquet_args: `compression` ("snappy", "zstd", "none", …), `row_group_size`.

        Raises:
            ValueError: an unknown mode, or limits that contradict each other.
            FileExistsError: the folder holds files and the mode is ERROR.
            OSError: the system refuses to write there; the message holds its reason.
            SchemaMismatchError: a column holds text in some rows and numbers in others.
            NotImplementedError: an option that this version does not support.

        """
        arguments.refuse(
            "write_parquet",
            {
                "partition_cols": partition_cols,
                "filesystem": filesystem,
                "filename_provider": filename_provider,
                "min_bytes_per_file": min_bytes_per_file,
                "concurrency": concurrency,
                "ray_remote_args": ray_remote_args,
            },
        )
        options = {
            "path": path_text(path),
            "mode": _mode(mode),
            "create_folder": try_create_dir,
            **_rows_per_part(min_rows_per_file or num_rows_per_file, max_rows_per_file),
            **_parquet_options(arrow_parquet_args),
        }
        self._run(self._plan.write("parquet", json.dumps(options))).drain()


def _mode(mode: SaveMode | str) -> str:
    try:
        known = mode if isinstance(mode, SaveMode) else SaveMode(str(mode).lower())
    except ValueError:
        names = ", ".join(member.value for member in SaveMode)
        raise ValueError(f"mode must be a SaveMode or one of {names}; got: {mode!r}") from None
    if known is SaveMode.UPSERT:
        raise NotImplementedError("write_parquet does not support the mode: upsert")
    return "error" if known is SaveMode.CREATE else known.value


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


def _parquet_options(given: dict[str, Any]) -> dict[str, Any]:
    rest = dict(given)
    options: dict[str, Any] = {}
    if "compression" in rest:
        compression = rest.pop("compression")
        options["compression"] = "none" if compression is None else str(compression).lower()
    if "row_group_size" in rest:
        rows = rest.pop("row_group_size")
        options["row_group_rows"] = arguments.at_least_one("row_group_size", rows)
    arguments.refuse("write_parquet", rest)
    return options
