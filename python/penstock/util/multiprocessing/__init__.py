"""A stand-in for `multiprocessing.Pool` whose processes are actors.

from penstock.util.multiprocessing import Pool
"""

from __future__ import annotations

from multiprocessing import JoinableQueue, TimeoutError

from penstock.util.multiprocessing.pool import Pool

__all__ = ["JoinableQueue", "Pool", "TimeoutError"]
