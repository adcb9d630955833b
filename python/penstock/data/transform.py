"""Verbs that extend a data set's plan. Nothing here runs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from penstock.data import arguments
from penstock.data.column_verbs import ColumnVerbs
from penstock.data.functions import Shape
from penstock.data.length_grouping import made_grouping
from penstock.data.worker_arguments import FunctionArguments, check_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow.compute as pc

    from penstock.data.arguments import BatchSize, UserFunction
    from penstock.data.dataset import Dataset
    from penstock.data.expressions import Expr
    from penstock.data.length_grouping import GroupByLength


class TransformVerbs(ColumnVerbs):
    """map, map_batches, flat_map, filter, limit, repartition.

    The verbs that take a function share the keyword arguments of `FunctionArguments`
    (`penstock.data.worker_arguments`): who runs it, on what, what it is called with, and what
    becomes of workers that fail. `fn` is a function, or a class that each worker builds once and
    then calls. Either may be written with `async`: then four batches of a worker are under way at
    once, or sixteen rows of a batch, and results keep their order.

    They raise TypeError or ValueError for arguments that contradict each other, and
    NotImplementedError for options of Ray's that this version does not support.
    """

    def map_batches(
        self,
        fn: UserFunction,
        *,
        batch_size: BatchSize = None,
        batch_format: str | None = "default",
        zero_copy_batch: bool = True,
        udf_modifying_row_count: bool | None = None,
        group_by_length: str | Callable[..., Any] | GroupByLength | None = None,
        **options: Unpack[FunctionArguments],
    ) -> Dataset:
        """Apply `fn` to batches; it returns a batch, or yields several.

        With `num_gpus`, a function that runs out of GPU memory is called again with halves of its
        batch, as it was before the call; what fits is remembered. Not one written with `async`: its
        calls overlap, so none of them can tell how much fits, and the error ends the job.

        An empty dict is a batch without rows, unless `fn` keeps their number
        (`udf_modifying_row_count=False`): then it is as many rows without columns.

        Args:
            fn: see the class.
            batch_size: rows of a batch. None: whole blocks of about 16 MiB, but with `num_gpus` as
                "auto": batches that grow from small, by measured time and bytes. With a
                `max_padded_length` that alone bounds a batch, in either case.
            batch_format: "numpy" (also "default"): a dict of arrays; "pandas": a DataFrame;
                "pyarrow" (also None): a Table; "torch": a dict of tensors over the same memory,
                on the worker's GPU where `num_gpus` asks for one; "arrow_c": an object with
                Arrow's C interface over the same memory, for any library that speaks it.
            zero_copy_batch: False hands `fn` a copy of its own. Batches may be changed in place
                either way.
            udf_modifying_row_count: False promises one row out for one row in, in order, which
                lets limits stop the readers earlier. None: True, unless `group_by_length` asks for
                that promise.
            group_by_length: gives `fn` batches of rows of like length, so that little of them is
                padding, and puts the rows back into their order behind it: a column's name, a
                function of batches that returns their rows' lengths, or a `GroupByLength`. `fn`
                must return one row for one row. Needs a number as `batch_size`, or
                `max_padded_length`.
            options: see the class.

        """
        grouping = made_grouping(group_by_length)
        rows = arguments.batch_rows(batch_size)
        on_gpus = bool(options.get("num_gpus"))
        grows = grouping is None and (batch_size == "auto" or (batch_size is None and on_gpus))
        keeps_rows = udf_modifying_row_count is not None and not udf_modifying_row_count
        if grouping is not None:
            if udf_modifying_row_count:
                raise ValueError(
                    "group_by_length puts rows back into their order, so the function must keep "
                    "their number; leave out one of them: group_by_length, udf_modifying_row_count"
                )
            if rows is None and grouping.max_padded_length is None:
                raise ValueError(
                    "group_by_length needs a number as batch_size, or "
                    "GroupByLength(..., max_padded_length=...); "
                    f"got: {grouping} and batch_size={batch_size!r}"
                )
        shape = Shape(
            kind="batches",
            batch_format=arguments.batch_format_name(batch_format),
            batch_rows=rows,
            grows_batches=grows,
            zero_copy=zero_copy_batch,
            keeps_rows=keeps_rows or grouping is not None,
            by_length=None if grouping is None else grouping.grouping(),
        )
        lengths = None if grouping is None else grouping.length_function()
        before = self if lengths is None else self._with_lengths(lengths)
        return before._extended("map_batches", fn, shape, options)  # noqa: SLF001 - one of its own

    def map(self, fn: UserFunction, **options: Unpack[FunctionArguments]) -> Dataset:
        """Replace each row (a dict) by the dict that `fn` returns for it."""
        return self._extended("map", fn, Shape(kind="row", keeps_rows=True), options)

    def flat_map(self, fn: UserFunction, **options: Unpack[FunctionArguments]) -> Dataset:
        """Replace each row by the dicts, none or many, that `fn` returns or yields for it."""
        return self._extended("flat_map", fn, Shape(kind="flat_row"), options)

    def filter(
        self,
        fn: UserFunction | None = None,
        expr: Expr | pc.Expression | str | None = None,
        **options: Unpack[FunctionArguments],
    ) -> Dataset:
        """Keep the rows for which `fn` returns a true value, or for which `expr` is true.

        `expr` is an expression (`col("a") > 3`), one of pyarrow's (`pc.field("a") > 3`), or its
        text ("a > 3"). It runs in the engine without any worker, may be pushed into the reader, and
        takes no other argument.
        """
        if (fn is None) == (expr is None):
            raise ValueError("filter needs exactly one of `fn` and `expr`")
        if expr is None:
            return self._extended("filter", fn, Shape(kind="filter_row"), options)
        check_names("filter", options, FunctionArguments)
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise ValueError(
                f"filter(expr=...) takes no arguments of workers; leave out: {', '.join(given)}"
            )
        from penstock.data.expressions.stages import keep_where

        return self._derive(keep_where(self._plan, self._context, _expression(expr)))

    def limit(self, limit: int) -> Dataset:
        """Keep the first `limit` rows; what lies behind them is not read."""
        return self._derive(self._plan.limit(arguments.not_negative("limit", limit)))

    def repartition(
        self,
        num_blocks: int | None = None,
        target_num_rows_per_block: int | None = None,
        *,
        strict: bool = False,  # noqa: ARG002 - blocks always have exactly the size asked for
        shuffle: bool = False,
        keys: Sequence[str] | None = None,
        sort: bool = False,
    ) -> Dataset:
        """Cut the rows into blocks anew, in their order.

        Give exactly one of `num_blocks` and `target_num_rows_per_block`. A writer that follows at
        once makes a file of each block, unless it was asked for a least size of its files.

        Args:
            num_blocks: exactly so many blocks, or one a row where there are fewer rows; their
                sizes differ by one row at most. Each block must fit the memory budget, and all
                of them together where the number of rows is not known beforehand (after a
                filter or a function that may change it): else the job ends with
                `BudgetTooSmallError`.
            target_num_rows_per_block: exactly so many rows a block; the last has what is left.
            strict: blocks always have exactly the size asked for.
            shuffle: not supported yet.
            keys: not supported yet.
            sort: not supported yet.

        """
        arguments.refuse("repartition", {"shuffle": shuffle, "keys": keys, "sort": sort})
        if (num_blocks is None) == (target_num_rows_per_block is None):
            raise ValueError(
                "repartition needs exactly one of `num_blocks` and `target_num_rows_per_block`"
            )
        if num_blocks is not None:
            count = arguments.at_least_one("num_blocks", num_blocks)
            return self._derive(self._plan.repartition(blocks=count))
        rows = arguments.at_least_one("target_num_rows_per_block", target_num_rows_per_block)
        return self._derive(self._plan.repartition(rows_per_block=rows))


def _expression(expr: Any) -> Expr:
    from penstock.data.expressions import Expr
    from penstock.data.expressions.from_arrow import from_arrow, is_arrow_expression
    from penstock.data.expressions.parser import parse

    if isinstance(expr, str):
        return parse(expr)
    if is_arrow_expression(expr):
        return from_arrow(expr)
    if not isinstance(expr, Expr):
        raise TypeError(f"expr must be an expression or its text; got: {expr!r}")
    return expr
