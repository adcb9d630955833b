from __future__ import annotations

import base64
import html.parser
import re
import struct
import zlib

import numpy as np
import pytest

import penstock
from penstock.data.consuming.notebook import thumbnail

EVIL = "<script>alert('x')</script>\"><img src=x onerror=y>"


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def pixels(uri):
    """Decode a PNG that uses no filter."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place, image = 8, b""
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        if kind == b"IDAT":
            image += body
        place += 12 + length
    channels = {0: 1, 2: 3, 6: 4}[colour]
    assert depth == 8
    lines = np.frombuffer(zlib.decompress(image), np.uint8).reshape(height, 1 + width * channels)
    assert (lines[:, 0] == 0).all()
    return lines[:, 1:].reshape(height, width, channels)


def test_a_lazy_data_set_shows_its_plan_and_runs_nothing(tmp_path):
    shown = penstock.data.range(5).map(lambda row: 1 / 0)._repr_html_()
    assert "Read(range" in shown
    assert "1 / 0" not in shown


def test_a_known_schema_is_a_table():
    ds = penstock.data.range(5).select_columns(["id"])
    ds.schema()
    assert "<td>id</td><td>int64</td>" in ds._repr_html_()


def test_materialised_rows_are_shown_as_far_as_they_fit():
    shown = penstock.data.range(1234).materialize()._repr_html_()
    assert "1,234 rows" in shown
    assert "<td>9</td>" in shown
    assert "<td>10</td>" not in shown
    assert "1,224 more rows" in shown


def test_images_are_thumbnails():
    image = np.random.default_rng(1).integers(0, 255, (130, 70, 3), dtype=np.uint8)
    shown = penstock.data.from_numpy(np.stack([image])).materialize()._repr_html_()
    (source,) = [attrs["src"] for tag, attrs in Tags(shown).found if tag == "img"]
    assert (pixels(source) == image[::3, ::3]).all()


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 3), (5, 4, 4)])
def test_an_image_of_any_kind_keeps_its_pixels(shape):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert (pixels(thumbnail(image)).reshape(shape) == image).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((5, 4, 3)),
        np.zeros((5, 4, 2), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_other_arrays_are_no_images(array):
    assert thumbnail(array) is None


def test_nothing_in_the_data_becomes_markup():
    ds = penstock.data.from_items([{EVIL: EVIL, "b": EVIL.encode(), "l": [EVIL]}]).materialize()
    ds.set_name(EVIL)
    lazy = ds.map(lambda row: row)
    lazy.set_name(EVIL)
    for shown in (ds._repr_html_(), lazy._repr_html_()):
        tags = {tag for tag, _ in Tags(shown).found}
        assert tags <= {"p", "code", "pre", "table", "tr", "th", "td"}


def test_the_page_stays_small_whatever_the_rows_hold():
    wide = {f"column {i}" * 50: "x" * 10_000 for i in range(100)}
    shown = penstock.data.from_items([wide] * 15).materialize()._repr_html_()
    assert len(shown) < 60_000
    assert len(re.findall("<th>", shown)) == 2 + 20
    nested = penstock.data.from_items([{"n": [["y" * 1000] * 100] * 10}] * 2).materialize()
    assert len(nested._repr_html_()) < 2000
    noise = np.random.default_rng(1).integers(0, 255, (15, 200, 200, 4), dtype=np.uint8)
    images = penstock.data.from_numpy(noise).materialize()._repr_html_()
    assert images.count("<img") == 10
    assert len(images) < 10 * 64 * 64 * 4 * 1.4


def test_a_data_set_without_rows_shows_its_columns():
    assert "<td>id</td>" in penstock.data.range(0).materialize()._repr_html_()
    assert "0 rows" in penstock.data.from_items([]).materialize()._repr_html_()
