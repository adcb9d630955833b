"""A block of a running job, as a reference that is made when somebody asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.data.block import BlockMetadata
from penstock.data.blocks import to_arrow
from penstock.data.schema import Schema

if TYPE_CHECKING:
    from penstock._core import Block
    from penstock.core.references import ObjectRef


class RefBundle:
    """One block: its size at once, its rows as an object of Ray Core when they are asked for."""

    def __init__(self, block: Block) -> None:
        self._block = block

    @cached_property
    def block_refs(self) -> list[ObjectRef[Any]]:
        """A reference to the rows, a `pyarrow.Table`; made the first time."""
        from penstock.core import objects

        return [objects.put(to_arrow(self._block))]

    @property
    def metadata(self) -> list[BlockMetadata]:
        """The number of rows and bytes of each block."""
        return [BlockMetadata(self.num_rows(), self.size_bytes())]

    @property
    def blocks(self) -> list[tuple[ObjectRef[Any], BlockMetadata]]:
        """Each block's reference and metadata."""
        return list(zip(self.block_refs, self.metadata, strict=True))

    @property
    def schema(self) -> Schema:
        """Names and types of the columns."""
        return Schema(self._block)

    def num_rows(self) -> int:
        """Return the number of rows."""
        return self._block.num_rows

    def size_bytes(self) -> int:
        """Return the bytes that the columns take in memory."""
        return self._block.nbytes
