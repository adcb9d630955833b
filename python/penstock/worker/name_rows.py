"""What runs in a worker where a `FilenameProvider` names the file of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.worker import current
from penstock.worker.failure import BadReturnError
from penstock.worker.text import shown

if TYPE_CHECKING:
    import pyarrow as pa

NAME_COLUMN = "__file_name__"


class NameRows:
    """A function of tables: it keeps one column, and adds the names that a provider gives."""

    def __init__(self, provider: Any, column: str, write_uuid: str) -> None:
        self.__name__ = f"Name({type(provider).__name__})"
        self._provider = provider
        self._column = column
        self._write_uuid = write_uuid

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return the column and the names.

        Raises:
            BadReturnError: the provider returns something else than text.

        """
        import pyarrow as pa

        from penstock.data.block import BlockAccessor

        task = current.running.batch_number
        names = []
        for place, row in enumerate(BlockAccessor.for_block(table).iter_rows()):
            name = self._provider.get_filename_for_row(row, self._write_uuid, task, 0, place)
            if not isinstance(name, str):
                raise BadReturnError(
                    f"get_filename_for_row of {type(self._provider).__name__} must return a str; "
                    f"got: {shown(name)}"
                )
            names.append(name)
        return table.select([self._column]).append_column(NAME_COLUMN, pa.array(names, pa.string()))
