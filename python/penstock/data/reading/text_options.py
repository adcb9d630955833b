"""Encodings, and pyarrow's JSON options, in the engine's form."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_SPEED = frozenset({"block_size", "use_threads"})


def encoding_name(encoding: str) -> str:
    """Return an encoding's name as the engine's converter (iconv) knows it.

    Raises:
        LookupError: Python does not know the encoding.

    """
    name = codecs.lookup(encoding).name.replace("_", "-")
    return re.sub("^(utf-[0-9]+)-([bl]e)$", r"\1\2", name)


def json_options(read_options: Any, parse_options: Any) -> dict[str, Any]:
    """Return what `pyarrow.json`'s options say of types.

    Raises:
        NotImplementedError: an option without a counterpart was changed; it is named.

    """
    _refuse_changed("read_options", read_options, _SPEED)
    _refuse_changed("parse_options", parse_options, {"explicit_schema"})
    schema = None if parse_options is None else parse_options.explicit_schema
    return {} if schema is None else {"column_types": {f.name: str(f.type) for f in schema}}


def _refuse_changed(group: str, options: Any, known: Collection[str]) -> None:
    if options is None:
        return
    default = type(options)()
    for name in dir(options):
        value = getattr(options, name)
        if name.startswith("_") or callable(value) or name in known:
            continue
        if value != getattr(default, name):
            raise NotImplementedError(f"read_json does not support this option yet: {group}.{name}")
