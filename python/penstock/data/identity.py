"""What makes a user's function the same function in another run of the program."""

from __future__ import annotations

import dis
import hashlib
import os
import pickle
import sys
import sysconfig
import types
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.worker import by_value
from penstock.worker.callables import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PRIMITIVES = frozenset({int, float, complex, bool, str, type(None), type(...)})
# Of a class, what says nothing of what it does.
_LEFT_OUT = frozenset(
    {
        "__dict__",
        "__weakref__",
        "__doc__",
        "__module__",
        "__annotations__",
        "__firstlineno__",
        "__static_attributes__",
        "__abstractmethods__",
        "_abc_impl",
    }
)
_PATH_LENGTH_MAX = 4096


def identity_of(
    function: Any,
    *,
    constructor_args: Iterable[Any] | None,
    constructor_kwargs: Mapping[str, Any] | None,
    args: Iterable[Any] | None,
    kwargs: Mapping[str, Any] | None,
) -> dict[str, str]:
    """Return digests of a function's code and of its arguments.

    Code is what a function does and refers to: its instructions, constants and defaults, what it
    takes from outside, and the same of all functions and classes of the user's that it calls; not
    where it stands, nor its comments. Libraries count by their version.
    """
    name = name_of(function)
    given = (
        tuple(constructor_args or ()),
        dict(constructor_kwargs or {}),
        tuple(args or ()),
        dict(kwargs or {}),
    )
    identity = {f"the code of {name}": _digest(function)}
    if any(given):
        identity[f"the arguments of {name}"] = _digest(given)
    return identity


def files_of(*arguments: Any) -> list[str]:
    """Return the paths among arguments, however deep in lists and dicts, of what exists."""
    return sorted(set(_paths_in(list(arguments))))


def _digest(value: Any) -> str:
    walk = _Walk()
    walk.add(value)
    return walk.hexdigest()


class _Walk:
    """Takes values apart into a digest: equal values give equal digests in any process."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # So that no other object gets the number of one seen.

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def add(self, value: Any) -> None:
        try:
            self._add(value)
        except RecursionError:
            self._say("deep", type(value).__qualname__)

    def _say(self, *words: Any) -> None:
        for word in words:
            data = word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word
            self._hash.update(len(data).to_bytes(8, "little"))
            self._hash.update(data)

    def _add(self, value: Any) -> None:
        if type(value) in _PRIMITIVES:
            self._say(type(value).__name__, repr(value))
            return
        if id(value) in self._seen:
            self._say("again", str(self._seen[id(value)]))
            return
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        if isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif by_value.is_cached(value):
            self._say("cached", repr(value.cache_parameters()))
            self._add(value.__wrapped__)
        elif isinstance(value, types.MethodType):
            self._say("method")
            self._add(value.__func__)
            self._add(value.__self__)
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, type):
            self._class(value)
        else:
            self._value(value)

    def _code(self, code: types.CodeType) -> None:
        self._say("code", code.co_name, str(code.co_flags), str(code.co_argcount))
        self._say(str(code.co_posonlyargcount), str(code.co_kwonlyargcount))
        for one in dis.get_instructions(code):  # Without what the interpreter has learned.
            self._say(one.opname, "" if one.opcode in dis.hasconst else str(one.argval))
        for constant in code.co_consts[1:] if _has_docstring(code) else code.co_consts:
            self._add(constant)

    def _function(self, function: types.FunctionType) -> None:
        if _is_of_library(getattr(function, "__module__", None)):
            self._library(function)
            return
        self._say("function", function.__name__)
        self._add(function.__code__)
        self._add(function.__defaults__)
        self._add(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            self._add(_contents(cell))
        for name in sorted(_names_in(function.__code__)):
            if name in function.__globals__:
                self._say("global", name)
                self._add(function.__globals__[name])

    def _class(self, kind: type) -> None:
        if _is_of_library(kind.__module__):
            self._library(kind)
            return
        self._say("class", kind.__qualname__)
        for base in kind.__bases__:
            self._add(base)
        for name, member in sorted(vars(kind).items()):
            if name not in _LEFT_OUT:
                self._say("member", name)
                self._member(member)

    def _member(self, member: Any) -> None:
        if isinstance(member, staticmethod | classmethod):
            self._say(type(member).__name__)
            self._add(member.__func__)
        elif isinstance(member, property):
            self._say("property")
            for part in (member.fget, member.fset, member.fdel):
                self._add(part)
        elif isinstance(member, types.MemberDescriptorType | types.GetSetDescriptorType):
            self._say("slot", member.__name__)
        else:
            self._add(member)

    def _module(self, module: types.ModuleType) -> None:
        if _is_of_library(module.__name__):
            self._say("library", module.__name__, _version_of_library(module.__name__))
            return
        self._say("module", module.__name__)
        if module.__file__ is not None and Path(module.__file__).is_file():
            self._say(Path(module.__file__).read_bytes())

    def _library(self, value: Any) -> None:
        module = value.__module__ or ""
        self._say("library", module, value.__qualname__, _version_of_library(module))

    def _value(self, value: Any) -> None:
        kind = type(value)
        self._say("value", f"{kind.__module__}.{kind.__qualname__}")
        if isinstance(value, list | tuple):
            self._sequence(value)
        elif isinstance(value, dict):
            for key, one in value.items():
                self._add(key)
                self._add(one)
        elif isinstance(value, set | frozenset):
            self._say(*sorted(_digest(one) for one in value))
        elif isinstance(value, bytes | bytearray):
            self._say(value)
        elif isinstance(value, pickle.PickleBuffer):
            self._say(value.raw())
        elif _is_tensor(value):
            self._tensor(value)
        else:
            self._reduced(value)

    def _tensor(self, tensor: Any) -> None:
        self._say(str(tensor.dtype), str(tuple(tensor.shape)))
        try:  # As bytes: NumPy has no type for some.
            flat = tensor.detach().cpu().contiguous().flatten().view(sys.modules["torch"].uint8)
        except (RuntimeError, NotImplementedError):  # Sparse, quantised, without memory.
            self._reduced(tensor)
        else:
            self._say(flat.numpy())

    def _sequence(self, values: list[Any] | tuple[Any, ...]) -> None:
        if all(type(one) in _PRIMITIVES for one in values):
            self._say(repr(values))
            return
        for one in values:
            self._add(one)

    def _reduced(self, value: Any) -> None:
        """Add what a value would be pickled as; of one that cannot be pickled its type counts."""
        if type(value).__module__ == "penstock.core.references":
            return  # What it names has another number in each run.
        try:
            reduced = value.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        except Exception:  # noqa: BLE001  # Whatever the user's class raises.
            return
        if isinstance(reduced, str):
            self._say(reduced)
            return
        make, arguments, *more = reduced
        self._add(make)
        self._add(arguments)
        for part in more:
            self._add(list(part) if hasattr(part, "__next__") else part)


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # It is empty still.
        return None


def _has_docstring(code: types.CodeType) -> bool:
    consts = code.co_consts
    is_function = bool(code.co_flags & 0x2)  # CO_NEWLOCALS
    return is_function and bool(consts) and isinstance(consts[0], str)


def _names_in(code: types.CodeType) -> Iterator[str]:
    """Yield the global names that a function may use, and those within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


@lru_cache(maxsize=4096)
def _is_of_library(module: str | None) -> bool:
    """Return whether a module is installed, or Python's own, rather than the user's."""
    if not module or module == "__main__":
        return False
    top = module.partition(".")[0]
    if top == "penstock" or top in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module in sys.modules and not hasattr(sys.modules[module], "__path__")
    paths = sysconfig.get_paths()
    return any(file.startswith(paths[name] + os.sep) for name in ("purelib", "platlib"))


@lru_cache(maxsize=4096)
def _version_of_library(module: str) -> str:
    top = module.partition(".")[0]
    return str(getattr(sys.modules.get(top), "__version__", ""))


def _paths_in(value: Any) -> Iterator[str]:
    """Yield the paths among arguments of things that exist."""
    if isinstance(value, str | os.PathLike):
        path = os.fspath(value)
        may_be = isinstance(path, str) and 0 < len(path) < _PATH_LENGTH_MAX and "\0" not in path
        if may_be and os.path.lexists(path):
            yield path
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _paths_in(one)
    elif isinstance(value, dict):
        yield from _paths_in(list(value.values()))
