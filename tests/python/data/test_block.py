from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from penstock.data.block import BlockAccessor, to_table


@pytest.mark.parametrize(
    "block",
    [
        pa.table({"a": [1, 2, 3]}),
        pa.record_batch({"a": [1, 2, 3]}),
        pd.DataFrame({"a": [1, 2, 3]}),
        {"a": np.array([1, 2, 3])},
    ],
)
def test_an_accessor_looks_at_any_block(block):
    accessor = BlockAccessor.for_block(block)
    assert accessor.num_rows() == 3
    assert accessor.size_bytes() == 24
    assert accessor.column_names() == ["a"]
    assert accessor.schema().field("a").type == pa.int64()
    assert accessor.get_metadata().num_rows == 3
    assert list(accessor.iter_rows()) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert accessor.slice(1, 3).column("a").to_pylist() == [2, 3]
    assert accessor.slice(1, 2, copy=True).column("a").to_pylist() == [2]


def test_an_accessor_gives_every_format():
    accessor = BlockAccessor.for_block({"a": [1, 2], "b": ["x", "y"]})
    assert accessor.to_arrow().num_rows == 2
    assert accessor.to_pandas()["b"].tolist() == ["x", "y"]
    assert accessor.to_numpy()["a"].tolist() == [1, 2]
    assert accessor.to_numpy("a").tolist() == [1, 2]
    assert accessor.to_batch_format("pandas")["a"].tolist() == [1, 2]
    assert isinstance(accessor.to_batch_format(None), pa.Table)


def test_tensors_stay_tensors():
    accessor = BlockAccessor.for_block({"a": np.arange(12).reshape(2, 3, 2)})
    assert accessor.to_numpy("a").shape == (2, 3, 2)
    assert next(iter(accessor.iter_rows()))["a"].shape == (3, 2)


def test_what_is_no_block_is_refused():
    with pytest.raises(TypeError, match=r"A block must be .* got: int"):
        to_table(3)
