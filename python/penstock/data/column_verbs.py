"""Verbs that add, replace, choose, drop and rename columns. Nothing here runs anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack, cast

from penstock.data import arguments
from penstock.data.base import DatasetBase
from penstock.data.expressions.column_function import AddColumn
from penstock.data.functions import Shape, extend
from penstock.data.worker_arguments import WorkerArguments, check_names, check_unused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.data.dataset import Dataset
    from penstock.data.expressions import Expr
    from penstock.data.length_grouping import AddLengths
    from penstock.data.worker_arguments import FunctionArguments

_STRUCT = "struct of unnest"


class ColumnVerbs(DatasetBase):
    """add_column, with_column, with_columns, select_columns, drop_columns, rename_columns."""

    def with_column(
        self,
        column_name: str,
        expr: Expr,
        **options: Unpack[WorkerArguments],
    ) -> Dataset:
        """Add or replace the column `column_name` by what an expression yields, row by row.

        The engine computes it without workers, but for what `udf` and `download` take part in: that
        runs in workers, for which the other arguments are.

        Raises:
            TypeError: not a name, or not an expression.

        """
        return self.with_columns({column_name: expr}, **options)

    def with_columns(
        self,
        exprs: Mapping[str, Expr] | Iterable[Expr] | Expr | None = None,
        *more_exprs: Expr,
        **options: Unpack[WorkerArguments],
    ) -> Dataset:
        """Add or replace several columns at once; see `with_column`.

        All expressions read the columns as they are before. Give {name: expression}, or expressions
        that `alias` named, `unnest` and `star` among them; new columns come last, in this order.

        Raises:
            TypeError: not expressions.
            ValueError: none, one without a name, or a name twice.

        """
        from penstock.data.expressions.stages import assign

        columns = _named_expressions(exprs, more_exprs, self._fields_of)
        if not columns:
            return self._derive(self._plan)  # Nothing but star() was asked for.
        check_unused("with_columns", options)
        return self._derive(assign(self._plan, self._context, "with_column", columns, options))

    def add_column(
        self,
        col: str,
        fn: Callable[[Any], Any],
        *,
        batch_format: str | None = "pandas",
        **options: Unpack[WorkerArguments],
    ) -> Dataset:
        """Add or replace the column `col` by what `fn` returns for a batch: one value a row.

        `fn` gets a DataFrame, or what `batch_format` ("pandas", "numpy", "pyarrow") says.
        """
        if not isinstance(col, str):
            raise TypeError(f"add_column needs a column's name (str); got: {col!r}")
        arguments.check_column_name(col)
        if not callable(fn) or isinstance(fn, type):
            raise ValueError(  # noqa: TRY004 - as in Ray
                f"add_column needs a function; got: {fn!r}"
            )
        if batch_format not in ("pandas", "numpy", "pyarrow"):
            raise ValueError(
                "The batch format of add_column must be 'pandas', 'numpy' or 'pyarrow'; "
                f"got: {batch_format!r}"
            )
        check_names("add_column", options, WorkerArguments)
        shape = Shape(kind="batches", batch_format=batch_format, keeps_rows=True)
        given = cast("FunctionArguments", options)
        return self._extended("add_column", AddColumn(col, fn, batch_format), shape, given)

    def select_columns(
        self, cols: str | Sequence[str], **options: Unpack[WorkerArguments]
    ) -> Dataset:
        """Keep only these columns, in this order. Runs in the engine, without workers."""
        check_unused("select_columns", options)
        names = arguments.column_list("cols", cols)
        return self._derive(self._plan.project([(name, name) for name in names]))

    def drop_columns(
        self, cols: str | Sequence[str], **options: Unpack[WorkerArguments]
    ) -> Dataset:
        """Remove these columns. Runs in the engine, without workers."""
        check_unused("drop_columns", options)
        return self._derive(self._plan.drop(arguments.column_list("cols", cols)))

    def rename_columns(
        self,
        names: Mapping[str, str] | Sequence[str],
        **options: Unpack[WorkerArguments],
    ) -> Dataset:
        """Rename columns: {old: new}, or a list with a new name for every column.

        A list needs the schema, so it may run the first rows.
        """
        check_unused("rename_columns", options)
        if isinstance(names, str) or not names:
            raise ValueError(f"names must be {{old: new}} or a list of new names; got: {names!r}")
        if isinstance(names, Mapping):
            old = arguments.column_list("names", names)
            new = arguments.column_list("names", list(names.values()))
        else:
            new = arguments.column_list("names", names)
            old = self._column_names()
            if len(old) != len(new):
                raise ValueError(
                    f"names must hold a name for each of the {len(old)} columns "
                    f"({', '.join(old)}); got {len(new)}: {new}"
                )
        return self._derive(self._plan.rename(list(zip(old, new, strict=True))))

    def _fields_of(self, struct: Expr) -> list[str]:
        """Return the names of a struct's fields; may run the first rows."""
        schema = self.with_columns({_STRUCT: struct}).select_columns([_STRUCT]).schema()
        kind = None if schema is None else schema.types[0]
        if kind is None or not hasattr(kind, "fields"):
            raise TypeError(f"unnest() needs a struct; got: {kind} of {struct!r}")
        return [field.name for field in kind.fields]

    def _extended(
        self, operation: str, fn: object, shape: Shape, options: FunctionArguments
    ) -> Dataset:
        return self._derive(
            extend(self._plan, self._context, operation, fn, shape=shape, given=options)
        )

    def _with_lengths(self, lengths: AddLengths) -> Dataset:
        """Return the rows with the hidden column by which `map_batches` groups them."""
        shape = Shape(kind="batches", batch_format="packed", keeps_rows=True)
        return self._extended("map_batches", lengths, shape, {})


def _named_expressions(
    exprs: Mapping[str, Expr] | Iterable[Expr] | Expr | None,
    more_exprs: tuple[Expr, ...],
    fields_of: Callable[[Expr], list[str]],
) -> list[tuple[str, Expr]]:
    from penstock.data.expressions import Expr
    from penstock.data.expressions.expanded import Several

    pairs: list[tuple[object, object]] = []
    if isinstance(exprs, Mapping):
        pairs = list(exprs.items())
    elif exprs is not None:
        listed = [exprs] if isinstance(exprs, Expr) else list(exprs)
        pairs = [(getattr(expr, "name", None), expr) for expr in listed]
    pairs += [(getattr(expr, "name", None), expr) for expr in more_exprs]
    if not pairs:
        raise ValueError("with_columns needs at least one expression")
    columns: list[tuple[str, Expr]] = []
    for name, expr in pairs:
        if isinstance(expr, Several) and not isinstance(exprs, Mapping):
            columns += expr.columns(fields_of)
        else:
            columns.append(_named(name, expr))
    if columns:
        arguments.column_list("exprs", [name for name, _ in columns])
    return columns


def _named(name: object, expr: object) -> tuple[str, Expr]:
    from penstock.data.expressions import Expr
    from penstock.data.expressions.expanded import Several

    if not isinstance(expr, Expr):
        raise TypeError(f"A column needs an expression such as col('a') + 1; got: {expr!r}")
    if isinstance(expr, Several):
        raise TypeError(f"star() and unnest() name their columns themselves; got: {name!r}")
    if name is None:
        raise ValueError(f"An expression without a name needs .alias('name'); got: {expr!r}")
    if not isinstance(name, str):
        raise TypeError(f"A column's name must be text (str); got: {name!r}")
    return name, expr
