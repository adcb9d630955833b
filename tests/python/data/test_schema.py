from __future__ import annotations

import pyarrow as pa

from penstock.data import Schema

ARROW = pa.schema({"id": pa.int64(), "text": pa.string()})


def test_names_and_types_are_arrows():
    schema = Schema(ARROW)
    assert schema.names == ["id", "text"]
    assert schema.types == [pa.int64(), pa.string()]
    assert schema.base_schema is ARROW


def test_any_object_of_arrows_c_interface_will_do():
    class Foreign:
        def __arrow_c_schema__(self):
            return ARROW.__arrow_c_schema__()

    assert Schema(Foreign()) == Schema(ARROW)
    assert hash(Schema(Foreign())) == hash(Schema(ARROW))


def test_it_shows_itself_as_a_table():
    assert repr(Schema(ARROW)).splitlines() == [
        "Column  Type",
        "------  ----",
        "id      int64",
        "text    string",
    ]
