"""MiniLM to Parquet with a ledger. Argument: texts file."""

from ledger_cost import embed

embed(with_ledger=True)
