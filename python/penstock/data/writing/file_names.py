"""Asks a `FilenameProvider` for names while a job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._core import FileNames
from penstock.data.filename_provider import FilenameProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    Namer = Callable[[str, int], object]


class NameGiver:
    """Answers the engine with a provider's names. All calls come from the thread that drives."""

    def __init__(self, provider: Any) -> None:
        """Try the provider on two tasks: a mistake must not show when all work is done.

        Raises:
            NotImplementedError: it names rows alone, but the files hold many.
            TypeError: it returns something else than text.
            ValueError: it gives two tasks one name.

        """
        self.file_names = FileNames()
        self._namer = _namer(provider)
        first, second = self._names("0" * 32, [0, 1])
        if first == second:
            raise ValueError(
                f"filename_provider must name each task's files differently; got twice: {first!r}"
            )

    def answer(self) -> None:
        """Answer the question that waits, if one does."""
        question = self.file_names.question()
        if question is not None:
            self.file_names.answer(self._names(*question))

    def close(self) -> None:
        """Answer no more: the engine stops to wait."""
        self.file_names.close()

    def _names(self, write_uuid: str, tasks: list[int]) -> list[str]:
        names: list[str] = []
        for task in tasks:
            name = self._namer(write_uuid, task)
            if not isinstance(name, str):
                raise TypeError(f"filename_provider must return a str; got: {name!r}")
            names.append(name)
        return names


def names_rows(provider: object) -> bool:
    """Say whether a provider has names for single rows."""
    return _defines(provider, "get_filename_for_row")


def _namer(provider: Any) -> Namer:
    if _defines(provider, "get_filename_for_task"):
        name_task: Namer = provider.get_filename_for_task
        return name_task
    if _defines(provider, "get_filename_for_block"):
        return lambda uuid, task: provider.get_filename_for_block(None, uuid, task, 0)
    if _defines(provider, "get_filename_for_row"):
        raise NotImplementedError(
            "Only where each row is a file of its own (write_images, RowBasedFileDatasink) does "
            "get_filename_for_row name it; define get_filename_for_task; "
            f"got: {provider!r}"
        )
    return FilenameProvider().get_filename_for_task


def _defines(provider: Any, method: str) -> bool:
    found = getattr(type(provider), method, None)
    return callable(found) and found is not getattr(FilenameProvider, method)
