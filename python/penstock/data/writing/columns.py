"""Verbs that write files of columns: Parquet, CSV, JSON, ORC, Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.writing import format_options
from penstock.data.writing.files import FileVerbs
from penstock.data.writing.options import FileOptions, merged

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from penstock.data.writing.save_mode import SaveMode

    Arguments = Callable[[], Mapping[str, Any]]


class ColumnFileVerbs(FileVerbs):
    """write_parquet, write_csv, write_json, write_orc and write_arrow."""

    def write_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        partition_cols: list[str] | None = None,
        filesystem: Any = None,
        catalog: object = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        arrow_parquet_args_fn: Arguments | None = None,
        min_rows_per_file: int | None = None,
        max_rows_per_file: int | None = None,
        min_bytes_per_file: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        concurrency: int | None = None,
        num_rows_per_file: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
        **arrow_parquet_args: Any,
    ) -> None:
        """Run the data set and write Parquet files into the folder `path`; see `WriteVerbs`.

        Args beside the shared ones:
            partition_cols: columns whose values name subfolders (`year=2020/`) and that the files
                then lack; null is `__HIVE_DEFAULT_PARTITION__`.
            max_rows_per_file: rows after which the next file begins.
            min_bytes_per_file: bytes, as the rows are in memory, that a file gathers before it is
                closed; with `min_rows_per_file` it gathers both.
            catalog: not supported.
            arrow_parquet_args: as pyarrow has them: `compression` ("snappy", "zstd", "none", …) and
                `compression_level`, each also by column in a dict; `use_dictionary` and
                `write_statistics`, each also a list of columns; `row_group_size`, `version`,
                `data_page_size`, `write_page_index`, `store_schema`,
                `use_compliant_nested_type`. Columns are named by their path in the file:
                "a", of lists "a.list.element", of structs "a.b".
            arrow_parquet_args_fn: returns more of these; its values count.
        """
        files = FileOptions(
            "write_parquet",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            min_rows_per_file or num_rows_per_file,
            max_rows_per_file,
            min_bytes_per_file=min_bytes_per_file,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        options = files.for_engine(whole_file_codec=False)
        options.update(
            format_options.parquet_options(merged(arrow_parquet_args, arrow_parquet_args_fn))
        )
        if partition_cols:
            options["partition_columns"] = arguments.column_list("partition_cols", partition_cols)
        self._write_files(
            files.verb,
            "parquet",
            options,
            filename_provider=filename_provider,
            not_supported={
                "catalog": catalog,
                "ray_remote_args": ray_remote_args,
            },
        )

    def write_csv(
        self,
        path: str | os.PathLike[str],
        *,
        filesystem: Any = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        arrow_csv_args_fn: Arguments | None = None,
        min_rows_per_file: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        concurrency: int | None = None,
        num_rows_per_file: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
        **arrow_csv_args: Any,
    ) -> None:
        """Run the data set and write CSV files into the folder `path`; see `WriteVerbs`.

        A null is an empty field, an empty text `""`. Lists, structs and tensors are an error.

        Args beside the shared ones:
            arrow_csv_args: `write_options`, a `pyarrow.csv.WriteOptions`.
            arrow_csv_args_fn: returns more of these; its values count.
        """
        files = FileOptions(
            "write_csv",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            min_rows_per_file or num_rows_per_file,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        given = merged(arrow_csv_args, arrow_csv_args_fn)
        self._write_files(
            files.verb,
            "csv",
            {
                **files.for_engine(whole_file_codec=True),
                **format_options.csv_write_options(given),
            },
            filename_provider=filename_provider,
            not_supported={"ray_remote_args": ray_remote_args},
        )

    def write_json(
        self,
        path: str | os.PathLike[str],
        *,
        filesystem: Any = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        pandas_json_args_fn: Arguments | None = None,
        min_rows_per_file: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        concurrency: int | None = None,
        num_rows_per_file: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
        **pandas_json_args: Any,
    ) -> None:
        """Run the data set and write JSON files, a row a line; see `WriteVerbs`.

        As pandas does it, but that integers, floats and decimals keep all their digits and binary
        is base64: NaN and infinities are null, times are milliseconds since 1970.

        Args beside the shared ones:
            pandas_json_args: `lines` (False: a file is one list), `force_ascii`, `date_format`
                ("epoch" or "iso"), `date_unit`, `compression`, and `orient="records"`.
            pandas_json_args_fn: returns more of these; its values count.
        """
        files = FileOptions(
            "write_json",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            min_rows_per_file or num_rows_per_file,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        given = merged(pandas_json_args, pandas_json_args_fn)
        self._write_files(
            files.verb,
            "json",
            {**files.for_engine(whole_file_codec=True), **format_options.json_options(given)},
            filename_provider=filename_provider,
            not_supported={"ray_remote_args": ray_remote_args},
        )

    def write_orc(
        self,
        path: str | os.PathLike[str],
        *,
        filesystem: Any = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        arrow_orc_args_fn: Arguments | None = None,
        min_rows_per_file: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        concurrency: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
        **arrow_orc_args: Any,
    ) -> None:
        """Run the data set and write ORC files into the folder `path`; see `WriteVerbs`.

        Tensors become lists, unsigned integers wider signed ones; times of day are an error.

        Args beside the shared ones:
            arrow_orc_args: `compression` ("zlib", "zstd", …), `batch_size`, `stripe_size`.
            arrow_orc_args_fn: returns more of these; its values count.
        """
        files = FileOptions(
            "write_orc",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            min_rows_per_file,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        given = merged(arrow_orc_args, arrow_orc_args_fn)
        self._write_files(
            files.verb,
            "orc",
            {**files.for_engine(whole_file_codec=False), **format_options.orc_options(given)},
            filename_provider=filename_provider,
            not_supported={"ray_remote_args": ray_remote_args},
        )

    def write_arrow(
        self,
        path: str | os.PathLike[str],
        *,
        filesystem: Any = None,
        try_create_dir: bool = True,
        filename_provider: object = None,
        min_rows_per_file: int | None = None,
        max_rows_per_file: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
        compression: str | None = None,
    ) -> None:
        """Run the data set and write Arrow (Feather) files; see `WriteVerbs`. Not in Ray.

        Args beside the shared ones:
            max_rows_per_file: rows after which the next file begins.
            compression: of the columns in the files: "lz4", "zstd" or None.
        """
        files = FileOptions(
            "write_arrow",
            path,
            filesystem,
            try_create_dir,
            None,
            mode,
            min_rows_per_file,
            max_rows_per_file,
            on_mismatch=on_mismatch,
        )
        options = files.for_engine(whole_file_codec=False)
        self._write_files(
            files.verb,
            "arrow",
            {**options, "compression": compression},
            filename_provider=filename_provider,
            not_supported={},
        )
