"""Batches as tensors of torch, and for whatever speaks Arrow's C interface."""

from __future__ import annotations

import sys

import cloudpickle
import engine as host
import numpy as np
import pyarrow as pa
import pytest
from engine import Engine, Step, pack, run, setup_of

from penstock import _worker
from penstock.worker import arrow, batches

# As a script's functions do: by value, so that workers do not import this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

ARROW_C = {"batch_format": "arrow_c"}
TORCH = {"batch_format": "torch"}
PLAIN = {
    "int": np.arange(3, dtype=np.int16),
    "float": np.arange(3) / 2,
    "bool": np.array([True, False, True]),
    "text": ["one", None, "three"],
    "bytes": [b"1", b"22", b""],
    "null": [None, None, None],
    "tensor": np.arange(12, dtype=np.float32).reshape(3, 2, 2),
    "time": np.array(["2026-01-01", "2026-01-02", "NaT"], "M8[us]"),
}


def batch_of(columns):
    return _worker.Batch.from_bytes(pack(columns))


def columns_of(answer):
    return {name: list(values) for name, values in batches.to_numpy(answer.table()).items()}


def addresses(batch):
    return {name: array.ctypes.data for name, array in batch.to_numpy().items()}


@pytest.mark.parametrize("columns", [PLAIN, {}, PLAIN | {"nested": [[1], None, []]}], ids=len)
def test_arrow_c_holds_every_column_as_it_is(columns):
    batch = batch_of(columns)
    exported = batches.reader("arrow_c")(batch)
    wanted = arrow.record_batch(batch)
    assert pa.record_batch(exported).equals(wanted)
    assert pa.table(exported).equals(pa.Table.from_batches([wanted]))
    assert pa.schema(exported).equals(wanted.schema)
    assert (len(exported), exported.column_names) == (batch.rows, list(columns))


def test_arrow_c_keeps_metadata_and_dictionaries():
    text = pa.array(["a", "b", "a"]).dictionary_encode()
    table = pa.table({"text": text, "x": [1, 2, 3]}).replace_schema_metadata({"k": "v"})
    exported = batches.reader("arrow_c")(batch_of(table))
    assert pa.table(exported).equals(table, check_metadata=True)


def test_arrow_c_looks_at_the_batch_s_own_memory_for_as_long_as_it_is_wanted():
    batch = batch_of(PLAIN)
    place = addresses(batch)["float"]
    column = pa.record_batch(batches.reader("arrow_c")(batch)).column("float")
    assert column.buffers()[1].address == place
    del batch
    assert column.to_pylist() == [0, 0.5, 1]


def test_a_stream_of_arrow_c_ends_after_its_batch_and_may_stay_unread():
    exported = batches.reader("arrow_c")(batch_of(PLAIN))
    reader = pa.RecordBatchReader.from_stream(exported)
    assert [len(each) for each in reader] == [3]
    for unread in (exported.__arrow_c_stream__(), exported.__arrow_c_array__()):
        del unread


def test_pyarrow_is_not_imported_for_plain_columns():
    def imported(batch):
        import sys

        schema, array = batch.__arrow_c_array__()
        assert schema is not None
        assert array is not None
        return {"imported": ["pyarrow" in sys.modules]}

    (answer,) = run({"x": [1], "text": ["a"]}, Step(imported, options=ARROW_C))
    assert columns_of(answer)["imported"] == [False]


class Struct:
    """Speaks Arrow by an array of structs alone."""

    def __init__(self, batch):
        self.batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self.batch.__arrow_c_array__(requested_schema)


class Stream:
    """Speaks Arrow by a stream alone."""

    def __init__(self, batch):
        self.batch = batch

    def __arrow_c_stream__(self, requested_schema=None):
        return self.batch.__arrow_c_stream__(requested_schema)


def made(wrapper):
    def function(batch):
        return wrapper(batch) if wrapper else batch

    return function


@pytest.mark.parametrize("wrapper", [None, Struct, Stream])
def test_whatever_speaks_arrow_may_be_returned(wrapper):
    (answer,) = run(PLAIN, Step(made(wrapper), options=ARROW_C))
    assert arrow.record_batch(answer.table()).equals(arrow.record_batch(batch_of(PLAIN)))


def test_an_arrow_array_that_is_no_table_is_a_bad_return():
    class Single(Struct):
        def __arrow_c_array__(self, requested_schema=None):
            import pyarrow as pa

            return pa.array([1, 2]).__arrow_c_array__()

    (failed,) = run({"x": [1, 2]}, Step(made(Single), options=ARROW_C))
    assert failed.frame.flags & host.BAD_RETURN
    assert "returned a Single that pyarrow cannot take as a table" in failed.failure().text()


def test_torch_gets_numbers_as_tensors_and_the_rest_as_arrays():
    torch = pytest.importorskip("torch")
    batch = batch_of(PLAIN)
    tensors = batches.reader("torch")(batch)
    assert list(tensors) == list(PLAIN)
    numbers = {name for name, value in tensors.items() if isinstance(value, torch.Tensor)}
    assert numbers == {"int", "float", "bool", "tensor"}
    assert tensors["tensor"].dtype == torch.float32
    assert tensors["tensor"].shape == (3, 2, 2)
    assert list(tensors["text"]) == ["one", None, "three"]


def test_tensors_look_at_the_batch_s_own_memory_for_as_long_as_it_is_wanted():
    pytest.importorskip("torch")
    batch = batch_of(PLAIN)
    place = addresses(batch)["tensor"]
    tensor = batches.reader("torch")(batch)["tensor"]
    assert tensor.data_ptr() == place
    del batch
    assert tensor.sum() == 66


def test_tensors_that_a_function_keeps_do_not_change_when_the_segment_is_used_again():
    pytest.importorskip("torch")

    class Keeper:
        def __init__(self):
            self.kept = []

        def __call__(self, batch):
            import torch

            self.kept.append(batch["x"])
            return {"kept": torch.cat(self.kept)}

    with Engine(setup_of(Step(Keeper, options=TORCH))) as engine:
        engine.expect(host.READY)
        segment = None
        for turn in range(3):
            packed = pack({"x": np.array([turn, turn + 10])})
            segment = engine.send_batch(turn, packed, segment=segment)
            kept = columns_of(engine.expect(host.OUTPUT))["kept"]
        assert kept == [0, 10, 1, 11, 2, 12]


def test_an_arrow_batch_that_a_function_keeps_does_not_change_when_the_segment_is_used_again():
    class Keeper:
        def __init__(self):
            self.kept = []

        def __call__(self, batch):
            import pyarrow as pa

            self.kept.append(batch)
            return pa.concat_tables([pa.table(each) for each in self.kept])

    with Engine(setup_of(Step(Keeper, options=ARROW_C))) as engine:
        engine.expect(host.READY)
        segment = None
        for turn in range(3):
            packed = pack({"x": np.array([turn, turn + 10])})
            segment = engine.send_batch(turn, packed, segment=segment)
            kept = columns_of(engine.expect(host.OUTPUT))["x"]
        assert kept == [0, 10, 1, 11, 2, 12]


def test_tensors_may_be_changed_in_place_and_returned():
    pytest.importorskip("torch")

    def double(batch):
        batch["x"] *= 2
        return {"x": batch["x"], "half": batch["x"] / 2, "text": batch["text"]}

    (answer,) = run({"x": np.arange(2.0), "text": ["a", "b"]}, Step(double, options=TORCH))
    assert columns_of(answer) == {"x": [0, 2], "half": [0, 1], "text": ["a", "b"]}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("tensor", "returned what cannot become a batch"),
        ("scalar", "returned a column that has no rows"),
        ("lengths", "returned columns that differ in length"),
    ],
)
def test_tensors_that_are_no_batch_say_what_is_wanted(result, message):
    torch = pytest.importorskip("torch")
    results = {
        "tensor": torch.ones(2),
        "scalar": {"x": torch.tensor(1)},
        "lengths": {"x": torch.ones(2), "y": torch.ones(3)},
    }
    wrong = results[result]
    (failed,) = run({"x": [1, 2]}, Step(lambda batch: wrong, options=TORCH))
    assert message in failed.failure().text()
