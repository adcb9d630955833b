"""pyarrow's CSV options, as Ray's `read_csv` takes them, in the engine's form."""

from __future__ import annotations

from typing import Any

from penstock.data.reading.text_options import encoding_name

# Of pyarrow's options: those with a counterpart, and those that only concern pyarrow's own speed or
# are looked at elsewhere.
_PARSE = {
    "delimiter": "delimiter",
    "double_quote": "double_quote",
    "escape_char": "escape",
    "newlines_in_values": "newlines_in_values",
    "quote_char": "quote",
}
_READ = {
    "column_names": "column_names",
    "encoding": "encoding",
    "skip_rows": "skip_rows",
    "skip_rows_after_names": "skip_rows_after_names",
}
_CONVERT = {
    "column_types": "column_types",
    "decimal_point": "decimal_point",
    "false_values": "false_values",
    "null_values": "null_values",
    "quoted_strings_can_be_null": "quoted_strings_can_be_null",
    "strings_can_be_null": "strings_can_be_null",
    "timestamp_parsers": "timestamp_formats",
    "true_values": "true_values",
}
_ISO8601 = "ISO8601"  # How the engine calls pyarrow.csv.ISO8601.
_ELSEWHERE = frozenset(
    {"autogenerate_column_names", "block_size", "include_columns", "use_threads"}
)


def csv_options(*, parse_options: Any, read_options: Any, convert_options: Any) -> dict[str, Any]:
    """Return what differs from pyarrow's defaults.

    Raises:
        NotImplementedError: an option without a counterpart was changed; it is named.

    """
    options = {
        **_changed("parse_options", parse_options, _PARSE),
        **_changed("convert_options", convert_options, _CONVERT),
    }
    if getattr(read_options, "autogenerate_column_names", False):
        options["header_row"] = False
    options.update(_changed("read_options", read_options, _READ))
    for name in ("quote", "escape"):
        if options.get(name) is False:
            options[name] = ""
    if "encoding" in options:
        options["encoding"] = encoding_name(options["encoding"])
    if "timestamp_formats" in options:
        formats = options["timestamp_formats"]
        options["timestamp_formats"] = [
            text if isinstance(text, str) else _ISO8601 for text in formats
        ]
    if "column_types" in options:
        types = dict(options["column_types"])
        options["column_types"] = {column: str(kind) for column, kind in types.items()}
    return options


def _changed(group: str, given: Any, known: dict[str, str]) -> dict[str, Any]:
    if given is None:
        return {}
    default = type(given)()
    changed: dict[str, Any] = {}
    for name in dir(given):
        value = getattr(given, name)
        is_method = callable(getattr(type(given), name))
        if name.startswith("_") or is_method or value == getattr(default, name):
            continue
        if name == "invalid_row_handler":
            raise NotImplementedError(
                f"read_csv calls no function for lines that do not fit: {group}.{name}; read the "
                "files with read_text and parse the lines in flat_map, where a line may give no row"
            )
        if name in known:
            changed[known[name]] = value
        elif name not in _ELSEWHERE:
            raise NotImplementedError(f"read_csv does not support this option yet: {group}.{name}")
    return changed
