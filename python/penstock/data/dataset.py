"""`Dataset` and `MaterializedDataset`, put together from their verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from penstock.data import arguments
from penstock.data.combine import CombineVerbs
from penstock.data.consuming.aggregating import AggregateVerbs
from penstock.data.consuming.arrow_stream import ArrowStreamVerbs
from penstock.data.consuming.iterating import IterateVerbs
from penstock.data.consuming.notebook import NotebookView, materialized_html
from penstock.data.consuming.references import ReferenceVerbs
from penstock.data.consuming.sampling import SampleVerbs
from penstock.data.consuming.splitting import SplitVerbs
from penstock.data.transform import TransformVerbs
from penstock.data.writing.datasinks import SinkVerbs
from penstock.data.writing.tables import TableVerbs
from penstock.data.writing.verbs import WriteVerbs

if TYPE_CHECKING:
    from penstock._core import Block, LogicalPlan
    from penstock.data.context import DataContext
    from penstock.data.execution import Run


class Dataset(
    TransformVerbs,
    CombineVerbs,
    SampleVerbs,
    AggregateVerbs,
    SplitVerbs,
    IterateVerbs,
    ReferenceVerbs,
    ArrowStreamVerbs,
    WriteVerbs,
    SinkVerbs,
    TableVerbs,
    NotebookView,
):
    """A recipe for rows: where they are read, and what happens to them.

    Lazy: transforming only extends the plan; each consuming call runs it anew, unless the data
    set was materialised. Rows come in the order of the input, unless
    `DataContext.execution_options.preserve_order` is False.
    """

    @staticmethod
    def copy(ds: Dataset, _deep_copy: bool = False, _as: type | None = None) -> Dataset:  # noqa: FBT001, FBT002 - Ray's
        """Return a data set of its own with the same rows; plans and blocks are shared."""
        arguments.refuse("copy", {"_as": _as})
        return ds._copied()

    def _copied(self) -> Dataset:
        copied = self._derive(self._plan)
        copied.set_name(self._name)
        return copied

    def __len__(self) -> int:
        # AttributeError, as in Ray, so that list() and hasattr-style probes do not run the job.
        raise AttributeError(
            "Use `ds.count()` to compute the number of rows; a Dataset is lazy and has no len()"
        )

    def __iter__(self) -> NoReturn:
        raise TypeError(
            "A Dataset is not iterable; use `ds.iter_rows()`, `ds.iter_batches()` or "
            "`ds.take_all()`"
        )

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        schema = self._known_schema.one_line() if self._known_schema else "Unknown schema"
        name = f"name={self._name}, " if self._name else ""
        head = f"{type(self).__name__}({name}num_rows=?, schema={schema})"
        last, *before = self._plan.text().splitlines()
        return "\n".join([head, f"+- {last}", *(f"   {line}" for line in before)])


class MaterializedDataset(Dataset):
    """A data set whose rows are in memory: consuming it reads nothing again."""

    def __init__(
        self,
        plan: LogicalPlan,
        context: DataContext,
        blocks: list[Block] | None = None,
        *,
        last_run: Run | None = None,
    ) -> None:
        super().__init__(plan, context)
        self._blocks = blocks
        self._last_run = last_run

    def num_blocks(self) -> int:
        """Return the number of blocks."""
        if self._blocks is not None:
            return len(self._blocks)
        return self._plan.blocks_if_known() or len(self._held_blocks())

    def size_bytes(self) -> int:
        """Return the bytes that the rows take in memory."""
        return sum(block.nbytes for block in self._held_blocks())

    def materialize(self) -> MaterializedDataset:
        """Return this data set: it is in memory already."""
        return self

    def _copied(self) -> MaterializedDataset:
        copied = MaterializedDataset(
            self._plan, self._context.copy(), self._blocks, last_run=self._last_run
        )
        copied.set_name(self._name)
        return copied

    def _repr_html_(self) -> str:
        return materialized_html(self._name, self.schema(), self._held_blocks())

    def _held_blocks(self) -> list[Block]:
        if self._blocks is None:
            self._blocks = list(self._run().blocks())
        return self._blocks

    def __repr__(self) -> str:
        schema = self.schema()
        fields: dict[str, Any] = {
            "num_blocks": self.num_blocks(),
            "num_rows": self.count(),
            "schema": schema.one_line() if schema else "Unknown schema",
        }
        if self._name:
            fields = {"name": self._name, **fields}
        shown = ", ".join(f"{name}={value}" for name, value in fields.items())
        return f"{type(self).__name__}({shown})"
