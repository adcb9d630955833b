"""What every verb of a data set builds on: a plan, a context, and the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock._core import LogicalPlan
    from penstock.data.context import DataContext
    from penstock.data.dataset import Dataset
    from penstock.data.execution import Retry, Run
    from penstock.data.schema import Schema
    from penstock.data.writing.file_names import NameGiver


class DatasetBase:
    """Holds an immutable plan; made by readers and by other data sets, not by users."""

    def __init__(self, plan: LogicalPlan, context: DataContext) -> None:
        self._plan = plan
        self._context = context
        self._name: str | None = None
        self._known_schema: Schema | None = None
        self._last_run: Run | None = None

    @property
    def name(self) -> str | None:
        """The name given with `set_name`."""
        return self._name

    def set_name(self, name: str | None) -> None:
        """Give the data set a name, shown by its repr."""
        self._name = name

    @property
    def context(self) -> DataContext:
        """The settings copied when the data set was made; they may still be changed."""
        return self._context

    def explain(self) -> None:
        """Print the plan as written, the rules that change it, and the stages that will run."""
        print(self._plan.explain())  # noqa: T201 - as in Ray

    def __reduce__(self) -> tuple[Any, ...]:
        from penstock.data import travelling

        return travelling.unpacked, travelling.packed(self)

    def _column_names(self) -> list[str]:
        """Return the columns' names; may run the first row. Part of the consuming verbs."""
        raise NotImplementedError

    def _derive(self, plan: LogicalPlan) -> Dataset:
        from penstock.data.dataset import Dataset

        return Dataset(plan, self._context.copy())

    def _run(
        self,
        plan: LogicalPlan | None = None,
        names: NameGiver | None = None,
        retry: Retry | None = None,
    ) -> Run:
        """Return a run of `plan`, or of this data set; `stats` tells of it afterwards."""
        from penstock.data.execution import Run

        plan = self._plan if plan is None else plan
        self._last_run = Run(plan, self._context, names, retry)
        return self._last_run
