"""`Schema`: names and types of a data set's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    class ArrowSchema(Protocol):
        """Anything that Arrow's C data interface can read a schema from."""

        def __arrow_c_schema__(self) -> object: ...


class Schema:
    """Names and types of columns. Types are Arrow's; a tensor column has a tensor type."""

    def __init__(self, schema: ArrowSchema) -> None:
        self._schema = schema

    @property
    def base_schema(self) -> pa.Schema:
        """The schema as a `pyarrow.Schema`."""
        import pyarrow as pa

        if not isinstance(self._schema, pa.Schema):
            self._schema = pa.schema(self._schema)
        return self._schema

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        known = getattr(self._schema, "column_names", None)  # A block tells without pyarrow.
        return list(self.base_schema.names if known is None else known)

    @property
    def types(self) -> list[Any]:
        """The columns' Arrow types, in order."""
        return list(self.base_schema.types)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.base_schema.equals(other.base_schema)

    def __hash__(self) -> int:
        return hash(self.base_schema)

    def __repr__(self) -> str:
        width = max([len("Column"), *map(len, self.names)])
        lines = [f"{'Column':<{width}}  Type", f"{'-' * width}  ----"]
        pairs = zip(self.names, self.types, strict=True)
        return "\n".join([*lines, *(f"{name:<{width}}  {kind}" for name, kind in pairs)])

    def one_line(self) -> str:
        """Return "{id: int64, text: string}"."""
        pairs = zip(self.names, self.types, strict=True)
        return "{" + ", ".join(f"{name}: {kind}" for name, kind in pairs) + "}"
