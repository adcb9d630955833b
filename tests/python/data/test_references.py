from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import penstock


@pytest.fixture(autouse=True)
def runtime():
    penstock.init(num_cpus=2, ignore_reinit_error=True)
    yield
    penstock.shutdown()


def test_each_block_becomes_an_object_that_tasks_take():
    @penstock.remote
    def total(table):
        return sum(table["id"].to_pylist())

    references = penstock.data.range(10, override_num_blocks=2).to_arrow_refs()
    assert len(references) == 2
    assert sum(penstock.get([total.remote(one) for one in references])) == 45


@pytest.mark.parametrize("form", ["arrow", "pandas"])
def test_what_is_put_comes_back(form):
    data = penstock.data.range(10, override_num_blocks=3)
    references = getattr(data, f"to_{form}_refs")()
    again = getattr(penstock.data, f"from_{form}_refs")(references)
    assert [row["id"] for row in again.take_all()] == list(range(10))


def test_arrays_come_with_their_names_or_alone():
    data = penstock.data.range(4, override_num_blocks=1)
    (named,) = penstock.get(data.to_numpy_refs())
    (bare,) = penstock.get(data.to_numpy_refs(column="id"))
    assert named["id"].tolist() == bare.tolist() == [0, 1, 2, 3]
    with pytest.raises(KeyError):
        data.to_numpy_refs(column="other")


def test_one_reference_is_as_good_as_a_list():
    table = penstock.put(pa.table({"x": [1, 2]}))
    frame = penstock.put(pd.DataFrame({"x": [3]}))
    array = penstock.put(np.array([4, 5]))
    assert penstock.data.from_arrow_refs(table).count() == 2
    assert penstock.data.from_pandas_refs([frame, frame]).count() == 2
    assert penstock.data.from_numpy_refs(array).take_all() == [{"data": 4}, {"data": 5}]


def test_blocks_have_an_older_name_too():
    (one,) = penstock.data.range(3, override_num_blocks=1).get_internal_block_refs()
    assert penstock.get(one)["id"].to_pylist() == [0, 1, 2]


def test_bundles_come_while_the_job_runs_and_hold_references_to_their_blocks():
    data = penstock.data.range(10**12, override_num_blocks=1000)
    bundle = next(iter(data.iter_internal_ref_bundles()))
    assert bundle.num_rows() == bundle.metadata[0].num_rows > 0
    assert bundle.size_bytes() == bundle.num_rows() * 8
    assert bundle.schema.names == ["id"]
    (reference,) = bundle.block_refs
    assert bundle.blocks == [(reference, bundle.metadata[0])]
    assert penstock.get(reference)["id"][1].as_py() == 1


def test_bundles_of_a_whole_job_have_all_its_rows():
    data = penstock.data.range(10, override_num_blocks=3)
    bundles = list(data.iter_internal_ref_bundles())
    assert [bundle.num_rows() for bundle in bundles] == [4, 3, 3]
    tables = penstock.get([reference for bundle in bundles for reference in bundle.block_refs])
    assert pa.concat_tables(tables)["id"].to_pylist() == list(range(10))


def test_bundles_that_nobody_looks_into_put_no_object():
    from penstock.core import objects

    bundles = list(penstock.data.range(10).iter_internal_ref_bundles())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "put", lambda value: pytest.fail("an object was put"))
        assert sum(bundle.num_rows() for bundle in bundles) == 10
