"""What functions take, written as text and read again."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from penstock.core import signatures

if TYPE_CHECKING:
    from collections.abc import Callable


def everything(a: int, /, b: int, c: int = 1, *more: int, d: int, e: int = 2, **named: int) -> None:
    """Take each kind of parameter."""


def nothing() -> None:
    """Take nothing."""


@pytest.mark.parametrize("function", [everything, nothing])
def test_a_signature_comes_back(function: Callable[..., Any]) -> None:
    signature = signatures.signature_of(function)
    assert signature is not None
    again = signatures.read(signatures.written(signature))
    assert [
        (parameter.name, parameter.kind, parameter.default is parameter.empty)
        for parameter in again.parameters.values()
    ] == [
        (parameter.name, parameter.kind, parameter.default is parameter.empty)
        for parameter in signature.parameters.values()
    ]


def test_defaults_are_not_told() -> None:
    signature = signatures.signature_of(everything)
    assert signature is not None
    text = str(signatures.read(signatures.written(signature)))
    assert text == "(a, /, b, c=..., *more, d, e=..., **named)"


def test_a_method_s_first_parameter_is_given_to_it() -> None:
    signature = signatures.signature_of(everything, is_method=True)
    assert signature is not None
    assert next(iter(signature.parameters)) == "b"


def test_what_tells_nothing_has_no_signature() -> None:
    assert signatures.signature_of(type("Silent", (), {"__signature__": 3})()) is None
    assert inspect.signature(nothing) == signatures.signature_of(nothing)
