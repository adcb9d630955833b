"""Expressions from text in Python's syntax, such as "a > 3 and b is not None"."""

from __future__ import annotations

import ast
import functools
import operator
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.data.expressions import coalesce, col, lit
from penstock.data.expressions.node import Expr, as_expr

if TYPE_CHECKING:
    from collections.abc import Callable


def parse(text: str) -> Expr:
    """Read an expression in Python's syntax; bare names are columns.

    Comparisons (chained too), `in`, `is None`, and, or, not, arithmetic, constants, the functions
    `abs`, `coalesce`, `col`, `is_in`, `is_nan`, `is_null`, `is_valid` and `lit`, the methods of
    expressions that `_METHODS` lists, and those of their namespaces: `a.str.lower()`,
    `a.list[0]`, `a.struct["b"]`.

    Raises:
        ValueError: not Python, or a construct that is not listed above, which is named.

    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"expr is not a Python expression ({error.msg}): {text!r}") from None
    try:
        return as_expr(_translate(tree.body))
    except (TypeError, _UnsupportedSyntaxError) as error:
        raise ValueError(f"expr cannot hold {error}: {text!r}") from None


class _UnsupportedSyntaxError(Exception):
    pass


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Expr]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: as_expr(left).is_in(right),
    ast.NotIn: lambda left, right: as_expr(left).not_in(right),
    ast.Is: lambda left, right: as_expr(left).is_null() if right is None else _no_is(),
    ast.IsNot: lambda left, right: as_expr(left).is_not_null() if right is None else _no_is(),
}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Expr]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.Not: lambda value: ~as_expr(value),
    ast.Invert: lambda value: ~as_expr(value),
}
_FUNCTIONS: dict[str, Callable[..., Expr]] = {
    "abs": abs,
    "coalesce": coalesce,
    "col": col,
    "is_in": lambda value, values: as_expr(value).is_in(values),
    "is_nan": lambda value: as_expr(value).is_nan(),
    "is_null": lambda value: as_expr(value).is_null(),
    "is_valid": lambda value: as_expr(value).is_not_null(),
    "lit": lit,
}
_METHODS = frozenset(
    {
        "abs",
        "between",
        "cast",
        "ceil",
        "fill_null",
        "floor",
        "is_in",
        "is_nan",
        "is_not_null",
        "is_null",
        "not_in",
        "round",
        "sqrt",
        "trunc",
    }
)
_NAMESPACES = frozenset({"arr", "dt", "list", "map", "str", "struct"})
_INDEXED = frozenset({"list", "struct"})


def _translate(node: ast.expr) -> Any:  # noqa: C901, PLR0911 - one return for each construct
    """Return an Expr, or a plain Python value where Python itself would have one."""
    match node:
        case ast.Name(id=name):
            return col(name)
        case ast.Constant(value=value):
            return value
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return [_translate(element) for element in elements]
        case ast.BoolOp(op=op, values=values):
            combine = operator.and_ if isinstance(op, ast.And) else operator.or_
            return functools.reduce(combine, (as_expr(_translate(value)) for value in values))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_translate(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](as_expr(_translate(left)), _translate(right))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _compare(left, ops, comparators)
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
            return _called(_FUNCTIONS[name], node)
        case ast.Call(func=ast.Attribute(value=owner, attr=name)):
            return _called(_method(node, owner, name), node)
        case ast.Subscript(
            value=ast.Attribute(value=owner, attr=name), slice=ast.Constant(value=key)
        ) if name in _INDEXED:
            return getattr(as_expr(_translate(owner)), name)[key]
    raise _UnsupportedSyntaxError(ast.unparse(node))


def _called(function: Callable[..., Any], node: ast.Call) -> Any:
    if any(keyword.arg is None for keyword in node.keywords):
        raise _UnsupportedSyntaxError(ast.unparse(node))
    operands = [_translate(argument) for argument in node.args]
    return function(*operands, **{str(k.arg): _translate(k.value) for k in node.keywords})


def _method(node: ast.Call, owner: ast.expr, name: str) -> Callable[..., Any]:
    """Return the method of an expression, or of one of its namespaces."""
    value: Any = None
    match owner:
        case ast.Attribute(value=inner, attr=namespace) if namespace in _NAMESPACES:
            value = getattr(as_expr(_translate(inner)), namespace)
            known = not name.startswith("_") and hasattr(value, name)
        case _:
            known = name in _METHODS
            value = as_expr(_translate(owner)) if known else None
    if not known:
        raise _UnsupportedSyntaxError(ast.unparse(node))
    method: Callable[..., Any] = getattr(value, name)
    return method


def _compare(left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr]) -> Expr:
    values = [_translate(node) for node in (left, *comparators)]
    steps = [_COMPARISONS[type(op)](as_expr(values[i]), values[i + 1]) for i, op in enumerate(ops)]
    return functools.reduce(operator.and_, steps)


def _no_is() -> NoReturn:
    raise _UnsupportedSyntaxError("`is` with anything but None")
