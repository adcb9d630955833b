"""What arguments functions take, as text that travels with the handles of actors.

The text lists the parameters, each as a digit and its name: twice the place of its kind in
`_KINDS`, and 1 more where it has a default: "2value,3by".
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)


class _Default:
    """Stands for a default, whose value stays where the function is."""

    def __repr__(self) -> str:
        return "..."


_DEFAULT = _Default()


def signature_of(
    function: Callable[..., Any], *, is_method: bool = False
) -> inspect.Signature | None:
    """Return a function's signature, None where it tells nothing; of a method without its first."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # Some of what is written in C tells nothing.
        return None
    parameters = list(signature.parameters.values())
    if is_method and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        return signature.replace(parameters=parameters[1:])
    return signature


def written(signature: inspect.Signature) -> str:
    """Return a signature as text."""
    return ",".join(map(_part, signature.parameters.values()))


def read(text: str) -> inspect.Signature:
    """Return the signature that was written as this text."""
    return inspect.Signature([_parameter(part) for part in text.split(",") if part])


def _part(parameter: inspect.Parameter) -> str:
    has_default = parameter.default is not parameter.empty
    return f"{2 * _KINDS.index(parameter.kind) + has_default}{parameter.name}"


def _parameter(part: str) -> inspect.Parameter:
    kind, has_default = divmod(int(part[0]), 2)
    default = _DEFAULT if has_default else inspect.Parameter.empty
    return inspect.Parameter(part[1:], _KINDS[kind], default=default)
