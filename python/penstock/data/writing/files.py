"""How every verb that writes files runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.base import DatasetBase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock._core import LogicalPlan


class FileVerbs(DatasetBase):
    """What the verbs that write files share."""

    def _write_files(
        self,
        verb: str,
        kind: str,
        options: Mapping[str, Any],
        *,
        filename_provider: object,
        not_supported: Mapping[str, object],
        plan: LogicalPlan | None = None,
    ) -> None:
        """Run `plan`, or the data set's own, into files of a kind.

        `options` are the engine's, by `FileOptions.for_engine`, and a format's own.

        Raises:
            NotImplementedError: an option in `not_supported` is set.
            Exception: what ended the job.

        """
        arguments.refuse(verb, not_supported)
        plan = self._plan if plan is None else plan
        said = dict(options)
        file_system = said.pop("file_system", None)
        if filename_provider is None:
            self._run(plan.write(kind, json.dumps(said), None, file_system)).write()
            return
        from penstock.data.writing.file_names import NameGiver

        names = NameGiver(filename_provider)
        written = plan.write(kind, json.dumps(said), names.file_names, file_system)
        self._run(written, names).write()

    def _only(self, verb: str, column: str) -> LogicalPlan:
        """Return the plan with one column alone.

        Raises:
            TypeError: no column's name.

        """
        if not isinstance(column, str):
            raise TypeError(f"{verb} needs a column's name (str); got: {column!r}")
        return self._plan.project([(column, column)])
