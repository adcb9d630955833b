"""A Parquet copy without a ledger. Argument: folder."""

from ledger_cost import copy

copy(with_ledger=False)
