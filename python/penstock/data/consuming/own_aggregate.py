"""The base of all aggregates, and those that users write: they run here, block by block."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa


class Aggregate:
    """Anything that `Dataset.aggregate` takes. `name` is its key in the result."""

    def __init__(self, name: str, on: str | None) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"An aggregate's name must be text that is not empty; got: {name!r}")
        if on is not None and not isinstance(on, str):
            raise TypeError(f"`on` must be a column's name (str); got: {on!r}")
        self.name = name
        self.on = on

    def get_target_column(self) -> str | None:
        """Return the column that is aggregated; None: whole rows."""
        return self.on

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class AggregateFnV2(Aggregate, abc.ABC):
    """The base of aggregates of your own: they run here, on each block as a `pyarrow.Table`.

    With `ignore_nulls` a block that aggregates to None is passed over; else it makes the result
    None.
    """

    def __init__(
        self,
        name: str,
        zero_factory: Callable[[], Any],
        *,
        on: str | None,
        ignore_nulls: bool,
    ) -> None:
        super().__init__(name, on)
        self._zero_factory = zero_factory
        self._ignore_nulls = ignore_nulls

    @abc.abstractmethod
    def aggregate_block(self, block: pa.Table) -> Any:
        """Return what one block comes to."""

    @abc.abstractmethod
    def combine(self, current_accumulator: Any, new: Any) -> Any:
        """Return what two blocks, or what came before and one block, come to together."""

    def finalize(self, accumulator: Any) -> Any:
        """Return the result."""
        return accumulator

    def start(self) -> Any:
        """Return what is known before the first block."""
        return None if self._ignore_nulls else self._zero_factory()

    def step(self, accumulator: Any, block: pa.Table) -> Any:
        """Return what is known after one more block."""
        new = self.aggregate_block(block)
        if self._ignore_nulls:
            if new is None:
                return accumulator
            return new if accumulator is None else self.combine(accumulator, new)
        return None if accumulator is None or new is None else self.combine(accumulator, new)

    def finish(self, accumulator: Any) -> Any:
        """Return the result for what is known after the last block."""
        if accumulator is None:
            return None
        # Ray's name for it; the method of that name here is what it calls by default.
        finalize = getattr(self, "_finalize", self.finalize)
        return finalize(accumulator)


class AggregateFn(Aggregate):
    """An aggregate made of functions, row by row or block by block."""

    def __init__(  # noqa: PLR0917 - Ray's signature
        self,
        init: Callable[[Any], Any],
        merge: Callable[[Any, Any], Any],
        name: str,
        accumulate_row: Callable[[Any, Any], Any] | None = None,
        accumulate_block: Callable[[Any, Any], Any] | None = None,
        finalize: Callable[[Any], Any] | None = None,
    ) -> None:
        if (accumulate_row is None) == (accumulate_block is None):
            raise ValueError("Give exactly one of accumulate_row and accumulate_block")
        super().__init__(name, None)
        self._init = init
        self._merge = merge
        self._accumulate_row = accumulate_row
        self._accumulate_block = accumulate_block
        self._finalize = finalize

    def start(self) -> Any:
        """Return what is known before the first block."""
        return self._init(None)

    def step(self, accumulator: Any, block: pa.Table) -> Any:
        """Return what is known after one more block."""
        if self._accumulate_block is not None:
            return self._accumulate_block(accumulator, block)
        for row in block.to_pylist():
            accumulator = self._accumulate_row(accumulator, row)  # type: ignore[misc]
        return accumulator

    def finish(self, accumulator: Any) -> Any:
        """Return the result for what is known after the last block."""
        return accumulator if self._finalize is None else self._finalize(accumulator)
