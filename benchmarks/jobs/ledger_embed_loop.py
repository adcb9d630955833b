"""MiniLM to Parquet without a ledger. Argument: texts file."""

from ledger_cost import embed

embed(with_ledger=False)
