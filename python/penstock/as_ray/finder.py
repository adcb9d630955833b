"""Finds modules of Penstock by Ray's names."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_OURS, _RAY = "penstock", "ray"


class Finder:
    """A finder of `sys.meta_path` for `ray` and all below it, and the loader of what it finds."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec where Penstock has the module; None where the name is none of Ray's.

        Raises:
            ModuleNotFoundError: Penstock has no such module, and an import wants it.

        """
        del path, target
        if not _is_rays(name):
            return None
        if name != _RAY and not _exists(_ours(name)):
            if _is_import():
                raise ModuleNotFoundError(
                    f"Penstock runs in place of Ray here, and has no module {name}", name=name
                )
            return None  # Somebody asks whether there is one.
        return ModuleSpec(name, self, origin=_OURS, is_package=name == _RAY)  # type: ignore[arg-type]  # Without importlib.abc.

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to the import system to make a module, which never gets into anybody's hands."""

    def exec_module(self, module: ModuleType) -> None:
        """Put Penstock's module in the place of the one that was made.

        So it keeps its own name, spec and loader, and is the same whichever way it is imported.
        """
        name = module.__name__
        ours = importlib.import_module(_ours(name))
        sys.modules[name] = ours
        # A name in a package may be that of a module in it and of something else, which importing
        # the module by Ray's name must not replace.
        for loaded in list(sys.modules):
            if loaded.startswith(f"{ours.__name__}."):
                sys.modules.setdefault(_RAY + loaded[len(_OURS) :], sys.modules[loaded])

    def forget(self) -> None:
        """Take Ray's names out of the modules that are imported."""
        for name, module in list(sys.modules.items()):
            if _is_rays(name) and sys.modules.get(_ours(name)) is module:
                del sys.modules[name]


def refuse_real_ray() -> None:
    """Raise where another ray than Penstock is imported.

    Raises:
        RuntimeError: it is.

    """
    real = sys.modules.get(_RAY)
    if real is not None and real is not sys.modules[_OURS]:
        place = getattr(real, "__file__", None) or "an unknown place"
        raise RuntimeError(
            "Penstock cannot take the place of ray, which is imported already; call "
            f"penstock.as_ray.install() before anything imports ray. It came from: {place}"
        )


def _is_rays(name: str) -> bool:
    return name == _RAY or name.startswith(f"{_RAY}.")


def _ours(name: str) -> str:
    return _OURS + name[len(_RAY) :]


def _exists(name: str) -> bool:
    """Return whether a module of Penstock is there; its package is imported already."""
    if name in sys.modules:
        return True
    package = sys.modules.get(name.rpartition(".")[0])
    path = getattr(package, "__path__", None)
    if path is None:
        return False
    return importlib.machinery.PathFinder.find_spec(name, path) is not None


def _is_import() -> bool:
    """Tell an import from `importlib.util.find_spec`, which is to return None for what is missing.

    Both call the finder through `importlib._bootstrap._find_spec`; only an import comes from the
    same file.
    """
    bootstrap = sys._getframe(2)  # noqa: SLF001  # There is no other way to know.
    caller = bootstrap.f_back
    return caller is not None and caller.f_code.co_filename == bootstrap.f_code.co_filename
