"""What the value of an option may be; each check raises a ValueError or TypeError that says it."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

_ENVIRONMENT = frozenset({"env_vars", "working_dir", "excludes", "config"})


def anything(name: str, value: Any) -> None:
    """Take whatever it is."""


def amount(name: str, value: Any) -> None:
    """Demand a number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number; got: {value!r}")
    if value < 0:
        raise ValueError(f"{name} must not be negative; got: {value}")


def timeout(value: Any) -> None:
    """Demand None, or seconds that are not negative."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"timeout must be a number of seconds, or None; got: {value!r}")
    if not float(value) >= 0:  # NaN too.
        raise ValueError(f"timeout must not be negative; got: {value}")


def gpus(name: str, value: Any) -> None:
    """Demand a share of one GPU, or whole ones."""
    amount(name, value)
    if value > 1 and value != int(value):
        raise ValueError(f"{name} above 1 must be whole; got: {value}")


def resources(name: str, value: Any) -> None:
    """Demand names with amounts; processors and GPUs have options of their own."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict of names and amounts; got: {value!r}")
    for key, wanted in value.items():
        if key in ("CPU", "GPU", "memory"):
            raise ValueError(f"Use num_cpus, num_gpus or memory, not {name}[{key!r}]")
        amount(f"{name}[{key!r}]", wanted)


def text(name: str, value: Any) -> None:
    """Demand a text that is not empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str; got: {value!r}")
    if not value:
        raise ValueError(f"{name} must not be empty")


def flag(name: str, value: Any) -> None:
    """Demand True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False; got: {value!r}")


def at_least_zero(name: str, value: Any) -> None:
    """Demand a whole number from 0."""
    _whole(name, value, 0)


def at_least_one(name: str, value: Any) -> None:
    """Demand a whole number from 1."""
    _whole(name, value, 1)


def retries(name: str, value: Any) -> None:
    """Demand a whole number from -1, which means: for ever."""
    _whole(name, value, -1)


def limit(name: str, value: Any) -> None:
    """Demand a whole number from 1, or -1, which means: none."""
    _whole(name, value, -1)
    if value == 0:
        raise ValueError(f"{name} must be at least 1, or -1 for no limit; got: 0")


def returns(name: str, value: Any) -> None:
    """Demand how many values come back."""
    if isinstance(value, str):
        if value not in ("dynamic", "streaming"):
            raise ValueError(f'{name} must be a number, "dynamic" or "streaming"; got: {value!r}')
        return
    _whole(name, value, 0)


def exceptions_to_retry(name: str, value: Any) -> None:
    """Demand True, False, or classes of exceptions."""
    if isinstance(value, bool):
        return
    if not isinstance(value, list | tuple) or not all(
        isinstance(kind, type) and issubclass(kind, BaseException) for kind in value
    ):
        raise TypeError(f"{name} must be True, False or a list of exceptions; got: {value!r}")


def lifetime(name: str, value: Any) -> None:
    """Demand one of Ray's words."""
    if value not in ("detached", "non_detached"):
        raise ValueError(f'{name} must be "detached" or "non_detached"; got: {value!r}')


def concurrency_groups(name: str, value: Any) -> None:
    """Demand names with the number of calls that may run at once."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict of names and numbers; got: {value!r}")
    for key, most in value.items():
        at_least_one(f"{name}[{key!r}]", most)


def runtime_env(name: str, value: Any) -> None:
    """Demand an environment of variables and a working folder; what installs is not ours."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict; got: {value!r}")
    for key in value:
        if key not in _ENVIRONMENT:
            raise NotImplementedError(
                f"{name} knows env_vars and working_dir; install packages before the program "
                f"starts. Got: {key!r}"
            )
    for variable, setting in (value.get("env_vars") or {}).items():
        if not isinstance(variable, str) or not isinstance(setting, str):
            raise TypeError(
                f"{name}['env_vars'] must map str to str; got: {variable!r}: {setting!r}"
            )
    if value.get("working_dir"):
        folder(value["working_dir"])


def folder(value: Any) -> str:
    """Return the absolute path of a working folder on this machine.

    Raises:
        ValueError: it is not there, or elsewhere.

    """
    path = Path(value)
    if not path.is_dir():
        raise ValueError(f"working_dir must be a folder on this machine; got: {value!r}")
    return str(path.resolve())


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number; got: {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got: {value}")
