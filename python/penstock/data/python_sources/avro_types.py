"""Arrow types for Avro schemas."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

_PRIMITIVE = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
}
_LOGICAL = {
    "date": pa.date32(),
    "time-millis": pa.time32("ms"),
    "time-micros": pa.time64("us"),
    "timestamp-millis": pa.timestamp("ms", tz="UTC"),
    "timestamp-micros": pa.timestamp("us", tz="UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "uuid": pa.string(),
}


def arrow_schema(record: Any) -> pa.Schema:
    """Return the columns of a record's schema, with names resolved as fastavro parses them.

    Raises:
        TypeError: a union of several types, or a type that contains itself.

    """
    named: dict[str, Any] = {}
    kind = _type(record, named)
    if not pa.types.is_struct(kind):
        raise TypeError(f"The file's items are no records; got: {record.get('type', record)!r}")
    return pa.schema(list(kind))


def _type(schema: Any, named: dict[str, Any]) -> pa.DataType:  # noqa: PLR0911 - one a kind of type
    if isinstance(schema, list):
        return _union(schema, named)
    if isinstance(schema, str):
        return _by_name(schema, named)
    kind = schema["type"]
    logical = schema.get("logicalType")
    if logical == "decimal":
        return pa.decimal128(schema["precision"], schema.get("scale", 0))
    if logical in _LOGICAL:
        return _LOGICAL[logical]
    if kind == "record":
        return _record(schema, named)
    if kind == "array":
        return pa.list_(_type(schema["items"], named))
    if kind == "map":
        return pa.map_(pa.string(), _type(schema["values"], named))
    found = {"enum": pa.string(), "fixed": pa.binary(schema.get("size", 0))}.get(str(kind))
    if found is None:
        return _type(kind, named)
    named[schema["name"]] = found
    return found


def _union(schema: list[Any], named: dict[str, Any]) -> pa.DataType:
    others = [part for part in schema if part != "null"]
    if len(others) > 1:
        raise TypeError(f"A union of several types fits no column; got: {schema}")
    return _type(others[0], named) if others else pa.null()


def _record(schema: dict[str, Any], named: dict[str, Any]) -> pa.DataType:
    named[schema["name"]] = None
    fields = [(field["name"], _type(field["type"], named)) for field in schema["fields"]]
    named[schema["name"]] = pa.struct(fields)
    return named[schema["name"]]


def _by_name(name: str, named: dict[str, Any]) -> pa.DataType:
    if name in _PRIMITIVE:
        return _PRIMITIVE[name]
    found: pa.DataType | None = named.get(name)
    if found is None:
        raise TypeError(f"A type that contains itself fits no column; got: {name}")
    return found
