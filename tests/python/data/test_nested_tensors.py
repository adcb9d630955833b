"""Tensors within structs and lists become nested lists, of the tensors' type of numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import penstock


def nested(_):
    return {"s": {"x": np.ones((2, 2), np.float32)}, "l": [np.zeros((1, 2), np.int8)]}


def test_tensors_in_structs_and_lists_are_nested_lists():
    expected = {"s": {"x": [[1.0, 1.0], [1.0, 1.0]]}, "l": [[[0, 0]]]}
    for ds in (
        penstock.data.from_items([nested(None)]),
        penstock.data.range(1).map(nested),
        penstock.data.range(1).map_batches(lambda _: {k: [v] for k, v in nested(None).items()}),
    ):
        assert ds.take_all() == [expected]
        schema = ds.materialize().schema()
        assert schema.types[schema.names.index("s")] == pa.struct(
            [("x", pa.list_(pa.list_(pa.float32())))]
        )
