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
        NotImplementedError: one that the engine cannot honour; it is named.

    """
    rest = dict(given)
    options: dict[str, Any] = {}
    if "compression" in rest:
        options["compression"] = _codec(rest.pop("compression"))
    if "row_group_size" in rest:
        rows = rest.pop("row_group_size")
        options["row_group_rows"] = arguments.at_least_one("row_group_size", rows)
    if rest.get("compression_level") is not None:
        level = rest.pop("compression_level")
        options["compression_level"] = arguments.whole_number("compression_level", level)
    for name, own in (("use_dictionary", "dictionary"), ("write_statistics", "statistics")):
        if isinstance(rest.get(name), bool):
            options[own] = rest.pop(name)
    arguments.refuse("write_parquet", rest)
    return options


def csv_write_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of `pyarrow.csv.write_csv`: its `write_options`.

    Raises:
        TypeError: an argument that `write_csv` does not have.
        NotImplementedError: an option that the engine cannot honour; it is named.

    """
    for name in given:
        if name not in ("write_options", "memory_pool"):
            raise TypeError(f"write_csv got an unexpected keyword argument: {name}")
    chosen = given.get("write_options")
    if chosen is None:
        return {}
    default = type(chosen)()
    options: dict[str, Any] = {}
    for name in dir(chosen):
        value = getattr(chosen, name)
        if name.startswith("_") or callable(value) or value == getattr(default, name):
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

    """
    options: dict[str, Any] = {}
    for name, value in given.items():
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

    """
    rest = dict(given)
    options: dict[str, Any] = {}
    if "compression" in rest:
        options["compression"] = _codec(rest.pop("compression"))
    for name, own in (("batch_size", "batch_rows"), ("stripe_size", "stripe_bytes")):
        if name in rest:
            options[own] = arguments.at_least_one(name, rest.pop(name))
    arguments.refuse("write_orc", rest)
    return options


def _codec(name: object) -> object:
    if not isinstance(name, str):
        return "none" if name is None else name
    return "none" if name.lower() == "uncompressed" else name.lower()
