"""What a forked worker does before it gets work: it shows that what was copied into it works."""

from __future__ import annotations

import sys
from typing import Any


def prove() -> None:
    """Use what a fork may have broken; who hangs in it is killed by the template."""
    _compute(sys.modules.get("numpy"), sys.modules.get("torch"))
    _call_arrow(sys.modules.get("pyarrow"))
    _draw_anew(sys.modules.get("numpy"))


def _compute(numpy: Any, torch: Any) -> None:
    """Multiply, by the libraries that have threads of their own, and allocate."""
    if numpy is not None:
        ones = numpy.ones((128, 128), dtype=numpy.float32)
        _expect(right=(ones @ ones)[0, 0] == len(ones))
    if torch is not None:
        ones = torch.ones((128, 128))
        _expect(right=float((ones @ ones)[0, 0]) == len(ones))
    _expect(right=len(bytearray(1 << 20)) == 1 << 20)


def _call_arrow(pyarrow: Any) -> None:
    if pyarrow is not None:
        _expect(right=pyarrow.array([1, 2]).cast(pyarrow.float64()).to_pylist() == [1.0, 2.0])


def _draw_anew(numpy: Any) -> None:
    """Give the process random numbers of its own, as a spawned one has; `random` sees to itself."""
    if numpy is not None and "numpy.random" in sys.modules:
        numpy.random.seed()


def _expect(*, right: bool) -> None:
    if not right:
        raise SystemExit("a forked worker computes wrongly")
