"""`read_lance`, and what `ds.write_lance` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from penstock.data.optional import require
from penstock.data.reading.custom import read_datasource
from penstock.data.reading.paths import path_text
from penstock.data.writing.save_mode import mode_among
from penstock.data.writing.stream import write_stream

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    import pyarrow as pa

    from penstock.data.dataset import Dataset
    from penstock.data.reading.read_options import ReadOptions
    from penstock.data.writing.save_mode import SaveMode

_MODES = {
    "create": "create",
    "error": "create",
    "ignore": "create",
    "append": "append",
    "overwrite": "overwrite",
}


def read_lance(
    uri: str | os.PathLike[str],
    *,
    version: int | str | None = None,
    columns: Sequence[str] | None = None,
    filter: str | None = None,
    storage_options: Mapping[str, str] | None = None,
    scanner_options: Mapping[str, Any] | None = None,
    **options: Unpack[ReadOptions],
) -> Dataset:
    """Read a Lance data set with its own library, in worker processes.

    Args:
        uri: where the data set lies.
        version: a number or tag; None: the newest when this is called.
        columns: read only these columns.
        filter: keep the rows for which this SQL condition is true.
        storage_options: passed to `lance.dataset`.
        scanner_options: passed to the data set's `scanner`.
        options: those of `read_datasource`, such as `concurrency` and `override_num_blocks`.

    Raises:
        ImportError: the library (pylance) is not installed.

    """
    require("lance", extra="lance", needed_by="read_lance")
    from penstock.data.python_sources.lance import LanceDatasource

    scan = dict(scanner_options or {})
    if columns is not None:
        scan["columns"] = list(columns)
    if filter is not None:
        scan["filter"] = filter
    source = LanceDatasource(
        path_text(uri), version=version, storage_options=storage_options, scanner_options=scan
    )
    return read_datasource(source, **options)


def write_lance(
    dataset: Dataset,
    path: str | os.PathLike[str],
    *,
    schema: pa.Schema | None,
    mode: SaveMode | str,
    max_rows_per_file: int,
    data_storage_version: str | None,
    storage_options: Mapping[str, str] | None,
) -> None:
    """Run the data set and write it as one version of a Lance data set."""
    require("lance", extra="lance", needed_by="write_lance")
    name = mode_among("write_lance", mode, _MODES)
    if name == "ignore" and _is_there(path_text(path), storage_options):
        return

    def write(reader: pa.RecordBatchReader) -> None:
        import lance

        lance.write_dataset(
            reader,
            path_text(path),
            mode=_MODES[name],
            max_rows_per_file=max_rows_per_file,
            data_storage_version=cast("Any", data_storage_version),  # The library names those.
            storage_options=dict(storage_options) if storage_options else None,
        )

    write_stream(dataset, write, schema)


def _is_there(path: str, storage_options: Mapping[str, str] | None) -> bool:
    """Whether a data set can be opened; what cannot be opened is written to, which may fail."""
    import lance

    try:
        lance.dataset(path, storage_options=dict(storage_options) if storage_options else None)
    except (OSError, ValueError):
        return False
    return True
