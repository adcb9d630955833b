"""Verbs that write tables of other formats through their own libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from penstock.data import arguments
from penstock.data.base import DatasetBase
from penstock.data.writing.save_mode import SaveMode

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pyarrow as pa

    from penstock.data.dataset import Dataset


class TableVerbs(DatasetBase):
    """write_lance, write_delta, write_iceberg.

    The library writes in this process while the job's rows come, and commits when all have come:
    a job that fails or is interrupted leaves the table as it was. All rows must have the columns
    and types of the first ones.
    """

    def write_lance(
        self,
        path: str | os.PathLike[str],
        *,
        schema: pa.Schema | None = None,
        mode: SaveMode | str = SaveMode.CREATE,
        min_rows_per_file: int = 1024 * 1024,  # noqa: ARG002 - files are filled up in any case
        max_rows_per_file: int = 64 * 1024 * 1024,
        data_storage_version: str | None = None,
        storage_options: Mapping[str, str] | None = None,
        ray_remote_args: Mapping[str, Any] | None = None,
        concurrency: int | None = None,
        **options: Any,
    ) -> None:
        """Run the data set and write it as a Lance data set.

        Args:
            path: where the data set lies.
            schema: columns and types to write; None: those of the first rows.
            mode: create (which fails where one is there), ignore (which runs nothing then), append,
                or overwrite.
            min_rows_per_file: files are filled up to `max_rows_per_file` in any case.
            max_rows_per_file: rows after which the next file begins.
            data_storage_version: the version of Lance's format.
            storage_options: passed to `lance.write_dataset`.
            ray_remote_args: not supported.
            concurrency: not supported: the library writes with threads of its own.
            options: Ray's other options; none is supported.

        Raises:
            ImportError: the library (pylance) is not installed.
            SchemaMismatchError: rows differ in their columns.

        """
        from penstock.data.reading.lance import write_lance

        refused = {"ray_remote_args": ray_remote_args, "concurrency": concurrency, **options}
        arguments.refuse("write_lance", refused)
        write_lance(
            cast("Dataset", self),
            path,
            schema=schema,
            mode=mode,
            max_rows_per_file=arguments.at_least_one("max_rows_per_file", max_rows_per_file),
            data_storage_version=data_storage_version,
            storage_options=storage_options,
        )

    def write_delta(
        self,
        path: str | os.PathLike[str],
        *,
        mode: SaveMode | str = SaveMode.APPEND,
        partition_by: list[str] | str | None = None,
        storage_options: Mapping[str, str] | None = None,
        schema_mode: str | None = "merge",
        name: str | None = None,
        description: str | None = None,
        **options: Any,
    ) -> None:
        """Run the data set and write it as one version of a Delta Lake table.

        Tensors become lists, those of several dimensions lists of lists.

        Args:
            path: where the table lies.
            mode: append, overwrite, ignore, or error (create).
            partition_by: columns by which files are divided.
            storage_options: passed to `deltalake.write_deltalake`.
            schema_mode: "merge" adds columns that the table lacks; None refuses them.
            name: the name of a new table.
            description: the description of a new table.
            options: Ray's other options; none is supported.

        Raises:
            ImportError: deltalake is not installed.
            SchemaMismatchError: rows differ in their columns, or a column's tensors in shape.

        """
        from penstock.data.reading.delta import write_delta

        arguments.refuse("write_delta", options)
        write_delta(
            cast("Dataset", self),
            path,
            mode=mode,
            partition_by=partition_by,
            storage_options=storage_options,
            schema_mode=schema_mode,
            name=name,
            description=description,
        )

    def write_iceberg(  # noqa: PLR0917 - as in Ray
        self,
        table_identifier: str | tuple[str, ...],
        catalog_kwargs: Mapping[str, Any] | None = None,
        catalog: Any = None,
        snapshot_properties: Mapping[str, str] | None = None,
        mode: SaveMode | str = SaveMode.APPEND,
        overwrite_filter: Any = None,
        upsert_kwargs: Mapping[str, Any] | None = None,
        overwrite_kwargs: Mapping[str, Any] | None = None,
        ray_remote_args: Mapping[str, Any] | None = None,
        concurrency: int | None = None,
    ) -> None:
        """Run the data set and write it to an Iceberg table that exists, in one transaction.

        Args:
            table_identifier: the table's name, such as "default.taxi".
            catalog_kwargs: passed to `pyiceberg.catalog.load_catalog`.
            catalog: a catalog that is loaded already, instead of `catalog_kwargs`.
            snapshot_properties: properties of the snapshot.
            mode: append; overwrite; upsert, which replaces the rows that have the same keys and
                adds the others, and holds all rows of the data set in memory; error (or create),
                which fails where the table holds rows; or ignore, which runs nothing then.
            overwrite_filter: which rows are replaced; None: all. For overwrite alone.
            upsert_kwargs: passed to the transaction's `upsert`, such as {"join_cols": [...]}, the
                keys; None: the table's identifier fields. For upsert alone.
            overwrite_kwargs: passed to the transaction's `overwrite`. For overwrite alone.
            ray_remote_args: not supported.
            concurrency: not supported: the library writes with threads of its own.

        Raises:
            FileExistsError: the table holds rows, and `mode` is error.
            ImportError: pyiceberg is not installed.
            SchemaMismatchError: rows cannot be brought to the table's columns.
            ValueError: an unknown mode, or an argument of another one.

        """
        from penstock.data.reading.iceberg import write_iceberg

        refused = {"ray_remote_args": ray_remote_args, "concurrency": concurrency}
        arguments.refuse("write_iceberg", refused)
        write_iceberg(
            cast("Dataset", self),
            table_identifier,
            catalog_kwargs=catalog_kwargs,
            catalog=catalog,
            snapshot_properties=snapshot_properties,
            mode=mode,
            overwrite_filter=overwrite_filter,
            upsert_kwargs=upsert_kwargs,
            overwrite_kwargs=overwrite_kwargs,
        )
