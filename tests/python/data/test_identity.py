"""A function is the same in another run where it does the same, and another where it does not."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock.data.identity import files_of, identity_of

SCRIPT = """
import functools, json, sys
import numpy as np
{before}
FACTOR = {factor}
NAMES = {names}

def helper(value):
    {comment}
    return value * FACTOR + {constant}

class Base:
    unit = {unit}

class Model(Base):
    {docstring}
    def __init__(self, weights, *, options=None):
        self.weights = weights

    def __call__(self, batch):
        kept = [name for name in batch if name in {{"a", "b", "c", "id"}}]
        return {{name: helper(batch[name]) + len(NAMES) for name in kept}}

    @property
    def size(self):
        return lambda x: x + self.unit

from penstock.data.identity import identity_of
print(json.dumps(identity_of(
    Model, constructor_args=[np.arange(5) * {weight}, {{"z": {{1, 2, 3}}, "a": "text"}}],
    constructor_kwargs={{"options": functools.partial(helper, 3)}}, args=None, kwargs=None)))
"""
PLAIN: dict[str, Any] = {
    "before": "",
    "factor": 2,
    "names": '{"x": 1, "y": 2}',
    "comment": "pass",
    "constant": 1,
    "unit": 5,
    "docstring": "",
    "weight": 1,
}


def identity_in_another_process(tmp_path: Path, *, seed: int = 0, **changes: Any) -> dict[str, str]:
    script = tmp_path / f"script_{seed}.py"
    script.write_text(SCRIPT.format(**{**PLAIN, **changes}))
    told = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONHASHSEED": str(seed),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
    )
    identity: dict[str, str] = json.loads(told.stdout)
    return identity


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return identity_in_another_process(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_process_gives_the_same(plain: dict[str, str], tmp_path: Path, seed: int) -> None:
    assert identity_in_another_process(tmp_path, seed=seed) == plain


@pytest.mark.parametrize(
    "changes",
    [
        {"before": "\n\n# A comment.\nimport math\nUNUSED = 3\n"},
        {"comment": "# Of no consequence.\n    pass"},
        {"docstring": '"""What it does, in other words."""'},
    ],
    ids=["lines before", "a comment", "a docstring"],
)
def test_what_changes_nothing_makes_no_other_function(
    plain: dict[str, str], tmp_path: Path, changes: dict[str, str]
) -> None:
    assert identity_in_another_process(tmp_path, **changes) == plain


@pytest.mark.parametrize(
    "changes",
    [{"factor": 3}, {"names": '{"x": 1}'}, {"constant": 7}, {"unit": 6}],
    ids=["a global", "a global dict", "a helper's constant", "a base's attribute"],
)
def test_what_a_function_refers_to_is_its_code(
    plain: dict[str, str], tmp_path: Path, changes: dict[str, Any]
) -> None:
    changed = identity_in_another_process(tmp_path, **changes)
    assert changed["the code of Model"] != plain["the code of Model"]


def test_arguments_count_by_their_values(plain: dict[str, str], tmp_path: Path) -> None:
    changed = identity_in_another_process(tmp_path, weight=2)
    assert changed["the code of Model"] == plain["the code of Model"]
    assert changed["the arguments of Model"] != plain["the arguments of Model"]


def of(function: Any, *args: Any) -> dict[str, str]:
    return identity_of(function, constructor_args=args, constructor_kwargs={}, args=(), kwargs={})


def make(number: int) -> Any:
    return lambda batch: batch + number


def test_what_a_closure_holds_counts() -> None:
    assert of(make(1)) == of(make(1))
    assert of(make(1)) != of(make(2))


def test_defaults_count() -> None:
    def first(batch: Any, factor: int = 1) -> Any:
        return batch * factor

    def second(batch: Any, factor: int = 2) -> Any:
        return batch * factor

    second.__name__ = second.__qualname__ = first.__name__
    first.__qualname__ = first.__name__
    assert list(of(first).values()) != list(of(second).values())


class Callable:
    def __init__(self, state: Any) -> None:
        self.state = state

    def __call__(self, batch: Any) -> Any:
        return batch

    def method(self, batch: Any) -> Any:
        return batch


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(3), np.zeros(4)),
        (np.zeros(3), np.zeros(3, np.float32)),
        ([1, 2], (1, 2)),
        ([1, "2"], [1, 2]),
        ({"a": 1}, {"a": 2}),
        ({"a": [1]}, {"a": [1, 1]}),
        (1, 1.0),
        (True, 1),
        ("a", b"a"),
        (Path("a"), "a"),
    ],
)
def test_values_that_differ_have_other_digests(one: Any, other: Any) -> None:
    assert of(make, one) != of(make, other)
    assert of(Callable(one)) != of(Callable(other))
    assert of(Callable(one).method) != of(Callable(other).method)


def test_what_refers_to_itself_has_an_end() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert of(make, ring) == of(make, ring)
    assert of(make, deep)


def test_what_cannot_be_pickled_counts_by_its_type() -> None:
    class Stubborn:
        def __reduce_ex__(self, protocol: Any) -> Any:
            raise TypeError("never")

    assert of(make, Stubborn()) == of(make, Stubborn())


def test_torch_modules_count_by_their_weights() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 2)
    before = of(make, module)
    assert of(make, module) == before
    with torch.no_grad():
        module.weight[0, 0] += 1
    assert of(make, module) != before


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "bool", "complex64", "int64"])
def test_tensors_of_every_type_count_by_their_values(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    ones = torch.ones(2, 3, dtype=getattr(torch, dtype))
    assert of(make, ones) == of(make, ones.clone())
    assert of(make, ones) != of(make, torch.zeros_like(ones))
    assert of(make, ones) != of(make, ones.T)
    assert of(make, ones.to_sparse()) == of(make, ones.to_sparse())


def test_paths_among_arguments_are_those_that_exist(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.touch()
    assert files_of([str(model)], {"folder": tmp_path}, [["no/such/file", 7, b"x"]]) == [
        str(tmp_path),
        str(model),
    ]


def test_a_change_in_a_function_with_a_cache_is_seen():
    def using(constant, size=None):
        @functools.lru_cache(maxsize=size)
        def load():
            return constant

        def use(batch):
            return load() and batch

        return identity_of(
            use, constructor_args=None, constructor_kwargs=None, args=None, kwargs=None
        )

    assert using(1) == using(1)
    assert using(1) != using(2)
    assert using(1) != using(1, size=3)
