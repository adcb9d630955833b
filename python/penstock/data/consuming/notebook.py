"""How data sets look in notebooks: HTML with the columns, and the first rows where they are held.

Whatever comes from the data is escaped, cut to length and counted, so that a page stays small and
harmless whatever the rows hold.
"""

from __future__ import annotations

import base64
import html
import reprlib
import struct
import zlib
from typing import TYPE_CHECKING, Any

from penstock.data import blocks
from penstock.data.base import DatasetBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._core import Block
    from penstock.data.blocks import Row
    from penstock.data.schema import Schema

_ROWS_MAX = 10
_COLUMNS_MAX = 20
_IMAGES_MAX = 20
_TEXT_CHARACTERS_MAX = 80
_PLAN_CHARACTERS_MAX = 4000
_SIDE_PIXELS_MAX = 64
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # Channels to PNG's colour types: grey, RGB, RGBA.
_WORDS = reprlib.Repr()
_WORDS.maxstring = _WORDS.maxother = _TEXT_CHARACTERS_MAX


class NotebookView(DatasetBase):
    """The rich representation that notebooks ask for; it runs nothing."""

    def _repr_html_(self) -> str:
        parts = [f"<p><code>{_escaped(type(self).__name__, self._name)}</code></p>"]
        if self._known_schema is None:
            parts.append(f"<pre>{html.escape(_cut(repr(self), _PLAN_CHARACTERS_MAX))}</pre>")
        else:
            parts.append(_schema_table(self._known_schema))
        return "\n".join(parts)


def materialized_html(name: str | None, schema: Schema | None, held: Iterable[Block]) -> str:
    """Return the HTML of a data set whose rows are held: what it has, and the first rows."""
    held = list(held)
    count = sum(block.num_rows for block in held)
    size = f"{count:,} rows in {len(held):,} blocks"
    parts = [f"<p><code>{_escaped('MaterializedDataset', name)}</code>: {size}</p>"]
    if schema is not None:
        parts.append(_schema_table(schema))
    rows = _first_rows(held)
    if rows:
        parts.append(_row_table(rows, count))
    return "\n".join(parts)


def thumbnail(image: Any) -> str | None:
    """Return an image, an array of uint8 (height, width[, channels]), as a small PNG in a data URI.

    None: it is not an image.
    """
    if image.dtype.name != "uint8" or image.ndim not in (2, 3) or not image.size:
        return None
    if image.ndim == 2:  # noqa: PLR2004 - height and width
        image = image[:, :, None]
    colour_type = _COLOUR_TYPES.get(image.shape[2])
    if colour_type is None:
        return None
    step = -(-max(image.shape[:2]) // _SIDE_PIXELS_MAX)
    encoded = base64.b64encode(_png(image[::step, ::step], colour_type)).decode()
    return f"data:image/png;base64,{encoded}"


def _png(image: Any, colour_type: int) -> bytes:
    height, width, _ = image.shape
    lines = b"".join(b"\0" + image[line].tobytes() for line in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _first_rows(held: list[Block]) -> list[Row]:
    rows: list[Row] = []
    for block in held:
        wanted = min(_ROWS_MAX - len(rows), block.num_rows)
        if wanted:
            rows.extend(blocks.to_rows(block.slice(0, wanted)))
    return rows


def _schema_table(schema: Schema) -> str:
    pairs = list(zip(schema.names, schema.types, strict=True))
    lines = [_line([name, str(kind)]) for name, kind in pairs[:_COLUMNS_MAX]]
    if len(pairs) > _COLUMNS_MAX:
        lines.append(f"<tr><td colspan=2>and {len(pairs) - _COLUMNS_MAX:,} more</td></tr>")
    return f"<table><tr><th>Column</th><th>Type</th></tr>{''.join(lines)}</table>"


def _row_table(rows: list[Row], count: int) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))[:_COLUMNS_MAX]
    head = "".join(f"<th>{_text(name)}</th>" for name in names)
    budget = _IMAGES_MAX
    lines = []
    for row in rows:
        cells = []
        for name in names:
            source = thumbnail(row[name]) if budget and hasattr(row.get(name), "dtype") else None
            budget -= source is not None
            cells.append(_text(row.get(name)) if source is None else f'<img src="{source}">')
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    more = f"<p>and {count - len(rows):,} more rows</p>" if count > len(rows) else ""
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>{more}"


def _line(cells: list[str]) -> str:
    return "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"


def _escaped(kind: str, name: str | None) -> str:
    return html.escape(kind) if name is None else f"{html.escape(kind)}({_text(name)})"


def _text(value: Any) -> str:
    """Return a value as escaped text of bounded length; what is long is cut before it is shown."""
    if isinstance(value, str):
        shown = _cut(value, _TEXT_CHARACTERS_MAX)
    elif isinstance(value, (bytes, bytearray)):
        shown = _cut(repr(bytes(value[:_TEXT_CHARACTERS_MAX])), _TEXT_CHARACTERS_MAX)
    elif hasattr(value, "dtype") and hasattr(value, "shape") and value.shape:
        shown = f"{value.dtype} {tuple(value.shape)}"
    else:
        shown = _cut(_WORDS.repr(value), 2 * _TEXT_CHARACTERS_MAX)
    return html.escape(shown)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
