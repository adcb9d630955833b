"""What runs in a worker for `add_column`. Imports nothing, so that workers start fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class AddColumn:
    """A function of batches that sets one column to what `function` returns for the batch."""

    def __init__(self, column: str, function: Callable[[Any], Any], batch_format: str) -> None:
        self.column = column
        self.function = function
        self.batch_format = batch_format
        self.__name__ = "add_column"

    def __call__(self, batch: Any) -> Any:
        """Return the batch with the column set."""
        values = self.function(batch)
        if self.batch_format != "pyarrow":
            batch[self.column] = values
            return batch
        place = batch.schema.get_field_index(self.column)
        if place < 0:
            return batch.append_column(self.column, values)
        return batch.set_column(place, self.column, values)
