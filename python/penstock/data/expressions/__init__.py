"""Expressions over columns, such as `col("a") > 3`, for `filter(expr=...)` and `with_column`.

An expression is data: the engine evaluates it on whole columns, with Arrow's compute functions.
Only the functions that `udf` makes, and `download`, run in workers.
"""

from __future__ import annotations

from typing import Any

from penstock.data import arguments
from penstock.data.expressions.expanded import star, unnest
from penstock.data.expressions.literals import literal_tree
from penstock.data.expressions.node import Expr, as_expr, call
from penstock.data.expressions.rows import monotonically_increasing_id, random, uuid
from penstock.data.expressions.udf import pyarrow_udf, udf

__all__ = [
    "Expr",
    "coalesce",
    "col",
    "download",
    "lit",
    "monotonically_increasing_id",
    "pyarrow_udf",
    "random",
    "star",
    "udf",
    "unnest",
    "uuid",
    "when",
]


def col(name: str) -> Expr:
    """Return the column `name`."""
    if not isinstance(name, str):
        raise TypeError(f"col() needs a column's name (str); got: {name!r}")
    arguments.check_column_name(name)
    return Expr({"column": name})


def lit(value: object) -> Expr:
    """Return a constant: None, a bool, number, text, bytes, date or time (NumPy's scalars too).

    A list (or a NumPy array) and a dict of such values are constants too: a list and a struct.

    Raises:
        TypeError: any other value.
        ValueError: text with a lone surrogate.

    """
    return Expr(literal_tree(value))


def coalesce(*values: object) -> Expr:
    """Return the first of the values that is not missing."""
    given = [value for value in map(as_expr, values) if value.tree != {"literal": None}]
    return call("coalesce", *given) if given else lit(None)


class When:
    """Cases of `when`, which `otherwise` ends."""

    __slots__ = ("_cases",)

    def __init__(self, cases: list[tuple[Expr, object]]) -> None:
        self._cases = cases

    def when(self, condition: Expr, value: object) -> When:
        """Add a case for the rows that none before it took."""
        return When([*self._cases, (condition, value)])

    def otherwise(self, value: object) -> Expr:
        """Return the expression; `value` is for the rows that no case took."""
        result = as_expr(value)
        for condition, chosen in reversed(self._cases):
            result = call("if_else", as_expr(condition).fill_null(False), chosen, result)
        return result


def when(condition: Expr, value: object) -> When:
    """Begin a choice: `when(col("a") > 3, "many").otherwise("few")`; null counts as false."""
    return When([(condition, value)])


def download(
    uri_column_name: str,
    *,
    filesystem: Any = None,
    allow_private_addresses: bool = False,
    max_bytes: int = 1 << 30,
    timeout_s: float = 60.0,
    connections: int = 16,
    on_error: str = "null",
) -> Expr:
    """Return the bytes that lie at each URI of a column; null for a null URI.

    A URI is a path, `file://`, `http://`, `https://`, or what pyarrow or fsspec opens (`s3://`,
    `gs://`, ...). As in Ray Data, a URI that cannot be read gives null; the first of a worker's is
    logged with its cause.

    HTTP to private, loopback, link-local and other addresses that are not public is refused,
    whatever name or redirect leads there: the name is looked up once, and the address that was
    checked is the one that is connected to. Proxies of the environment are not used, unless private
    addresses are allowed.

    Args:
        uri_column_name: the column of URIs.
        filesystem: a pyarrow or fsspec file system that all URIs are paths of.
        allow_private_addresses: let HTTP go to addresses that are not public too.
        max_bytes: a longer file counts as one that cannot be read.
        timeout_s: what may pass without an answer; a whole download may take ten times that.
        connections: downloads at once in each worker.
        on_error: "null", or "raise" to fail the job at the first URI that cannot be read.

    Raises:
        TypeError: `uri_column_name` is no column's name.
        ValueError: a limit below 1, or another `on_error`.

    """
    from penstock.data.expressions.download import Download
    from penstock.data.expressions.udf import PythonCall

    if on_error not in ("null", "raise"):
        raise ValueError(f"on_error must be 'null' or 'raise'; got: {on_error!r}")
    if timeout_s <= 0:
        raise ValueError(f"timeout_s must be above 0; got: {timeout_s}")
    function = Download(
        filesystem=filesystem,
        allow_private_addresses=allow_private_addresses,
        max_bytes=arguments.at_least_one("max_bytes", max_bytes),
        timeout_s=timeout_s,
        connections=arguments.at_least_one("connections", connections),
        on_error=on_error,
    )
    return PythonCall("download", function, "binary", streams=True).of(col(uri_column_name))
