"""Turns assigned expressions into a plan: what is native for the engine, functions for workers.

A function of Python in an expression takes columns, so what it reads is assigned first where it is
more than a column; then a stage of workers adds its result as a column of its own, which takes its
place in the expression. Such columns are dropped in the end.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from penstock.data.expressions.udf import ColumnCall, ColumnFunctions, PythonCall
from penstock.data.functions import Shape, extend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock._core import LogicalPlan
    from penstock.data.context import DataContext
    from penstock.data.expressions.node import Expr
    from penstock.data.worker_arguments import FunctionArguments, WorkerArguments

    Tree = dict[str, Any]

_STREAM_ROWS = 256  # What one batch of downloads holds; its bytes are unknown beforehand.


def assign(
    plan: LogicalPlan,
    context: DataContext,
    operation: str,
    columns: Sequence[tuple[str, Expr]],
    workers: WorkerArguments,
) -> LogicalPlan:
    """Return `plan` with the columns assigned, all at once."""
    names = [name for name, _ in columns]
    steps = _Steps(plan, context, operation, workers)
    trees = steps.without_python([expr.tree for _, expr in columns])
    steps.assign(list(zip(names, trees, strict=True)))
    return steps.finished()


def keep_where(plan: LogicalPlan, context: DataContext, expr: Expr) -> LogicalPlan:
    """Return `plan` with the rows alone for which the expression is true."""
    steps = _Steps(plan, context, "filter", {})
    (tree,) = steps.without_python([expr.tree])
    steps.plan = steps.plan.filter(json.dumps(tree))
    return steps.finished()


class _Steps:
    """A plan that grows, and the columns to be dropped from it in the end."""

    def __init__(
        self, plan: LogicalPlan, context: DataContext, operation: str, workers: WorkerArguments
    ) -> None:
        self.plan = plan
        self._context = context
        self._operation = operation
        self._workers = workers
        self._helpers: list[str] = []

    def assign(self, columns: list[tuple[str, Tree]]) -> None:
        self.plan = self.plan.assign([(name, json.dumps(tree)) for name, tree in columns])

    def finished(self) -> LogicalPlan:
        return self.plan.drop(self._helpers) if self._helpers else self.plan

    def without_python(self, trees: list[Tree]) -> list[Tree]:
        """Add a stage for each level of functions, and return what is left of the trees."""
        while True:
            ready: dict[int, Tree] = {}
            for tree in trees:
                ready.update((id(node), node) for node in _innermost(tree))
            if not ready:
                return trees
            results = self._run(list(ready.values()))
            made = dict(zip(ready, results, strict=True))
            trees = [_replaced(tree, made) for tree in trees]

    def _run(self, nodes: list[Tree]) -> list[Tree]:
        """Add stages that call the functions; return what stands for the result of each."""
        operands: list[tuple[str, Tree]] = []
        calls = [self._column_call(node, operands) for node in nodes]
        if operands:
            self.assign(operands)
        together = [call for call in calls if not call.call.streams]
        if together:
            self._add_stage(together)
        for call in calls:
            if call.call.streams:
                self._add_stage([call])
        return [_result(call) for call in calls]

    def _column_call(self, node: Tree, operands: list[tuple[str, Tree]]) -> ColumnCall:
        call: PythonCall = node["python"]
        arguments = [self._operand(tree, operands) for tree in node["arguments"]]
        keywords = {name: self._operand(tree, operands) for name, tree in node["keywords"].items()}
        return ColumnCall(call, self._new_column(f"{call.name}()"), arguments, keywords)

    def _operand(self, tree: Tree, operands: list[tuple[str, Tree]]) -> tuple[str | None, Any]:
        if "constant" in tree:
            return None, tree["constant"]
        if "column" in tree:
            return tree["column"], None
        name = self._new_column("operand")
        operands.append((name, tree))
        return name, None

    def _new_column(self, what: str) -> str:
        self._helpers.append(f"{what} #{len(self._helpers) + 1} of {self._operation}")
        return self._helpers[-1]

    def _add_stage(self, calls: list[ColumnCall]) -> None:
        name = "+".join(dict.fromkeys(call.call.name for call in calls))
        streams = calls[0].call.streams
        stateful = any(call.call.constructor is not None for call in calls)
        stage: object = type(name, (ColumnFunctions,), {}) if stateful else ColumnFunctions(calls)
        if not stateful:
            stage.__name__ = name  # type: ignore[attr-defined]
        options = cast("FunctionArguments", {**self._workers})
        if stateful:
            options["fn_constructor_args"] = (calls,)
        shape = Shape(
            kind="batches",
            batch_format="pyarrow",
            batch_rows=_STREAM_ROWS if streams else None,
            keeps_rows=True,
        )
        self.plan = extend(
            self.plan, self._context, self._operation, stage, shape=shape, given=options
        )


def _result(call: ColumnCall) -> Tree:
    column = {"column": call.target}
    if call.call.return_type is None or call.call.streams:
        return column
    options = {"type": call.call.return_type}
    return {"call": "cast", "arguments": [column], "options": options}


def _operands(tree: Tree) -> list[Tree]:
    return [*tree.get("arguments", ()), *tree.get("keywords", {}).values()]


def _innermost(tree: Tree) -> Iterator[Tree]:
    """Yield the nodes of functions that take the result of no other."""
    inner = [node for operand in _operands(tree) for node in _innermost(operand)]
    if inner or "python" not in tree:
        yield from inner
    else:
        yield tree


def _replaced(tree: Tree, made: dict[int, Tree]) -> Tree:
    if id(tree) in made:
        return made[id(tree)]
    if "arguments" not in tree:
        return tree
    copy = dict(tree)
    copy["arguments"] = [_replaced(operand, made) for operand in tree["arguments"]]
    if "keywords" in tree:
        copy["keywords"] = {
            name: _replaced(value, made) for name, value in tree["keywords"].items()
        }
    return copy
