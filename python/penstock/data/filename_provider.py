"""Names of the files that custom file sinks write."""

from __future__ import annotations

from typing import Any


class FilenameProvider:
    """Names output files; derive from it to name them yourself.

    Names must differ between tasks, blocks and rows, and follow from nothing but the arguments.
    """

    def get_filename_for_task(self, write_uuid: str, task_index: int) -> str:
        """Return the stem or name of the files that one task writes."""
        return f"{write_uuid}_{task_index:06}"

    def get_filename_for_block(
        self,
        block: Any,  # noqa: ARG002 - for derived classes
        write_uuid: str,
        task_index: int,
        block_index: int,
    ) -> str:
        """Return the name of the file that holds one block."""
        return f"{self.get_filename_for_task(write_uuid, task_index)}_{block_index:06}"

    def get_filename_for_row(
        self,
        row: dict[str, Any],  # noqa: ARG002 - for derived classes
        write_uuid: str,
        task_index: int,
        block_index: int,
        row_index: int,
    ) -> str:
        """Return the name of the file that holds one row."""
        task = self.get_filename_for_task(write_uuid, task_index)
        return f"{task}_{block_index:06}_{row_index:06}"


class DefaultFilenameProvider(FilenameProvider):
    """Appends a file format as the ending."""

    def __init__(self, dataset_uuid: str | None = None, file_format: str | None = None) -> None:
        self._prefix = f"{dataset_uuid}_" if dataset_uuid else ""
        self._ending = f".{file_format}" if file_format else ""

    def get_filename_for_block(
        self, block: Any, write_uuid: str, task_index: int, block_index: int
    ) -> str:
        """Return the name of the file that holds one block."""
        stem = super().get_filename_for_block(block, write_uuid, task_index, block_index)
        return f"{self._prefix}{stem}{self._ending}"

    def get_filename_for_row(
        self,
        row: dict[str, Any],
        write_uuid: str,
        task_index: int,
        block_index: int,
        row_index: int,
    ) -> str:
        """Return the name of the file that holds one row."""
        stem = super().get_filename_for_row(row, write_uuid, task_index, block_index, row_index)
        return f"{self._prefix}{stem}{self._ending}"
