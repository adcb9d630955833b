"""Runs the rows again that a job left out, and adds what becomes of them to its output."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from penstock import ledger
from penstock.data.base import DatasetBase
from penstock.data.execution import Retry

if TYPE_CHECKING:
    from penstock.data.dataset import Dataset

_STAGE = re.compile(r"_stage(\d+)_")
_NO_STAGE = -1  # The engine finds no rows of it, and only ends what was cut off.


class Retried(NamedTuple):
    """What became of rows that were run again.

    `rows` were run again, which made `written` rows of the output; `failed` are dead letters now.
    """

    rows: int
    written: int
    failed: int


def retry_dead(path: str | os.PathLike[str], dataset: Dataset) -> Retried:
    """Run the rows again that a job with `on_error="dead_letter"` left out, and only these.

    They go from the stage that failed for them through the rest of the plan into new files of the
    same output, written as the others are; their names sort after those of the others, so that the
    rows come last. For each stage that left rows out, the last one first, there is one run and one
    commit: from then on its rows are in the new files and no dead letters any more. Cut off before
    that, a run has changed nothing, and can be made again.

    Rows that fail again stay dead letters, with what they failed of now, where they came from at
    first, and all attempts of the stage added up. `on_error` and `max_errors` hold as in any job.
    Where nothing is left out, nothing is done.

    Args:
        path: a local folder that a finished job wrote to, without a mode.
        dataset: the data set that was written there, with its functions mended: of the same
            stages, by name and number, as `dead_letters` tells them. The rows are taken from the
            dead letters, so the input need not be there any more, and what comes before the stage
            that failed is not run. The functions should give the same columns as before. Functions
            that `write_webdataset` was given as encoders are stages too: add them with `map`.

    Raises:
        FileNotFoundError: no job has kept a ledger there.
        JobChangedError: the data set has other stages; the message names the stage.
        OutputTakenError: another run writes there.
        TypeError: no data set.
        ValueError: the job is not done: run it again first; or it is one with a `limit`, a `zip`
            or rows drawn by position behind the stage that failed, where what becomes of a row
            depends on the others.
        Exception: what ended a run; the rows of its stage are dead letters as before.

    """
    if not isinstance(dataset, DatasetBase):
        raise TypeError(f"retry_dead needs the Dataset that was written; got: {dataset!r}")
    folder = os.fspath(path)
    before = ledger.entries(folder)
    dead = ledger.dead_rows(before)
    stages = sorted({int(found[1]) for name in dead if (found := _STAGE.search(name))})
    for stage in reversed(stages or [_NO_STAGE]):
        dataset._run(retry=Retry(folder, stage)).write()  # noqa: SLF001 - of this package
    after = ledger.entries(folder)
    return Retried(
        rows=sum(dead.values()),
        written=sum(ledger.rows_of(entry["files"]) for entry in after[len(before) :]),
        failed=sum(ledger.dead_rows(after).values()),
    )
