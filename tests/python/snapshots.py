"""Snapshots made by hand, for tests of what is drawn from them."""

from __future__ import annotations

from types import SimpleNamespace

_SECOND = 1_000_000_000


def stage(name="MapBatches(Model)", **changes):
    fields = {
        "rows_in": 1000,
        "rows_out": 900,
        "bytes_out": 3 << 20,
        "blocks_out": 4,
        "tasks_total": 10,
        "tasks_done": 4,
        "tasks_running": 2,
        "queued_blocks": 3,
        "queued_bytes": 1 << 20,
        "workers": 2,
        "starting_ns": 500_000_000,
        "slots": 2,
        "busy_ns": 5 * _SECOND,
        "starved_ns": 2 * _SECOND,
        "blocked_ns": 1 * _SECOND,
        "restarts": 0,
        "retries": 0,
        "rows_failed": 0,
        "rows_filtered": 0,
        "recycled": 0,
        "batch_rows_found": 0,
    }
    return SimpleNamespace(name=name, **{**fields, **changes})


def snapshot(*stages, **changes):
    fields = {
        "elapsed_ns": 4 * _SECOND,
        "budget_bytes": 512 << 20,
        "used_bytes": 64 << 20,
        "used_bytes_max": 128 << 20,
        "rows_delivered": 900,
        "finished": True,
        "bottleneck": 1,
        "worker_starts": "2 spawned",
        "bottleneck_sentence": "MapBatches(Model) holds the job back.",
    }
    default = (stage("Read(range)", workers=0, tasks_total=-1), stage())
    return SimpleNamespace(stages=list(stages or default), **{**fields, **changes})
