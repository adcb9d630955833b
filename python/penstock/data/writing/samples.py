"""Verbs that write samples for training: NumPy, images, TFRecord, WebDataset."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from penstock.data.functions import Shape, extend
from penstock.data.writing.file_names import names_rows
from penstock.data.writing.files import FileVerbs
from penstock.data.writing.options import FileOptions
from penstock.worker.name_rows import NAME_COLUMN, NameRows

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from penstock.data.dataset import Dataset
    from penstock.data.writing.save_mode import SaveMode


class SampleFileVerbs(FileVerbs):
    """write_numpy, write_images, write_tfrecords and write_webdataset."""

    def write_numpy(
        self,
        path: str | os.PathLike[str],
        *,
        column: str,
        filesystem: Any = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        min_rows_per_file: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        concurrency: int | None = None,
        num_rows_per_file: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
    ) -> None:
        """Run the data set and write a column as .npy files; see `WriteVerbs`.

        Numbers, truth values and times, alone or in tensors and lists of one shape. Nulls are NaN
        among floats and NaT among times, elsewhere an error.

        Args beside the shared ones:
            column: the column to write.
        """
        files = FileOptions(
            "write_numpy",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            min_rows_per_file or num_rows_per_file,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        self._write_files(
            files.verb,
            "numpy",
            files.for_engine(whole_file_codec=False),
            filename_provider=filename_provider,
            not_supported={"ray_remote_args": ray_remote_args},
            plan=self._only("write_numpy", column),
        )

    def write_images(
        self,
        path: str | os.PathLike[str],
        column: str,
        file_format: str = "png",
        *,
        filesystem: Any = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        ray_remote_args: dict[str, Any] | None = None,
        concurrency: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
    ) -> None:
        """Run the data set and write a column's images, a file a row; see `WriteVerbs`.

        Args beside the shared ones:
            filename_provider: where it defines `get_filename_for_row`, that names each file; it is
                called in a worker process with the whole row, the write's id, the number of the
                batch as the task, 0 as the block and the row's place in the batch. Names without
                an extension get the format's.
            column: tensors of uint8 of shape (height, width) or (height, width, 1, 3 or 4), which
                may differ from row to row; or binary that is encoded already, written as it is.
            file_format: "png", "bmp", "tif" or "tiff", which lose nothing, "jpg", "jpeg" or "webp",
                which do; for encoded images any extension.
        """
        files = FileOptions(
            "write_images",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        said = {**files.for_engine(whole_file_codec=False), "file_format": file_format}
        plan = self._only("write_images", column)
        if names_rows(filename_provider):
            said["name_column"] = NAME_COLUMN
            plan = extend(
                self._plan,
                self._context,
                "write_images",
                NameRows(filename_provider, column, uuid.uuid4().hex),
                shape=Shape(kind="batches", batch_format="pyarrow"),
                given={},
            )
            filename_provider = None
        self._write_files(
            files.verb,
            "image",
            said,
            filename_provider=filename_provider,
            not_supported={"ray_remote_args": ray_remote_args},
            plan=plan,
        )

    def write_tfrecords(
        self,
        path: str | os.PathLike[str],
        *,
        tf_schema: object = None,
        filesystem: Any = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        min_rows_per_file: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        concurrency: int | None = None,
        num_rows_per_file: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
    ) -> None:
        """Run the data set and write TFRecord files of tf.train.Example; see `WriteVerbs`.

        Integers and truth values become int64 lists, floats float lists (of 32 bits), text and
        binary bytes lists; lists and tensors are flattened; null is a feature without values.

        Args beside the shared ones:
            tf_schema: not supported.
        """
        files = FileOptions(
            "write_tfrecords",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            min_rows_per_file or num_rows_per_file,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        self._write_files(
            files.verb,
            "tfrecord",
            files.for_engine(whole_file_codec=True),
            filename_provider=filename_provider,
            not_supported={
                "tf_schema": tf_schema,
                "ray_remote_args": ray_remote_args,
            },
        )

    def write_webdataset(
        self,
        path: str | os.PathLike[str],
        *,
        filesystem: Any = None,
        try_create_dir: bool = True,
        arrow_open_stream_args: Mapping[str, Any] | None = None,
        filename_provider: object = None,
        min_rows_per_file: int | None = None,
        ray_remote_args: dict[str, Any] | None = None,
        encoder: Any = True,
        concurrency: int | None = None,
        num_rows_per_file: int | None = None,
        mode: SaveMode | str | None = None,
        on_mismatch: str = "error",
    ) -> None:
        """Run the data set and write WebDataset archives (.tar); see `WriteVerbs`.

        A row is a sample: a member `<key>.<column>` for each column that is not null. The key is
        the column `__key__`, or else the row's place in the output.

        Args beside the shared ones:
            encoder: True: text and binary as they are, else by what ends a column's name: json,
                npy, png, jpg, webp, tiff and bmp as such, all else as the value's text. None or
                False: text and binary only. A function, or a list of them, is mapped over the rows
                before.
        """
        files = FileOptions(
            "write_webdataset",
            path,
            filesystem,
            try_create_dir,
            arrow_open_stream_args,
            mode,
            min_rows_per_file or num_rows_per_file,
            concurrency=concurrency,
            on_mismatch=on_mismatch,
        )
        dataset = cast("Dataset", self)
        encoders = encoder if isinstance(encoder, (list, tuple)) else [encoder]
        for function in encoders:
            if callable(function):
                dataset = dataset.map(function)
        encode = any(bool(one) and not callable(one) for one in encoders)
        self._write_files(
            files.verb,
            "webdataset",
            {**files.for_engine(whole_file_codec=True), "encode": encode},
            filename_provider=filename_provider,
            not_supported={"ray_remote_args": ray_remote_args},
            plan=dataset._plan,  # noqa: SLF001 - its own
        )
