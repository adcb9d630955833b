"""Values travel by what they are, large ones without a copy."""

from __future__ import annotations

import datetime as dt
import pickle
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fake_hub
import numpy as np
import pyarrow as pa
import pytest

from penstock.core import references, serialization

if TYPE_CHECKING:
    from round_trip import Carrier


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        2.5,
        "text",
        b"bytes",
        [1, {"a": (2, {3})}],
        dt.date(2026, 1, 2),
        b"x" * 100_000,
        list(range(20_000)),
    ],
)
def test_a_value_comes_back_as_it_was(carrier: Carrier, value: Any) -> None:
    back = carrier.carry(value)
    assert back == value
    assert type(back) is type(value)


def test_what_is_defined_where_nobody_can_import_it_travels_by_value(carrier: Carrier) -> None:
    class Local:
        factor = 3

        def times(self, value: int) -> int:
            return self.factor * value

    assert carrier.carry(lambda value: value + 1)(1) == 2
    local = carrier.carry(Local())
    assert local.times(2) == 6
    assert carrier.carry({"module": types, "point": Point(4)})["point"].x == 4


@pytest.mark.parametrize("size", [10, 10_000])
def test_an_array_comes_out_as_a_view_that_cannot_be_written_to(
    carrier: Carrier, size: int
) -> None:
    array = np.arange(size, dtype=np.int64)
    value = carrier.get(carrier.put({"a": array}))
    back = serialization.loads(value)["a"]
    np.testing.assert_array_equal(back, array)
    assert not back.flags.writeable
    (buffer,) = value.buffers
    assert np.shares_memory(back, np.frombuffer(buffer, dtype=np.int64))
    with pytest.raises(ValueError, match="read-only"):
        back[0] = 1


def test_the_view_of_an_array_keeps_its_memory(carrier: Carrier) -> None:
    array = np.arange(100_000)
    back = carrier.carry(array)
    first = back[:10]
    del back
    np.testing.assert_array_equal(first, array[:10])


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_layout_of_an_array_stays(carrier: Carrier, order: Any) -> None:
    array = np.asarray(np.arange(6000, dtype=np.float32).reshape(60, 100), order=order)
    back = carrier.carry([array, array[::2, ::3]])
    np.testing.assert_array_equal(back[0], array)
    np.testing.assert_array_equal(back[1], array[::2, ::3])
    assert back[0].flags.f_contiguous == array.flags.f_contiguous


def test_buffers_begin_at_multiples_of_64(carrier: Carrier) -> None:
    put = carrier.put([np.zeros(size, dtype=np.uint8) for size in (5000, 5001, 5003, 5009)])
    back = serialization.loads(carrier.get(put))
    starts = [array.__array_interface__["data"][0] for array in back]
    assert [start % 64 for start in starts] == [0] * 4


def test_arrow_data_comes_out_without_a_copy(carrier: Carrier) -> None:
    table = pa.table({"n": range(10_000), "s": [str(n) for n in range(10_000)]})
    value = carrier.get(carrier.put(table))
    back = serialization.loads(value)
    assert back.equals(table)
    inside = np.frombuffer(value.buffers[0], dtype=np.uint8)
    addresses = [
        buffer.address
        for column in back.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    ]
    start = inside.__array_interface__["data"][0]
    assert all(start <= address < start + 1_000_000 for address in addresses)
    assert carrier.carry(table["n"].chunk(0)).equals(table["n"].chunk(0))


def test_a_slice_of_arrow_data_travels_without_the_rest(carrier: Carrier) -> None:
    table = pa.table({"n": range(1_000_000), "s": ["text"] * 1_000_000})
    for part in (table.slice(500, 10), table.slice(500, 10).to_batches()[0]):
        put = carrier.put({"part": part})
        assert len(put["bytes"]) < 5000
        assert serialization.loads(carrier.get(put))["part"].equals(part)
    column = table["n"].slice(7, 3)
    put = carrier.put([column, column.chunk(0)])
    assert len(put["bytes"]) < 5000
    assert [each.to_pylist() for each in serialization.loads(carrier.get(put))] == [[7, 8, 9]] * 2


def test_the_references_in_a_value_are_told_with_it(carrier: Carrier) -> None:
    inner = references.ObjectRef(11)
    put = carrier.put({"refs": [inner, (inner, references.ObjectRef(12))]})
    assert sorted(set(put["ids"])) == [11, 12]
    back = serialization.loads(carrier.get(put))
    assert back["refs"][0] == inner


def test_references_are_told_of_with_what_travels_by_value_too(carrier: Carrier) -> None:
    inner = references.ObjectRef(11)
    assert carrier.put(lambda: inner)["ids"] == [11]


def test_packing_within_packing_keeps_the_two_apart(carrier: Carrier) -> None:
    found: list[list[int]] = []

    class Nested:
        def __reduce__(self) -> Any:
            serialization.contains(21)
            _, _, ids = serialization._parts([references.ObjectRef(22)], "")
            found.append(ids)
            serialization.contains(23)
            return int, (0,)

    _, _, ids = serialization._parts([Nested()], "")
    assert found[-1] == [22]
    assert ids == [21, 23]


def test_references_that_others_pickle_stay_for_ever(carrier: Carrier) -> None:
    reference = references.ObjectRef(31)
    pickle.dumps(reference)
    del reference
    carrier.put(1)
    assert carrier.hub.counted == [(fake_hub.HOLD, [31])]
    kept_no_longer = references.ObjectRef(32)
    del kept_no_longer
    carrier.put(1)
    carrier.put(1)
    assert carrier.hub.counted[1:] == [(fake_hub.HOLD, [32]), (fake_hub.RELEASE, [32])]


def test_packing_in_other_threads_keeps_apart(carrier: Carrier) -> None:
    ids: list[list[int]] = []

    class Elsewhere:
        def __reduce__(self) -> Any:
            def pack() -> None:
                ids.append(serialization._parts([references.ObjectRef(42)], "")[2])

            thread = threading.Thread(target=pack)
            thread.start()
            thread.join()
            return int, (0,)

    assert serialization._parts([Elsewhere(), references.ObjectRef(41)], "")[2] == [41]
    assert ids == [[42]]


def test_the_arguments_that_are_references_are_given(carrier: Carrier) -> None:
    one, two = references.ObjectRef(51), references.ObjectRef(52)
    packed, given = serialization.dumps_call(carrier.client, (1, one, [two]), {"k": two, "j": 3})
    assert given == [51, 52]
    carrier.client.put(packed)
    message = carrier.hub.next(fake_hub.PUT)
    message.take("Q")
    value = message.value()
    assert value["ids"] == [52]
    got = carrier.get({**value, "descriptors": []})
    args, kwargs = serialization.loads_call(got, ["first", "second"])
    assert args[:2] == (1, "first")
    assert args[2] == [two]
    assert kwargs == {"k": "second", "j": 3}


def test_what_cannot_be_pickled_is_named(carrier: Carrier) -> None:
    with pytest.raises(TypeError, match=r"(?s)the item 'lock'.*_thread.lock"):
        serialization.dumps(carrier.client, {"lock": threading.Lock()})
    with pytest.raises(TypeError, match=r"An argument cannot be sent"):
        serialization.dumps_call(carrier.client, (threading.Lock(),), {})


def test_an_object_of_a_class_that_raises_is_no_crash(carrier: Carrier) -> None:
    class Raises:
        def __reduce__(self) -> Any:
            raise RuntimeError("not me")

    with pytest.raises(TypeError, match="not me"):
        serialization.dumps(carrier.client, Raises())


def test_the_value_of_a_large_object_lies_in_shared_memory(carrier: Carrier) -> None:
    put = carrier.put(np.zeros(1_000_000, dtype=np.uint8))
    assert put["form"] == 2
    assert put["capacity"] < 1_300_000
    descriptor = put["descriptors"][0]
    assert Path(f"/proc/self/fd/{descriptor}").stat().st_size == put["capacity"]
