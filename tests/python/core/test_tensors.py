"""Tensors of torch share the memory of the object that they are in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock.core import serialization

if TYPE_CHECKING:
    from round_trip import Carrier

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64", "bool", "complex64", "float16"])
def test_a_tensor_comes_back_as_it_was(carrier: Carrier, dtype: str) -> None:
    tensor = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, dtype))
    back = carrier.carry({"t": tensor, "part": tensor[:, ::2], "scalar": tensor[0, 0, 1]})
    assert torch.equal(back["t"], tensor)
    assert torch.equal(back["part"], tensor[:, ::2])
    assert back["scalar"].shape == ()
    assert back["t"].dtype == tensor.dtype


def test_an_empty_tensor_comes_back(carrier: Carrier) -> None:
    assert carrier.carry(torch.zeros(0, 3)).shape == (0, 3)


def test_the_weights_of_a_model_are_views_of_the_object(carrier: Carrier) -> None:
    model = torch.nn.Linear(1000, 1000)
    value = carrier.get(carrier.put(model))
    back = serialization.loads(value)
    assert isinstance(back.weight, torch.nn.Parameter)
    assert back.weight.requires_grad
    assert torch.equal(back.weight, model.weight)
    smaps = _private_dirty_bytes(back.weight.data_ptr())
    assert smaps == 0


def test_writing_to_a_tensor_is_seen_by_nobody_else(carrier: Carrier) -> None:
    put = carrier.put(torch.zeros(1_000_000))
    value = carrier.get(put)
    first, second = serialization.loads(value), serialization.loads(value)
    first[0] = 5
    assert second[0] == 0
    assert serialization.loads(value)[0] == 0
    own = serialization.loads(carrier.get(put, as_another=False))
    own.add_(1)
    assert serialization.loads(carrier.get(put, as_another=False)).sum() == 0


def test_small_tensors_may_be_written_to(carrier: Carrier) -> None:
    back = carrier.carry(torch.zeros(3))
    back += 1
    assert back.sum() == 3


def test_gradients_and_attributes_are_left_to_torch(carrier: Carrier) -> None:
    tensor = torch.zeros(3, requires_grad=True)
    assert carrier.carry(tensor).requires_grad
    named = torch.zeros(3)
    named.label = "x"
    assert carrier.carry(named).label == "x"
    sparse = torch.eye(3).to_sparse()
    assert torch.equal(carrier.carry(sparse).to_dense(), torch.eye(3))


def _private_dirty_bytes(address: int) -> int:
    """Return how much of the mapping at an address is this process's alone."""
    inside = False
    with Path("/proc/self/smaps").open() as lines:
        for line in lines:
            head = line.split(maxsplit=1)[0]
            if "-" in head and not head.endswith(":"):
                start, end = (int(part, 16) for part in head.split("-"))
                inside = start <= address < end
            elif inside and head == "Private_Dirty:":
                return int(line.split()[1]) * 1024
    raise AssertionError("the address is not mapped")
