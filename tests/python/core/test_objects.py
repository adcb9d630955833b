"""Objects are written once, shared by all, and freed when nobody refers to them."""

from __future__ import annotations

import asyncio
import math
import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from named_pipes import wait_at

import penstock
from penstock import exceptions

if TYPE_CHECKING:
    from named_pipes import Gate

pytestmark = pytest.mark.usefixtures("runtime")


@penstock.remote
def wait_for(path: str) -> str:
    return wait_at(path)


@pytest.mark.parametrize(
    "value", [None, 3, "text", b"bytes" * 10_000, {"a": [1, (2, 3)]}, {1, 2}, 1 << 100]
)
def test_what_is_put_comes_out(value: object) -> None:
    assert penstock.get(penstock.put(value)) == value


def test_an_array_comes_out_over_shared_memory() -> None:
    array = np.arange(3_000_000, dtype=np.float32).reshape(3, -1)
    reference = penstock.put(array)
    first, second = penstock.get([reference, reference])
    np.testing.assert_array_equal(first, array)
    assert not first.flags.writeable
    assert np.shares_memory(first, second)
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_arrow_tables_come_out_without_a_copy() -> None:
    table = pa.table({"a": np.arange(1_000_000), "b": [f"text {n}" for n in range(1_000_000)]})
    before = pa.total_allocated_bytes()
    came = penstock.get(penstock.put(table))
    assert came.equals(table)
    assert pa.total_allocated_bytes() - before < 1 << 20


def test_tensors_come_out_over_shared_memory() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.arange(1_000_000, dtype=torch.float32).reshape(10, -1)
    reference = penstock.put({"weights": tensor})
    first = penstock.get(reference)["weights"]
    second = penstock.get(reference)["weights"]
    assert torch.equal(first, tensor)
    first[0, 0] = -1  # A page of one's own, from here on.
    assert second[0, 0] == 0
    assert penstock.get(reference)["weights"][0, 0] == 0


def test_views_stay_when_their_reference_is_gone() -> None:
    view = penstock.get(penstock.put(np.full(1_000_000, 7)))
    others = [penstock.put(np.zeros(1_000_000)) for _ in range(3)]
    assert view.sum() == 7_000_000
    del others


def test_a_reference_cannot_be_put() -> None:
    with pytest.raises(TypeError, match="not an ObjectRef"):
        penstock.put(penstock.put(1))


def test_get_refuses_what_is_no_reference() -> None:
    with pytest.raises(ValueError, match="got: int"):
        penstock.get(3)
    with pytest.raises(ValueError, match="item 1 is of type int"):
        penstock.get([penstock.put(1), 3])


def test_get_ends_in_time(gate: Gate) -> None:
    reference = wait_for.remote(gate.path)
    with pytest.raises(exceptions.GetTimeoutError):
        penstock.get(reference, timeout=0.01)
    with pytest.raises(TimeoutError):
        penstock.get([penstock.put(1), reference], timeout=0)
    gate.open()
    assert penstock.get(reference) == "go"


def test_wait_returns_those_that_are_ready_in_their_order(gate: Gate, second_gate: Gate) -> None:
    slow = wait_for.remote(gate.path)
    quick = penstock.put(1)
    slower = wait_for.remote(second_gate.path)
    assert penstock.wait([slow, quick, slower]) == ([quick], [slow, slower])
    assert penstock.wait([slow, quick], num_returns=2, timeout=0.01) == ([quick], [slow])
    gate.open()
    ready, others = penstock.wait([slow, quick, slower], num_returns=2)
    assert (ready, others) == ([slow, quick], [slower])
    second_gate.open()
    assert penstock.wait([slower], timeout=60) == ([slower], [])


def test_wait_counts_errors_as_ready() -> None:
    @penstock.remote
    def fail() -> None:
        raise ValueError("no")

    reference = fail.remote()
    assert penstock.wait([reference]) == ([reference], [])


def test_wait_refuses_what_makes_no_sense() -> None:
    reference = penstock.put(1)
    with pytest.raises(ValueError, match="twice"):
        penstock.wait([reference, reference])
    with pytest.raises(ValueError, match="num_returns"):
        penstock.wait([reference], num_returns=2)
    with pytest.raises(TypeError, match="list"):
        penstock.wait(reference)
    with pytest.raises(TypeError, match="of type int"):
        penstock.wait([3])


@pytest.mark.parametrize(
    ("timeout", "kind"),
    [
        ("x", TypeError),
        (True, TypeError),
        ([1], TypeError),
        (-1, ValueError),
        (math.nan, ValueError),
    ],
)
def test_a_timeout_that_is_no_time_is_named(timeout: Any, kind: type[Exception]) -> None:
    reference = penstock.put(1)
    for verb in (penstock.get, penstock.wait):
        with pytest.raises(kind, match=r"^timeout must .* got: "):
            verb([reference], timeout=timeout)
    with pytest.raises(kind, match=r"^timeout must .* got: "):
        penstock.get(reference, timeout=timeout)


def test_a_timeout_may_be_any_kind_of_number() -> None:
    reference = penstock.put(1)
    for timeout in (0, 0.5, np.float32(1), np.int64(1), math.inf, 1e300):
        assert penstock.get(reference, timeout=timeout) == 1
        assert penstock.wait([reference], timeout=timeout) == ([reference], [])


def test_the_number_to_wait_for_is_a_whole_one() -> None:
    reference = penstock.put(1)
    for number in ("x", 1.0, None, True):
        with pytest.raises(TypeError, match=r"^num_returns must be a whole number; got: "):
            penstock.wait([reference], num_returns=number)
    with pytest.raises(ValueError, match=r"^num_returns must be at least 1; got: 0"):
        penstock.wait([reference], num_returns=0)


def test_where_objects_are_fetched_to_changes_nothing(gate: Gate) -> None:
    slow, quick = wait_for.remote(gate.path), penstock.put(1)
    assert penstock.wait([slow, quick], fetch_local=False) == ([quick], [slow])
    assert penstock.wait([slow, quick], fetch_local=True) == ([quick], [slow])
    gate.open()
    assert penstock.wait([slow], fetch_local=False) == ([slow], [])


def test_references_are_alike_by_what_they_refer_to() -> None:
    reference = penstock.put(1)
    same = penstock.get(penstock.put([reference]))[0]
    assert same == reference
    assert hash(same) == hash(reference)
    assert same.hex() in repr(same)
    assert penstock.get(same) == 1


def test_an_object_inside_another_stays_as_long_as_that() -> None:
    inner = penstock.put(np.arange(1_000_000))
    outer = penstock.put({"inner": inner})
    del inner
    assert penstock.get(penstock.get(outer)["inner"])[-1] == 999_999


def test_a_reference_that_others_have_pickled_keeps_its_object() -> None:
    kept = penstock.put("kept")
    outside = pickle.dumps(kept)  # Nobody knows for how long.
    del kept
    penstock.get(penstock.put("next"))
    assert penstock.get(pickle.loads(outside)) == "kept"


def test_a_reference_to_what_is_not_there_is_lost() -> None:
    lost = penstock.ObjectRef(12345)
    with pytest.raises(exceptions.ObjectLostError, match=lost.hex().lstrip("0")):
        penstock.get(lost)
    assert penstock.wait([lost]) == ([lost], [])


def test_references_have_names() -> None:
    reference = penstock.put(1)
    assert int(reference.hex(), 16) == int.from_bytes(reference.binary(), "big")
    assert not reference.is_nil()
    assert reference.job_id() == penstock.get_runtime_context().get_job_id()


def test_references_can_be_awaited_and_turned_into_futures() -> None:
    async def both() -> tuple[int, int]:
        return await asyncio.gather(penstock.put(1), penstock.put(2))

    assert asyncio.run(both()) == [1, 2]
    assert penstock.put(3).future().result(timeout=60) == 3


def test_an_awaited_error_is_raised() -> None:
    @penstock.remote
    def fail() -> None:
        raise KeyError("gone")

    async def wait() -> None:
        await fail.remote()

    with pytest.raises(KeyError):
        asyncio.run(wait())


def test_a_model_passed_by_reference_is_held_once() -> None:
    @penstock.remote
    def private_bytes(model: dict[str, np.ndarray]) -> tuple[float, int]:
        total = float(model["weights"].sum())
        with Path("/proc/self/smaps_rollup").open() as rollup:
            lines = dict(line.split(":", 1) for line in rollup if ":" in line)
        return total, int(lines["Private_Dirty"].split()[0]) * 1024

    model = penstock.put({"weights": np.ones(16 << 20)})  # 128 MiB
    for total, private in penstock.get([private_bytes.remote(model) for _ in range(4)]):
        assert total == 16 << 20
        assert private < 100 << 20


def test_objects_of_a_task_that_has_ended_stay() -> None:
    @penstock.remote(max_calls=1)
    def make() -> list[penstock.ObjectRef[int]]:
        return [penstock.put(os.getpid())]

    (reference,) = penstock.get(make.remote())
    assert penstock.get(reference) != os.getpid()
