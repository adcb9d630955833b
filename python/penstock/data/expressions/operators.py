"""Python's operators on expressions, and the functions of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.data.expressions.node import Expr


class Operators:
    """What `Expr` has of operators; each is one of Arrow's functions."""

    __slots__ = ()

    def _call(self, function: str, *operands: object) -> Expr:
        raise NotImplementedError

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return self._call("equal", self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return self._call("not_equal", self, other)

    def __lt__(self, other: object) -> Expr:
        return self._call("less", self, other)

    def __le__(self, other: object) -> Expr:
        return self._call("less_equal", self, other)

    def __gt__(self, other: object) -> Expr:
        return self._call("greater", self, other)

    def __ge__(self, other: object) -> Expr:
        return self._call("greater_equal", self, other)

    def __and__(self, other: object) -> Expr:
        return self._call("and_kleene", self, other)

    def __rand__(self, other: object) -> Expr:
        return self._call("and_kleene", other, self)

    def __or__(self, other: object) -> Expr:
        return self._call("or_kleene", self, other)

    def __ror__(self, other: object) -> Expr:
        return self._call("or_kleene", other, self)

    def __invert__(self) -> Expr:
        return self._call("invert", self)

    def __add__(self, other: object) -> Expr:
        return self._call("add", self, other)

    def __radd__(self, other: object) -> Expr:
        return self._call("add", other, self)

    def __sub__(self, other: object) -> Expr:
        return self._call("subtract", self, other)

    def __rsub__(self, other: object) -> Expr:
        return self._call("subtract", other, self)

    def __mul__(self, other: object) -> Expr:
        return self._call("multiply", self, other)

    def __rmul__(self, other: object) -> Expr:
        return self._call("multiply", other, self)

    def __truediv__(self, other: object) -> Expr:
        return self._call("divide", self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return self._call("divide", other, self)

    def __floordiv__(self, other: object) -> Expr:
        return self._call("floor_divide", self, other)

    def __rfloordiv__(self, other: object) -> Expr:
        return self._call("floor_divide", other, self)

    def __mod__(self, other: object) -> Expr:
        return self._call("modulo", self, other)

    def __rmod__(self, other: object) -> Expr:
        return self._call("modulo", other, self)

    def __pow__(self, other: object) -> Expr:
        return self._call("power", self, other)

    def __rpow__(self, other: object) -> Expr:
        return self._call("power", other, self)

    def __neg__(self) -> Expr:
        return self._call("negate", self)

    def __abs__(self) -> Expr:
        return self._call("abs", self)

    def abs(self) -> Expr:
        """Return the absolute value."""
        return abs(self)

    def negate(self) -> Expr:
        """Return the number with its sign changed."""
        return -self

    def sign(self) -> Expr:
        """Return -1, 0 or 1."""
        return self._call("sign", self)

    def power(self, exponent: object) -> Expr:
        """Return the number raised to `exponent`."""
        return self**exponent

    def ceil(self) -> Expr:
        """Return the number rounded up, as a floating-point one."""
        return self._call("ceil", self)

    def floor(self) -> Expr:
        """Return the number rounded down, as a floating-point one."""
        return self._call("floor", self)

    def trunc(self) -> Expr:
        """Return the number without its fraction, as a floating-point one."""
        return self._call("trunc", self)

    def sqrt(self) -> Expr:
        """Return the square root; NaN for a negative number."""
        return self._call("sqrt", self)

    def exp(self) -> Expr:
        """Return e raised to the number."""
        return self._call("exp", self)

    def ln(self) -> Expr:
        """Return the natural logarithm."""
        return self._call("ln", self)

    def log10(self) -> Expr:
        """Return the logarithm to base 10."""
        return self._call("log10", self)

    def log2(self) -> Expr:
        """Return the logarithm to base 2."""
        return self._call("log2", self)

    def sin(self) -> Expr:
        """Return the sine of an angle in radians; cos and tan are alike."""
        return self._call("sin", self)

    def cos(self) -> Expr:
        """See sin."""
        return self._call("cos", self)

    def tan(self) -> Expr:
        """See sin."""
        return self._call("tan", self)

    def asin(self) -> Expr:
        """Return the angle in radians with this sine; acos and atan are alike."""
        return self._call("asin", self)

    def acos(self) -> Expr:
        """See asin."""
        return self._call("acos", self)

    def atan(self) -> Expr:
        """See asin."""
        return self._call("atan", self)
