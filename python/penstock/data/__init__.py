"""Data sets that are read, transformed and written as streams, under Ray Data's names.

Nothing here is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazily import found

if TYPE_CHECKING:
    from penstock.data.consuming.summary import DatasetSummary
    from penstock.data.context import (
        DataContext,
        DatasetContext,
        ExecutionOptions,
        ExecutionResources,
    )
    from penstock.data.dataset import Dataset, MaterializedDataset
    from penstock.data.datasink import Datasink
    from penstock.data.datasource import Datasource, ReadTask
    from penstock.data.expressions import Expr, col, lit
    from penstock.data.filename_provider import FilenameProvider
    from penstock.data.iterator import DataIterator
    from penstock.data.length_grouping import GroupByLength
    from penstock.data.reading.columnar import read_feather, read_orc, read_parquet
    from penstock.data.reading.custom import read_datasource
    from penstock.data.reading.delta import read_delta
    from penstock.data.reading.file_shuffle import FileShuffleConfig
    from penstock.data.reading.frames import (
        from_blocks,
        from_daft,
        from_dask,
        from_modin,
        from_spark,
        from_tf,
    )
    from penstock.data.reading.huggingface import from_huggingface
    from penstock.data.reading.iceberg import read_iceberg
    from penstock.data.reading.lance import read_lance
    from penstock.data.reading.media import read_audio, read_avro, read_videos
    from penstock.data.reading.memory import from_arrow, from_items, from_numpy, from_pandas
    from penstock.data.reading.partitioning import Partitioning, PartitionStyle, PathPartitionFilter
    from penstock.data.reading.ranges import range, range_tensor
    from penstock.data.reading.records import read_tfrecords, read_webdataset
    from penstock.data.reading.references import (
        from_arrow_refs,
        from_numpy_refs,
        from_pandas_refs,
    )
    from penstock.data.reading.sql import read_sql
    from penstock.data.reading.text_files import read_csv, read_json, read_text
    from penstock.data.reading.torch_dataset import from_torch
    from penstock.data.reading.whole_files import read_binary_files, read_images, read_numpy
    from penstock.data.retries import Retries
    from penstock.data.schema import Schema
    from penstock.data.strategy import ActorPoolStrategy, TaskPoolStrategy, ThreadPoolStrategy
    from penstock.data.writing.file_datasink import BlockBasedFileDatasink, RowBasedFileDatasink
    from penstock.data.writing.verbs import SaveMode

__all__ = [
    "ActorPoolStrategy",
    "BlockBasedFileDatasink",
    "DataContext",
    "DataIterator",
    "Dataset",
    "DatasetContext",
    "DatasetSummary",
    "Datasink",
    "Datasource",
    "ExecutionOptions",
    "ExecutionResources",
    "Expr",
    "FileShuffleConfig",
    "FilenameProvider",
    "GroupByLength",
    "MaterializedDataset",
    "PartitionStyle",
    "Partitioning",
    "PathPartitionFilter",
    "ReadTask",
    "Retries",
    "RowBasedFileDatasink",
    "SaveMode",
    "Schema",
    "TaskPoolStrategy",
    "ThreadPoolStrategy",
    "col",
    "from_arrow",
    "from_arrow_refs",
    "from_blocks",
    "from_daft",
    "from_dask",
    "from_huggingface",
    "from_items",
    "from_modin",
    "from_numpy",
    "from_numpy_refs",
    "from_pandas",
    "from_pandas_refs",
    "from_spark",
    "from_tf",
    "from_torch",
    "lit",
    "range",
    "range_tensor",
    "read_audio",
    "read_avro",
    "read_binary_files",
    "read_csv",
    "read_datasource",
    "read_delta",
    "read_feather",
    "read_iceberg",
    "read_images",
    "read_json",
    "read_lance",
    "read_numpy",
    "read_orc",
    "read_parquet",
    "read_sql",
    "read_text",
    "read_tfrecords",
    "read_videos",
    "read_webdataset",
]

_MODULES = {
    "context": ("DataContext", "DatasetContext", "ExecutionOptions", "ExecutionResources"),
    "dataset": ("Dataset", "MaterializedDataset"),
    "datasink": ("Datasink",),
    "datasource": ("Datasource", "ReadTask"),
    "reading.delta": ("read_delta",),
    "expressions": ("Expr", "col", "lit"),
    "writing.file_datasink": ("BlockBasedFileDatasink", "RowBasedFileDatasink"),
    "filename_provider": ("FilenameProvider",),
    "reading.file_shuffle": ("FileShuffleConfig",),
    "reading.frames": (
        "from_blocks",
        "from_daft",
        "from_dask",
        "from_modin",
        "from_spark",
        "from_tf",
    ),
    "reading.huggingface": ("from_huggingface",),
    "retries": ("Retries",),
    "reading.iceberg": ("read_iceberg",),
    "iterator": ("DataIterator",),
    "length_grouping": ("GroupByLength",),
    "reading.lance": ("read_lance",),
    "reading.memory": ("from_arrow", "from_items", "from_numpy", "from_pandas"),
    "reading.partitioning": ("PartitionStyle", "Partitioning", "PathPartitionFilter"),
    "reading.ranges": ("range", "range_tensor"),
    "reading.columnar": ("read_feather", "read_orc", "read_parquet"),
    "reading.text_files": ("read_csv", "read_json", "read_text"),
    "reading.custom": ("read_datasource",),
    "reading.media": ("read_audio", "read_avro", "read_videos"),
    "reading.whole_files": ("read_binary_files", "read_images", "read_numpy"),
    "schema": ("Schema",),
    "reading.records": ("read_tfrecords", "read_webdataset"),
    "reading.references": ("from_arrow_refs", "from_numpy_refs", "from_pandas_refs"),
    "reading.sql": ("read_sql",),
    "strategy": ("ActorPoolStrategy", "TaskPoolStrategy", "ThreadPoolStrategy"),
    "consuming.summary": ("DatasetSummary",),
    "reading.torch_dataset": ("from_torch",),
    "writing.verbs": ("SaveMode",),
}
_SUBMODULES = frozenset({"aggregate"})
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF and name not in _SUBMODULES:
        from penstock.data.reading.absent import INSTEAD

        hint = f"; {INSTEAD[name]}" if name in INSTEAD else ""
        raise AttributeError(f"module 'penstock.data' has no attribute {name!r}{hint}")
    return found(__name__, name, _MODULE_OF, _SUBMODULES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
