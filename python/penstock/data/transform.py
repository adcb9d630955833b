"""Verbs that extend a data set's plan. Nothing here runs anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.base import DatasetBase
from penstock.data.column_function import AddColumn
from penstock.data.functions import Call, Shape, Workers, extend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.data.arguments import BatchSize, Concurrency, UserFunction
    from penstock.data.dataset import Dataset
    from penstock.data.expressions import Expr


class TransformVerbs(DatasetBase):
    """map, map_batches, flat_map, filter, columns, limit, repartition.

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
        expr: Expr | str | None = None,
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

        `expr` is an expression (`col("a") > 3`) or its text ("a > 3"). It runs in the engine
        without any worker, may be pushed into the reader, and takes no other argument.
        """
        call = Call(fn_args, fn_kwargs, fn_constructor_args, fn_constructor_kwargs)
        workers = Workers(compute, concurrency, num_cpus, num_gpus, ray_remote_args)
        if (fn is None) == (expr is None):
            raise ValueError("filter needs exactly one of `fn` and `expr`")
        if expr is None:
            return self._extended("filter", fn, Shape(kind="filter_row"), call, workers)
        if call != Call() or workers != Workers():
            raise ValueError("filter(expr=...) takes no fn_args, compute, concurrency or resources")
        return self._derive(self._plan.filter(_expression(expr).to_json()))

    def add_column(
        self,
        col: str,
        fn: Callable[[Any], Any],
        *,
        batch_format: str | None = "pandas",
        compute: object = None,
        concurrency: Concurrency | None = None,
        num_cpus: float | None = None,
        num_gpus: float | None = None,
        **ray_remote_args: Any,
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
        return self._extended(
            "add_column",
            AddColumn(col, fn, batch_format),
            Shape(kind="batches", batch_format=batch_format, keeps_rows=True),
            Call(),
            Workers(compute, concurrency, num_cpus, num_gpus, ray_remote_args),
        )

    def select_columns(
        self,
        cols: str | Sequence[str],
        *,
        compute: object = None,
        concurrency: Concurrency | None = None,
        **ray_remote_args: Any,
    ) -> Dataset:
        """Keep only these columns, in this order. Runs in the engine, without workers."""
        _refuse_workers("select_columns", compute, concurrency, ray_remote_args)
        names = arguments.column_list("cols", cols)
        return self._derive(self._plan.project([(name, name) for name in names]))

    def drop_columns(
        self,
        cols: str | Sequence[str],
        *,
        compute: object = None,
        concurrency: Concurrency | None = None,
        **ray_remote_args: Any,
    ) -> Dataset:
        """Remove these columns. Runs in the engine, without workers."""
        _refuse_workers("drop_columns", compute, concurrency, ray_remote_args)
        return self._derive(self._plan.drop(arguments.column_list("cols", cols)))

    def rename_columns(
        self,
        names: Mapping[str, str] | Sequence[str],
        *,
        concurrency: Concurrency | None = None,
        **ray_remote_args: Any,
    ) -> Dataset:
        """Rename columns: {old: new}, or a list with a new name for every column.

        A list needs the schema, so it may run the first rows.
        """
        _refuse_workers("rename_columns", None, concurrency, ray_remote_args)
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

    def _extended(
        self, operation: str, fn: object, shape: Shape, call: Call, workers: Workers
    ) -> Dataset:
        plan = extend(
            self._plan, self._context, operation, fn, shape=shape, call=call, workers=workers
        )
        return self._derive(plan)


def _expression(expr: Expr | str) -> Expr:
    from penstock.data.expression_parser import parse
    from penstock.data.expressions import Expr

    if isinstance(expr, str):
        return parse(expr)
    if not isinstance(expr, Expr):
        raise TypeError(f"expr must be an expression or its text; got: {expr!r}")
    return expr


def _refuse_workers(
    operation: str,
    compute: object,
    concurrency: Concurrency | None,
    remote_options: Mapping[str, object],
) -> None:
    """Accept Ray's scheduling options, checked, where no worker takes part in the work."""
    if compute is not None and not hasattr(compute, "__dict__"):
        raise ValueError(f"``compute`` must be a strategy; got: {compute!r}")
    if concurrency is not None:
        arguments.check_concurrency(type, concurrency)
    known = {
        name: value
        for name, value in remote_options.items()
        if name not in ("num_cpus", "num_gpus")
    }
    arguments.check_remote_options(operation, known)
