"""Expressions that follow from where a row stands, and not from its values."""

from __future__ import annotations

from penstock.data.arguments import is_whole_number
from penstock.data.expressions.node import Expr, call

_SEED_MAX = 2**63


def monotonically_increasing_id() -> Expr:
    """Return a number (int64) for each row: a different one, rising in the order of the input.

    The numbers have gaps: the upper bits say in which piece of the input the row lies, the lower 33
    where in it. They follow from the input and the plan alone, whatever the workers. It numbers the
    input's rows: it fails after a function that may change how many there are, and after `union`
    and `zip`; `materialize()` between the two helps.
    """
    return Expr({"position": "id"})


def random(*, seed: int | None = None, reseed_after_execution: bool = True) -> Expr:
    """Return a number in [0, 1) for each row, drawn evenly.

    With a seed a row of the input gets the same number in every run, whatever the workers; without
    one, another number in every run. After a function that may change the number of rows a row
    stands for its place in its block; it fails after `union` and `zip`.

    Args:
        seed: a whole number.
        reseed_after_execution: Ray's; a seed always means the same numbers here.

    Raises:
        TypeError: the seed is no whole number.

    """
    del reseed_after_execution
    if seed is not None and not is_whole_number(seed):
        raise TypeError(f"seed must be a whole number or None; got: {seed!r}")
    number = None if seed is None else (int(seed) + _SEED_MAX) % (2 * _SEED_MAX) - _SEED_MAX
    return call(
        "row_random", Expr({"position": "place"}), Expr({"literal": number, "type": "int64"})
    )


def uuid() -> Expr:
    """Return a random UUID (version 4) as text for each row; others in every run."""
    return call("row_uuid", Expr({"position": "place"}))
