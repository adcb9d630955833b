"""Options of pyarrow's and pandas' writers, as Ray's verbs take them, in the engine's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.data import arguments
from penstock.data.writing.options import stream_codec

if TYPE_CHECKING:
    from collections.abc import Mapping

_CSV = {
    "batch_size": "batch_rows",
    "delimiter": "delimiter",
    "include_header": "header",
    "quoting_style": "quoting",
}
# Of `pyarrow.parquet.write_table`, and what they are to the engine.
_PARQUET_SIZES = {"row_group_size": "row_group_rows", "data_page_size": "page_bytes"}
_PARQUET_BY_COLUMN = {"use_dictionary": "dictionary", "write_statistics": "statistics"}
_PARQUET_SWITCHES = {
    "store_schema": "store_schema",
    "use_compliant_nested_type": "compliant_lists",
    "write_page_index": "page_index",
}
_JSON = frozenset(
    {
        "compression",
        "date_format",
        "date_unit",
        "default_handler",
        "double_precision",
        "force_ascii",
        "index",
        "indent",
        "lines",
        "mode",
        "orient",
        "storage_options",
    }
)
# Of pandas' `to_json`: values that say what happens anyway.
_JSON_AS_IT_IS = {
    "orient": (None, "records"),
    "index": (None, False),
    "indent": (None, 0),
    "mode": ("w",),
    "default_handler": (None,),
    "storage_options": (None,),
}


def parquet_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of `pyarrow.parquet.write_table`.

    Raises:
        TypeError: a value or a name that pyarrow does not take either.
        NotImplementedError: one that the engine cannot honour; it is named.

    """
    rest = dict(given)
    options: dict[str, Any] = {}
    if "compression" in rest:
        options["compression"] = _codecs(rest.pop("compression"))
    for name, own in _PARQUET_SIZES.items():
        if rest.get(name) is not None:
            options[own] = arguments.at_least_one(name, rest.pop(name))
    if rest.get("compression_level") is not None:
        options["compression_level"] = _levels(rest.pop("compression_level"))
    for name, own in _PARQUET_BY_COLUMN.items():
        if name in rest:
            options[own] = _switch(name, rest.pop(name))
    for name, own in _PARQUET_SWITCHES.items():
        if name in rest:
            options[own] = _truth(name, rest.pop(name))
    if rest.get("version") is not None:
        options["version"] = str(rest.pop("version"))
    _refuse_parquet_options(rest)
    return options


def _refuse_parquet_options(rest: Mapping[str, Any]) -> None:
    if not rest:
        return
    import inspect  # Slow to load.

    import pyarrow.parquet as pq

    known = {"catalog", *inspect.signature(pq.write_table).parameters}
    known.update(inspect.signature(pq.ParquetWriter).parameters)
    arguments.refuse_others("write_parquet", rest, known)


def csv_write_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of `pyarrow.csv.write_csv`: its `write_options`.

    Raises:
        TypeError: an argument that `write_csv` does not have.
        NotImplementedError: an option that the engine cannot honour; it is named.

    """
    for name in given:
        if name not in ("write_options", "memory_pool"):
            raise arguments.unknown("write_csv", name, ("write_options", "arrow_csv_args_fn"))
    chosen = given.get("write_options")
    if chosen is None:
        return {}
    default = type(chosen)()
    options: dict[str, Any] = {}
    for name in dir(chosen):
        value = getattr(chosen, name)
        is_method = callable(getattr(type(chosen), name))
        if name.startswith("_") or is_method or value == getattr(default, name):
            continue
        if name not in _CSV:
            raise NotImplementedError(
                f"write_csv does not support this option; leave it out: write_options.{name}"
            )
        options[_CSV[name]] = value
    return options


def json_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of pandas' `DataFrame.to_json`.

    Raises:
        NotImplementedError: an option or a value that the engine cannot honour; it is named.
        TypeError: a name that pandas does not know either.

    """
    options: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _JSON:
            arguments.refuse_others("write_json", {name: value}, _JSON)
        if name in ("lines", "force_ascii"):
            options["lines" if name == "lines" else "ascii"] = bool(value)
        elif name in ("date_format", "date_unit"):
            if value is not None:
                options["dates" if name == "date_format" else "date_unit"] = value
        elif name == "compression":
            method = value.get("method") if isinstance(value, dict) else value
            options.update(stream_codec(name, method))
        elif value not in _JSON_AS_IT_IS.get(name, ()):
            raise NotImplementedError(
                f"write_json does not support this option; leave it out: {name}={value!r}"
            )
    return options


def orc_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of `pyarrow.orc.write_table`.

    Raises:
        NotImplementedError: one that the engine cannot honour; it is named.
        TypeError: a name that pyarrow does not know either.

    """
    rest = dict(given)
    options: dict[str, Any] = {}
    if "compression" in rest:
        options["compression"] = _codec(rest.pop("compression"))
    for name, own in (("batch_size", "batch_rows"), ("stripe_size", "stripe_bytes")):
        if name in rest:
            options[own] = arguments.at_least_one(name, rest.pop(name))
    if rest:
        import inspect

        from pyarrow import orc

        known = set(inspect.signature(orc.write_table).parameters)
        arguments.refuse_others("write_orc", rest, known)
    return options


def _codec(name: object) -> object:
    if not isinstance(name, str):
        return "none" if name is None else name
    return "none" if name.lower() == "uncompressed" else name.lower()


def _codecs(value: object) -> object:
    if isinstance(value, dict):
        return {_column("compression", column): _codec(codec) for column, codec in value.items()}
    return _codec(value)


def _levels(value: object) -> object:
    name = "compression_level"
    if isinstance(value, dict):
        return {
            _column(name, column): arguments.whole_number(name, level)
            for column, level in value.items()
        }
    return arguments.whole_number(name, value)


def _switch(name: str, value: object) -> bool | list[str]:
    if isinstance(value, (list, tuple, set, frozenset)):
        return sorted(_column(name, column) for column in value)
    return _truth(name, value)


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, or what pyarrow takes; got: {value!r}")
    return value


def _column(name: str, column: object) -> str:
    if not isinstance(column, str):
        raise TypeError(f"{name} must name columns by their paths (str); got: {column!r}")
    return column
