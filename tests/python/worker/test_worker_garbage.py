"""How often a worker looks for garbage, and how soon it is ready for that."""

from __future__ import annotations

import gc

from engine import OUTPUT, READY, Engine, Step, pack, setup_of


def thresholds(made: type) -> list[int]:
    """Return what a worker of the class says of its thresholds, while it is built and later."""
    with Engine(setup_of(Step(made, options={"constructor_args": []}))) as engine:
        engine.expect(READY)
        engine.send_batch(1, pack({"id": [1]}))
        (row,) = engine.expect(OUTPUT).table().to_rows([])
    return [row["built"], row["runs"]]


def test_a_worker_seldom_looks_for_garbage_only_while_it_is_built():
    class Says:
        def __init__(self) -> None:
            self.built = gc.get_threshold()[0]

        def __call__(self, batch):
            return {"built": [self.built], "runs": [gc.get_threshold()[0]]}

    assert thresholds(Says) == [50_000, gc.get_threshold()[0]]


def test_what_a_constructor_says_of_garbage_holds():
    class Chooses:
        def __init__(self) -> None:
            gc.set_threshold(1234)

        def __call__(self, batch):
            return {"built": [0], "runs": [gc.get_threshold()[0]]}

    assert thresholds(Chooses) == [0, 1234]
