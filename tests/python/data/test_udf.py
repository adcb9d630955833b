from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import penstock
from penstock.data.datatype import DataType
from penstock.data.expressions import col, udf


@pytest.fixture
def ds():
    return penstock.data.range(4)


def test_a_function_gets_columns_and_constants(ds):
    @udf()
    def scaled(values, factor, *, offset=0):
        assert isinstance(values, pa.Array)
        return pc.add(pc.multiply(values, factor), offset)

    rows = ds.with_column("n", scaled(col("id"), 10, offset=col("id"))).take_all()
    assert rows == [{"id": i, "n": 11 * i} for i in range(4)]


def test_functions_and_native_parts_nest(ds):
    @udf(return_dtype=DataType.int32())
    def add_one(values):
        return values.to_numpy() + 1

    added = ds.with_column("n", add_one(add_one(col("id") * 10)) * 2)
    assert [row["n"] for row in added.take_all()] == [4, 24, 44, 64]
    assert added.schema().names == ["id", "n"]
    assert [row["id"] for row in ds.filter(expr=add_one(col("id")) > 2).take_all()] == [2, 3]


def test_the_result_has_the_type_that_was_said(ds):
    @udf(return_dtype="string")
    def same(values):
        return values

    schema = ds.with_column("n", same(col("id"))).schema()
    assert schema.types[schema.names.index("n")] == pa.string()


def test_a_class_is_built_in_the_worker(ds):
    @udf()
    class Shifted:
        def __init__(self, by):
            self.by = by

        def __call__(self, values):
            return [value + self.by for value in values.to_pylist()]

    shift = Shifted(5)
    pool = penstock.data.ActorPoolStrategy(size=1)
    shifted = ds.with_column("n", shift(col("id")), compute=pool)
    assert [row["n"] for row in shifted.take_all()] == [5, 6, 7, 8]


def test_an_array_of_more_dimensions_becomes_a_tensor_column(ds):
    @udf()
    def squares(values):
        return np.ones((len(values), 2, 2))

    batch = ds.with_column("n", squares(col("id"))).take_batch()
    assert batch["n"].shape == (4, 2, 2)


def test_a_wrong_number_of_values_is_refused(ds):
    @udf()
    def first(values):
        return values[:1]

    with pytest.raises(Exception, match=r"first must return one value a row; wanted: 4; got: 1"):
        ds.repartition(1).with_column("n", first(col("id"))).take_all()


def test_a_missing_column_is_named_with_those_there_are(ds):
    @udf()
    def same(values):
        return values

    with pytest.raises(KeyError, match="reads column 'nope', which does not exist; columns: id"):
        ds.with_column("n", same(col("nope"))).take_all()


def test_only_functions_and_classes_are_decorated():
    with pytest.raises(TypeError, match="decorates a function"):
        udf()(3)
