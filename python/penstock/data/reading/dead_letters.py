"""The rows that a job left out, as functions failed for them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from penstock import _core
from penstock.data.reading.columnar import read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

    from penstock.data.dataset import Dataset

_STAGE = re.compile(r"_stage(\d+)_")


def dead_letters(path: str | os.PathLike[str], *, stage: int | None = None) -> Dataset:
    """Return the rows that jobs with `on_error="dead_letter"` left out of an output, one a row.

    Columns: `stage` and `stage_index`, which stage failed, as `stats()` lists them; `function`, and
    `exception`, `message` and `traceback` of what it raised; `cause`: "exception", "bad_return",
    "crash", "timeout" or "out_of_memory"; `attempts`, how often the row was run, alone or among
    others; `source` and `source_row`, where it was read and which row it is there, counted from 0
    (null where a function had made several rows of one); `row`, a struct of the columns that the
    stage was given.

    Args:
        path: a local folder that a job wrote to.
        stage: only the rows that this stage left out, by its index. None: all; where several stages
            left rows out, whose columns differ, the result has no `row`.

    Raises:
        FileNotFoundError: no row was left out there.

    """
    folder = Path(os.fspath(path), _core.DEAD_LETTER_FOLDER)
    files = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    stages = {int(found[1]) for file in files if (found := _STAGE.search(file.name))}
    if stage is not None:
        files = [file for file in files if f"_stage{stage}_" in file.name]
    if not files:
        of_stage = "" if stage is None else f" by stage {stage}"
        raise FileNotFoundError(f"No row was left out here{of_stage}; got: {os.fspath(path)}")
    of_several = stage is None and len(stages) > 1
    schema = _without_rows(files[0]) if of_several else None
    return read_parquet([str(file) for file in files], schema=schema)


def _without_rows(file: Path) -> pa.Schema:
    """Return the columns that the letters of all stages have in common."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pa.schema([field for field in pq.read_schema(file) if field.name != "row"])
