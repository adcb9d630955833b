"""A worker process: what it answers to an engine, and how it ends."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import cloudpickle
import engine as host
import numpy as np
import pyarrow as pa
import pytest
from engine import Engine, Step, pack, run, setup_of

from penstock.worker import arrow, batches

# As a script's functions do: by value, so that workers do not import this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def columns_of(answer):
    return {name: list(values) for name, values in batches.to_numpy(answer.table()).items()}


def double(batch):
    batch["x"] *= 2
    return batch


def test_a_function_may_change_its_batch_and_return_it():
    (answer,) = run({"x": np.arange(3)}, Step(double))
    assert columns_of(answer) == {"x": [0, 2, 4]}
    assert answer.frame.busy_ns > 0


def test_views_of_the_input_may_be_returned_beside_new_columns():
    def split(batch):
        return {"first": batch["x"][:2], "rest": batch["x"][::-1][:2], "new": [1.5, None]}

    (answer,) = run({"x": np.arange(4)}, Step(split))
    assert columns_of(answer)["rest"] == [3, 2]
    assert columns_of(answer)["first"] == [0, 1]


class Counter:
    def __init__(self, start, *, step=1):
        self.count = start
        self.step = step

    def __call__(self, batch, scale=1):
        self.count += self.step
        return {"count": [self.count * scale]}


def test_a_class_is_built_once_and_keeps_its_state():
    options = {"constructor_args": [10], "constructor_kwargs": {"step": 5}, "args": [2]}
    with Engine(setup_of(Step(Counter, options=options))) as engine:
        engine.expect(host.READY)
        packed = pack({"x": [1]})
        for batch in range(3):
            engine.send_batch(batch, packed)
        answers = [engine.expect(host.OUTPUT) for _ in range(3)]
        assert [answer.frame.batch for answer in answers] == [0, 1, 2]
        assert [columns_of(answer)["count"] for answer in answers] == [[30], [40], [50]]


def test_a_generator_gives_an_output_at_a_time_and_then_says_that_it_is_done():
    def parts(batch):
        for value in batch["x"]:
            yield {"x": [value, value]}

    first, second, done = run({"x": np.arange(2)}, Step(parts))
    assert (first.frame.kind, first.frame.flags & host.MORE) == (host.OUTPUT, host.MORE)
    assert columns_of(first) == {"x": [0, 0]}
    assert columns_of(second) == {"x": [1, 1]}
    assert done.frame.kind == host.DONE


def test_batches_that_arrive_while_a_generator_waits_for_room_are_answered_in_order():
    def parts(batch):
        yield batch
        yield batch

    with Engine(setup_of(Step(parts))) as engine:
        engine.expect(host.READY)
        engine.send_batch(1, pack({"x": [1]}))
        engine.send_batch(2, pack({"x": [2]}))
        kinds = []
        for batch in (1, 2):
            kinds.append(engine.expect(host.OUTPUT).frame.batch)
            engine.grant(batch)
            kinds.append(engine.expect(host.OUTPUT).frame.batch)
            engine.expect(host.DONE)
        assert kinds == [1, 1, 2, 2]


def test_an_output_that_does_not_fit_comes_in_a_sealed_segment_of_its_own():
    with Engine(setup_of(Step(lambda batch: {"y": np.arange(10_000)}))) as engine:
        engine.expect(host.READY)
        for batch, room in enumerate((64, 0)):
            engine.send_batch(batch, pack({"x": [1]}), output=room)
            answer = engine.expect(host.OUTPUT)
            assert answer.frame.segment == 0
            assert columns_of(answer)["y"][-1] == 9_999


def test_outputs_that_fit_lie_in_the_granted_segment():
    with Engine(setup_of(Step(lambda batch: batch))) as engine:
        engine.expect(host.READY)
        segment = engine.send_batch(5, pack({"x": [1, 2]}))
        answer = engine.expect(host.OUTPUT)
        assert answer.frame.segment == segment + 1
        assert answer.frame.rows == 2


def test_views_that_a_function_keeps_do_not_change_when_the_segment_is_used_again():
    class Keeper:
        def __init__(self):
            self.kept = []

        def __call__(self, batch):
            self.kept.append(batch["x"])
            return {"kept": np.concatenate(self.kept)}

    with Engine(setup_of(Step(Keeper))) as engine:
        engine.expect(host.READY)
        segment = None
        for turn in range(3):
            packed = pack({"x": np.array([turn, turn + 10])})
            segment = engine.send_batch(turn, packed, segment=segment)
            kept = columns_of(engine.expect(host.OUTPUT))["kept"]
        assert kept == [0, 10, 1, 11, 2, 12]


def test_a_segment_that_nobody_looks_at_is_used_again_without_a_copy():
    def peek(batch):
        return {"sum": [int(batch["x"].sum())]}

    with Engine(setup_of(Step(peek))) as engine:
        engine.expect(host.READY)
        segment = engine.send_batch(1, pack({"x": [1, 2]}))
        assert columns_of(engine.expect(host.OUTPUT)) == {"sum": [3]}
        engine.send_batch(2, pack({"x": [5, 6]}), segment=segment)
        assert columns_of(engine.expect(host.OUTPUT)) == {"sum": [11]}
        engine.send(host.Frame(host.FORGET, segment=segment))
        assert engine.stop() == 0


def test_pandas_and_pyarrow_batches():
    def frame(batch):
        batch["y"] = batch["s"] + "!"
        batch["t0"] = [tensor[0] for tensor in batch["t"]]
        return batch

    def table(batch):
        return batch.append_column("z", pa.array([[1], []]))

    columns = {"s": ["a", "b"], "n": [1, 2], "t": np.arange(4.0).reshape(2, 2)}
    steps = [
        Step(frame, options={"batch_format": "pandas"}),
        Step(table, options={"batch_format": "pyarrow"}),
    ]
    (answer,) = run(columns, *steps)
    assert arrow.record_batch(answer.table()).to_pylist() == [
        {"s": "a", "n": 1, "t": [0.0, 1.0], "y": "a!", "t0": 0.0, "z": [1]},
        {"s": "b", "n": 2, "t": [2.0, 3.0], "y": "b!", "t0": 2.0, "z": []},
    ]


def test_functions_of_all_kinds_follow_each_other():
    def parts(batch):
        yield {"x": batch["x"][:2]}
        yield {"x": batch["x"][2:]}

    steps = [
        Step(lambda row: {"x": row["x"] + 1}, "row"),
        Step(lambda row: row["x"] != 3, "filter_row"),
        Step(parts),
        Step(lambda row: [row, row], "flat_row"),
        Step(double),
    ]
    answers = run({"x": range(4)}, *steps)
    assert [columns_of(answer)["x"] for answer in answers[:-1]] == [[2, 2, 4, 4], [8, 8]]


def test_a_filter_keeps_the_types_of_its_rows():
    columns = pa.table({"n": pa.array([1, 2, 3], pa.int16()), "l": [[1], None, [2, 3]]})
    (answer,) = run(columns, Step(lambda row: row["n"] != 2, "filter_row"))
    kept = arrow.record_batch(answer.table())
    assert kept.schema.types == [pa.int16(), pa.list_(pa.int64())]
    assert kept.to_pylist() == [{"n": 1, "l": [1]}, {"n": 3, "l": [2, 3]}]


def test_no_rows_left_is_done_without_an_output():
    (answer,) = run({"x": [1]}, Step(lambda row: [], "flat_row"))
    assert answer.frame.kind == host.DONE


def test_an_empty_batch_keeps_its_columns():
    (answer,) = run({"x": np.empty(0, "i4")}, Step(double))
    assert columns_of(answer) == {"x": []}


def test_numpy_functions_run_without_pyarrow_or_pandas():
    def loaded(batch):
        return {"loaded": [name for name in ("pyarrow", "pandas") if name in sys.modules] + ["-"]}

    (answer,) = run({"x": [1]}, Step(loaded))
    assert columns_of(answer) == {"loaded": ["-"]}


def fail(batch):
    raise ValueError(f"bad value: {batch['x'][0]}")


def test_a_raising_function_fails_its_batch_and_the_next_is_answered():
    def moody(batch):
        return fail(batch) if batch["x"][0] == 13 else batch

    with Engine(setup_of(Step(moody, name="moody"))) as engine:
        engine.expect(host.READY)
        engine.send_batch(1, pack({"x": [13]}))
        engine.send_batch(2, pack({"x": [14]}))
        failed = engine.expect(host.FAILED)
        assert failed.frame.batch == 1
        assert failed.frame.flags == host.INPUT_DESCRIPTOR
        failure = failed.failure()
        assert isinstance(failure.exception, ValueError)
        assert failure.function == "moody"
        lines = failure.text().splitlines()
        assert lines[0] == "Traceback (most recent call last):"
        assert __file__ in lines[1]
        assert lines[-1] == "ValueError: bad value: 13"
        assert "penstock/worker" not in failure.text().replace(__file__, "")
        assert columns_of(engine.expect(host.OUTPUT)) == {"x": [14]}


def test_a_generator_that_raises_after_an_output_fails_its_batch():
    def parts(batch):
        yield batch
        fail(batch)

    first, failed = run({"x": [1]}, Step(parts))
    assert first.frame.kind == host.OUTPUT
    assert failed.frame.kind == host.FAILED


def test_a_raising_row_function_says_which_row_it_was():
    (failed,) = run(
        {"x": [1, 0]},
        Step(lambda row: row, "row", name="first"),
        Step(lambda row: {"y": 1 // row["x"]}, "row", name="divide"),
    )
    failure = failed.failure()
    assert isinstance(failure.exception, ZeroDivisionError)
    assert (failure.function, failure.row) == ("divide", 1)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step(lambda batch: 5, name="f"), "The function f returned what cannot become a batch"),
        (
            Step(lambda row: 5, "row", name="f"),
            "f returned no row for row 0 .* a dict; got: int: 5",
        ),
        (Step(lambda row: [5], "flat_row", name="f"), "f returned no row .* dicts; got: int: 5"),
        (Step(lambda row: {1: 2}, "row", name="f"), "f returned a bad row: .* text; got: 1"),
        (Step(lambda batch: {"x": [1]}, keeps_rows=True, name="f"), "wanted: 2 rows; got: 1"),
        (
            Step(lambda batch: iter([batch, batch]), keeps_rows=True, name="f"),
            "wanted: 2 rows; got: 4",
        ),
    ],
)
def test_what_cannot_be_columns_fails_with_words_about_it(step, said):
    failed = run({"x": [1, 2]}, step)[-1]
    assert failed.frame.kind == host.FAILED
    assert failed.frame.flags & host.BAD_RETURN
    assert re.search(said, str(failed.failure().exception))


def test_a_type_error_of_the_user_is_not_taken_for_a_bad_row():
    (failed,) = run({"x": [1]}, Step(lambda row: {"y": row["x"] + "a"}, "row"))
    assert not failed.frame.flags & host.BAD_RETURN
    assert isinstance(failed.failure().exception, TypeError)


def test_a_constructor_that_raises_says_so_instead_of_being_ready():
    class Broken:
        def __init__(self):
            raise OSError(2, "no such model", "model.bin")

        def __call__(self, batch):
            return batch

    with Engine(setup_of(Step(double), Step(Broken, name="Broken"))) as engine:
        failed = engine.expect(host.FAILED)
        assert failed.frame.flags & host.CONSTRUCTOR
        failure = failed.failure()
        assert failure.function == "Broken"
        assert failure.exception.filename == "model.bin"
        assert engine.wait() == 0


def test_a_module_that_the_worker_lacks_is_an_import_error_of_the_constructor():
    class Needs:
        def __init__(self):
            import a_module_that_nobody_has  # noqa: F401

    with Engine(setup_of(Step(Needs))) as engine:
        failure = engine.expect(host.FAILED).failure()
        assert isinstance(failure.exception, ModuleNotFoundError)


def test_leaving_the_interpreter_is_a_failure_of_the_batch():
    (failed,) = run({"x": [1]}, Step(lambda batch: sys.exit(3)))
    assert isinstance(failed.failure().exception, SystemExit)


def test_stop_answers_what_was_sent_before_and_exits_clean():
    with Engine(setup_of(Step(double))) as engine:
        engine.expect(host.READY)
        for batch in range(3):
            engine.send_batch(batch, pack({"x": [batch]}))
        engine.send(host.Frame(host.STOP))
        assert [engine.expect(host.OUTPUT).frame.batch for _ in range(3)] == [0, 1, 2]
        assert engine.wait() == 0


def test_functions_at_exit_run(tmp_path):
    def leave_a_note(batch):
        import atexit

        atexit.register((tmp_path / "note").write_text, "left")
        return batch

    run({"x": [1]}, Step(leave_a_note))
    assert (tmp_path / "note").read_text() == "left"


def test_a_worker_ends_when_its_engine_closes_the_socket():
    with Engine(setup_of(Step(double))) as engine:
        engine.expect(host.READY)
        engine.socket.close()
        assert engine.wait() == 0


def test_a_worker_dies_with_its_engine_even_while_a_function_runs(tmp_path):
    script = tmp_path / "engine_that_dies.py"
    script.write_text(
        "import os, sys, time\n"
        f"sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
        "import engine as host\n"
        "def hang(batch):\n"
        "    while True: time.sleep(60)\n"
        "engine = host.Engine(host.setup_of(host.Step(hang)))\n"
        "engine.expect(host.READY)\n"
        "engine.send_batch(1, host.pack({'x': [1]}))\n"
        "print(engine.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    path = os.pathsep.join(folder for folder in sys.path if folder)
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        worker = int(process.stdout.readline())
        watch = os.pidfd_open(worker)
        process.send_signal(signal.SIGKILL)
        try:
            assert select.select([watch], [], [], 30)[0]
        finally:
            os.close(watch)


def test_ctrl_c_and_standard_input_are_not_the_workers():
    def look(batch):
        return {
            "interrupt": [str(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)],
            "input": [sys.stdin.read()],
            "script": [sys.modules["__main__"].__name__],
        }

    (answer,) = run({"x": [1]}, Step(look))
    assert columns_of(answer) == {"interrupt": ["True"], "input": [""], "script": ["__main__"]}


def test_the_script_is_neither_imported_nor_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
        "print('script runs as', __name__)\n"
        "import engine as host\n"
        "FACTOR = 3\n"
        "class Scale:\n"
        "    def __call__(self, batch):\n"
        "        return {'x': batch['x'] * FACTOR}\n"
        "answers = host.run({'x': [1, 2]}, host.Step(Scale))\n"
        "print(answers[0].table().to_numpy()['x'].tolist())\n"
    )
    path = os.pathsep.join(folder for folder in sys.path if folder)
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.stdout == "script runs as __main__\n[3, 6]\n"


def test_importing_the_worker_loads_nothing_heavy():
    code = (
        "import sys, penstock.worker.main\n"
        "heavy = {'numpy', 'pyarrow', 'pandas', 'cloudpickle', 'penstock.data', 'penstock._core'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    path = os.pathsep.join(folder for folder in sys.path if folder)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.stdout == "[]\n"
