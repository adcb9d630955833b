"""A Parquet copy with a ledger. Argument: folder."""

from ledger_cost import copy

copy(with_ledger=True)
