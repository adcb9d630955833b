"""pyarrow's own expressions (`pyarrow.compute.field("a") > 3`) as ours."""

from __future__ import annotations

import json
import sys
from typing import Any

from penstock.data.expressions.node import Expr


def is_arrow_expression(value: object) -> bool:
    """Return whether the value is an expression of pyarrow's. Imports nothing."""
    compute = sys.modules.get("pyarrow.compute")
    return compute is not None and isinstance(value, compute.Expression)


def from_arrow(expression: Any) -> Expr:
    """Return the same expression in our form.

    Raises:
        NotImplementedError: it holds a function's options, a constant or a column by number that
            have no form here; which, is named.

    """
    from penstock._core import expression_from_arrow

    # What pickle keeps of it is Arrow's serialised form, which the engine's Arrow reads back.
    _, (serialised,) = expression.__reduce__()
    return Expr(json.loads(expression_from_arrow(bytes(serialised))))
