"""What the running function may ask of the worker that runs it."""

from __future__ import annotations

batch_number = 0  # Of the batch in its stage, from 0, in input order.
