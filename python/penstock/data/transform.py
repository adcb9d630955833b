"""Verbs that extend a data set's plan. Nothing here runs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.column_verbs import ColumnVerbs
from penstock.data.functions import Call, Shape, Workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow.compute as pc

    from penstock.data.arguments import BatchSize, Concurrency, UserFunction
    from penstock.data.dataset import Dataset
    from penstock.data.expressions import Expr


class TransformVerbs(ColumnVerbs):
    """map, map_batches, flat_map, filter, limit, repartition.

    The verbs that take a function share these arguments:
        fn: a function, or a class that each worker builds once and then calls.
        compute: `ActorPoolStrategy` for a class, `TaskPoolStrategy` for a function.
        concurrency: workers, as a number, or for a class (min, max) or (min, max, initial).
        fn_args, fn_kwargs: passed to each call after the batch or row.
        fn_constructor_args, fn_constructor_kwargs: passed to the class once a worker.
        num_cpus, num_gpus: what one worker takes of the machine.
    They raise TypeError or ValueError for arguments that contradict each other, and
    NotImplementedError for options of Ray's that this version does not support.
    """

    def map_batches(
        self,
        fn: UserFunction,
        *,
        batch_size: BatchSize = None,
        compute: object = None,
        batch_format: str | None = "default",
        zero_copy_batch: bool = True,
        fn_args: Iterable[Any] | None = None,
        fn_kwargs: Mapping[str, Any] | None = None,
        fn_constructor_args: Iterable[Any] | None = None,
        fn_constructor_kwargs: Mapping[str, Any] | None = None,
        num_cpus: float | None = None,
        num_gpus: float | None = None,
        concurrency: Concurrency | None = None,
        udf_modifying_row_count: bool = True,
        **ray_remote_args: Any,
    ) -> Dataset:
        """Apply `fn` to batches; it returns a batch, or yields several.

        An empty dict is a batch without rows, unless `fn` keeps their number
        (`udf_modifying_row_count=False`): then it is as many rows without columns.

        Args:
            fn: see the class.
            batch_size: rows of a batch; None and "auto": whole blocks of about 16 MiB.
            compute: see the class.
            batch_format: "numpy" (also "default"), "pandas" or "pyarrow" (also None).
            zero_copy_batch: False hands `fn` a copy of its own. Batches may be changed in place
                either way.
            fn_args: see the class.
            fn_kwargs: see the class.
            fn_constructor_args: see the class.
            fn_constructor_kwargs: see the class.
            num_cpus: see the class.
            num_gpus: see the class.
            concurrency: see the class.
            udf_modifying_row_count: False promises one row out for one row in, in order, which
                lets limits stop the readers earlier.
            ray_remote_args: Ray's other options; see the class.

        """
        return self._extended(
            "map_batches",
            fn,
            Shape(
                kind="batches",
                batch_format=arguments.batch_format_name(batch_format),
                batch_rows=arguments.batch_rows(batch_size, gpus=num_gpus),
                zero_copy=zero_copy_batch,
                keeps_rows=not udf_modifying_row_count,
            ),
            Call(fn_args, fn_kwargs, fn_constructor_args, fn_constructor_kwargs),
            Workers(compute, concurrency, num_cpus, num_gpus, ray_remote_args),
        )

    def map(
        self,
        fn: UserFunction,
        *,
        compute: object = None,
        fn_args: Iterable[Any] | None = None,
        fn_kwargs: Mapping[str, Any] | None = None,
        fn_constructor_args: Iterable[Any] | None = None,
        fn_constructor_kwargs: Mapping[str, Any] | None = None,
        num_cpus: float | None = None,
        num_gpus: float | None = None,
        concurrency: Concurrency | None = None,
        **ray_remote_args: Any,
    ) -> Dataset:
        """Replace each row (a dict) by the dict that `fn` returns for it."""
        return self._extended(
            "map",
            fn,
            Shape(kind="row", keeps_rows=True),
            Call(fn_args, fn_kwargs, fn_constructor_args, fn_constructor_kwargs),
            Workers(compute, concurrency, num_cpus, num_gpus, ray_remote_args),
        )

    def flat_map(
        self,
        fn: UserFunction,
        *,
        compute: object = None,
        fn_args: Iterable[Any] | None = None,
        fn_kwargs: Mapping[str, Any] | None = None,
        fn_constructor_args: Iterable[Any] | None = None,
        fn_constructor_kwargs: Mapping[str, Any] | None = None,
        num_cpus: float | None = None,
        num_gpus: float | None = None,
        concurrency: Concurrency | None = None,
        **ray_remote_args: Any,
    ) -> Dataset:
        """Replace each row by the dicts, none or many, that `fn` returns or yields for it."""
        return self._extended(
            "flat_map",
            fn,
            Shape(kind="flat_row"),
            Call(fn_args, fn_kwargs, fn_constructor_args, fn_constructor_kwargs),
            Workers(compute, concurrency, num_cpus, num_gpus, ray_remote_args),
        )

    def filter(
        self,
        fn: UserFunction | None = None,
        expr: Expr | pc.Expression | str | None = None,
        *,
        compute: object = None,
        fn_args: Iterable[Any] | None = None,
        fn_kwargs: Mapping[str, Any] | None = None,
        fn_constructor_args: Iterable[Any] | None = None,
        fn_constructor_kwargs: Mapping[str, Any] | None = None,
        num_cpus: float | None = None,
        num_gpus: float | None = None,
        concurrency: Concurrency | None = None,
        **ray_remote_args: Any,
    ) -> Dataset:
        """Keep the rows for which `fn` returns a true value, or for which `expr` is true.

        `expr` is an expression (`col("a") > 3`), one of pyarrow's (`pc.field("a") > 3`), or its
        text ("a > 3"). It runs in the engine without any worker, may be pushed into the reader, and
        takes no other argument.
        """
        call = Call(fn_args, fn_kwargs, fn_constructor_args, fn_constructor_kwargs)
        workers = Workers(compute, concurrency, num_cpus, num_gpus, ray_remote_args)
        if (fn is None) == (expr is None):
            raise ValueError("filter needs exactly one of `fn` and `expr`")
        if expr is None:
            return self._extended("filter", fn, Shape(kind="filter_row"), call, workers)
        if call != Call() or workers != Workers():
            raise ValueError("filter(expr=...) takes no fn_args, compute, concurrency or resources")
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

        Give exactly one of `num_blocks` and `target_num_rows_per_block`.

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
