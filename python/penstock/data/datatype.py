"""`DataType`: the types of columns, by Arrow's names, without Arrow."""

from __future__ import annotations

from typing import Any

_PYTHON_TYPES: dict[object, str] = {
    bool: "bool",
    bytes: "binary",
    float: "double",
    int: "int64",
    str: "string",
}
_NUMPY_NAMES = {"float16": "halffloat", "float32": "float", "float64": "double"}


class DataType:
    """The type of a column, as `cast` and `udf` take it: `DataType.int64()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def text(self) -> str:
        """The type as Arrow writes it, such as "timestamp[us]"."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"DataType({self._text})"

    @classmethod
    def bool(cls) -> DataType:
        """Return the type of true and false."""
        return cls("bool")

    @classmethod
    def int8(cls) -> DataType:
        """Whole numbers of 8 bits; int16, int32, int64 and uint8 to uint64 are alike."""
        return cls("int8")

    @classmethod
    def int16(cls) -> DataType:
        """See int8."""
        return cls("int16")

    @classmethod
    def int32(cls) -> DataType:
        """See int8."""
        return cls("int32")

    @classmethod
    def int64(cls) -> DataType:
        """See int8."""
        return cls("int64")

    @classmethod
    def uint8(cls) -> DataType:
        """See int8."""
        return cls("uint8")

    @classmethod
    def uint16(cls) -> DataType:
        """See int8."""
        return cls("uint16")

    @classmethod
    def uint32(cls) -> DataType:
        """See int8."""
        return cls("uint32")

    @classmethod
    def uint64(cls) -> DataType:
        """See int8."""
        return cls("uint64")

    @classmethod
    def float32(cls) -> DataType:
        """Floating-point numbers of 32 bits."""
        return cls("float")

    @classmethod
    def float64(cls) -> DataType:
        """Floating-point numbers of 64 bits."""
        return cls("double")

    @classmethod
    def string(cls) -> DataType:
        """Text."""
        return cls("string")

    @classmethod
    def binary(cls) -> DataType:
        """Bytes."""
        return cls("binary")

    @classmethod
    def date32(cls) -> DataType:
        """Days."""
        return cls("date32[day]")

    @classmethod
    def timestamp(cls, unit: str = "us", tz: str | None = None) -> DataType:
        """Moments, counted in "s", "ms", "us" or "ns"; local times without `tz`."""
        return cls(f"timestamp[{unit}, tz={tz}]" if tz else f"timestamp[{unit}]")

    @classmethod
    def duration(cls, unit: str = "us") -> DataType:
        """Lengths of time, counted in "s", "ms", "us" or "ns"."""
        return cls(f"duration[{unit}]")

    @classmethod
    def list(cls, value_type: object) -> DataType:
        """Return the type of lists of any length."""
        return cls(f"list<item: {type_text(value_type)}>")

    @classmethod
    def fixed_size_list(cls, value_type: object, list_size: int) -> DataType:
        """Return the type of lists of one length."""
        return cls(f"fixed_size_list<item: {type_text(value_type)}>[{list_size}]")

    @classmethod
    def from_arrow(cls, arrow_type: object) -> DataType:
        """Return what a pyarrow type is."""
        return cls(str(arrow_type))

    @classmethod
    def from_numpy(cls, dtype: Any) -> DataType:
        """Return what a NumPy dtype of bools, numbers or text is."""
        import numpy as np

        kind = np.dtype(dtype)
        if kind.kind in "US":
            return cls("string" if kind.kind == "U" else "binary")
        return cls(_NUMPY_NAMES.get(kind.name, kind.name))


def type_text(value: object) -> str:
    """Return Arrow's text for a DataType, a pyarrow type, its text, or a type such as int.

    Raises:
        TypeError: anything else.

    """
    if isinstance(value, DataType):
        return value.text
    if isinstance(value, str):
        return value
    if isinstance(value, type) and value in _PYTHON_TYPES:
        return _PYTHON_TYPES[value]
    if type(value).__module__.startswith("pyarrow"):
        return str(value)
    if hasattr(value, "itemsize") or getattr(value, "__module__", "") == "numpy":
        return DataType.from_numpy(value).text
    raise TypeError(
        "A column's type must be a DataType, a pyarrow type or its text such as 'int64'; "
        f"got: {value!r}"
    )
