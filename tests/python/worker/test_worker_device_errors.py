"""What is made of a GPU's errors; played by classes of the same names and texts."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import cloudpickle
import engine as host
import numpy as np
import pytest
from engine import Engine, Step, pack, run, setup_of

from penstock import _worker
from penstock.worker import batches
from penstock.worker.device_errors import is_sticky, ran_out_of_memory

# As a script's functions do: by value, so that workers do not import this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def columns_of(answer):
    return {name: list(values) for name, values in batches.to_numpy(answer.table()).items()}


def stand_in(name, module, base=RuntimeError):
    return type(name, (base,), {"__module__": module})


OutOfMemoryError = stand_in("OutOfMemoryError", "torch")

OUT_OF_MEMORY = [
    OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    stand_in("Renamed", "torch", OutOfMemoryError)("anything"),
    stand_in("OutOfMemoryError", "cupy.cuda.memory", MemoryError)("Out of memory allocating 1 B"),
    stand_in("XlaRuntimeError", "jaxlib.xla_extension")("RESOURCE_EXHAUSTED: Out of memory"),
    stand_in("JaxRuntimeError", "jax.errors")("RESOURCE_EXHAUSTED: Failed to allocate"),
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 1 GiB total)"),
    RuntimeError("HIP out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]
OTHERS = [
    MemoryError(),
    ValueError("CUDA out of memory"),
    RuntimeError("out of patience"),
    stand_in("OutOfMemoryError", "script", ValueError)("CUDA out of memory"),
    KeyError("RESOURCE_EXHAUSTED"),
]
STICKY = [
    RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be"),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: unspecified launch failure"),
    RuntimeError("CUDA error: uncorrectable ECC error encountered"),
    RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
    RuntimeError("CUDA error: misaligned address"),
    stand_in("AcceleratorError", "torch")("CUDA error: an illegal instruction was encountered"),
    stand_in("CUDARuntimeError", "cupy_backends.cuda.api.runtime")(
        "cudaErrorIllegalAddress: an illegal memory access was encountered"
    ),
    stand_in("CudaAPIError", "numba.cuda.cudadrv.driver", Exception)(
        "[700] Call to cuMemcpyDtoH results in CUDA_ERROR_ILLEGAL_ADDRESS"
    ),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=repr)
def test_the_libraries_ways_of_running_out_of_memory_are_known(error):
    assert ran_out_of_memory(error)
    assert not is_sticky(error)


@pytest.mark.parametrize("error", STICKY, ids=repr)
def test_errors_after_which_nothing_works_are_known_also_behind_others(error):
    assert is_sticky(error)
    assert not ran_out_of_memory(error)
    outer = ValueError("the model failed")
    outer.__cause__ = error
    assert is_sticky(outer)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_other_errors_mean_neither(error):
    assert not ran_out_of_memory(error)
    assert not is_sticky(error)
    assert not is_sticky(ValueError("CUDA error: an illegal memory access was encountered"))


GPU = {"device": "cuda"}  # As `num_gpus` says it.


def on_gpu(function, *arguments, keeps_rows=False, **options):
    return Step(
        function, keeps_rows=keeps_rows, options={**GPU, "constructor_args": arguments, **options}
    )


class Holds:
    """A model whose GPU holds so many rows."""

    def __init__(self, most):
        self.most = most
        self.calls = []

    def __call__(self, batch):
        rows = len(batch["x"])
        self.calls.append(rows)
        if rows > self.most:
            raise OutOfMemoryError("CUDA out of memory")
        return {"x": batch["x"] * 2, "calls": [list(self.calls)] * rows}


def answers_of(engine, batch):
    answers = [engine.receive()]
    while answers[-1].frame.kind == host.OUTPUT and answers[-1].frame.flags & host.MORE:
        engine.grant(batch)
        answers.append(engine.receive())
    return answers


def run_batches(step, count, rows):
    with Engine(setup_of(step)) as engine:
        engine.expect(host.READY)
        came = []
        for batch in range(count):
            engine.send_batch(batch, pack({"x": np.arange(rows)}))
            came.append(answers_of(engine, batch))
        assert engine.stop() == 0
    return came


def test_a_batch_that_does_not_fit_goes_on_in_halves_whose_outputs_follow_each_other():
    (answers,) = run_batches(on_gpu(Holds, 3), 1, 10)
    outputs = [answer for answer in answers if answer.frame.kind == host.OUTPUT]
    assert [value for each in outputs for value in columns_of(each)["x"]] == list(range(0, 20, 2))
    assert list(columns_of(outputs[-1])["calls"][0]) == [10, 5, 3, 3, 2, 2]


def test_later_batches_are_cut_before_they_are_tried():
    _, second = run_batches(on_gpu(Holds, 4), 2, 8)
    calls = list(columns_of([a for a in second if a.frame.kind == host.OUTPUT][-1])["calls"][0])
    assert calls == [8, 4, 4, 4, 4]


def values_of(answers, name="x"):
    outputs = [answer for answer in answers if answer.frame.kind == host.OUTPUT]
    return [value for each in outputs for value in columns_of(each)[name]]


class ChangesInPlace(Holds):
    """Runs out of memory when it has changed its batch already."""

    def __call__(self, batch):
        batch["x"] *= 2
        if len(batch["x"]) > self.most:
            raise OutOfMemoryError("CUDA out of memory")
        return batch


@pytest.mark.parametrize("keeps_rows", [False, True])
def test_what_a_call_changed_in_place_before_it_ran_out_is_undone_for_the_next(keeps_rows):
    came = run_batches(on_gpu(ChangesInPlace, 3, keeps_rows=keeps_rows), 2, 10)
    assert [values_of(answers) for answers in came] == [list(range(0, 20, 2))] * 2


def test_what_a_function_behind_another_changed_in_place_is_undone_too():
    def as_it_is(batch):
        return batch

    answers = run({"x": np.arange(8)}, on_gpu(as_it_is), on_gpu(ChangesInPlace, 3))
    assert values_of(answers) == list(range(0, 16, 2))


def test_without_a_gpu_asked_for_a_call_that_ran_out_is_not_tried_again():
    (answers,) = run_batches(Step(Holds, options={"constructor_args": [3]}), 1, 10)
    text = answers[0].failure().text()
    assert "OutOfMemoryError: CUDA out of memory" in text
    assert "Say num_gpus" in text


def test_arrow_tables_need_no_gpu_asked_for_because_nobody_can_change_them():
    def model(table):
        if len(table) > 3:
            raise OutOfMemoryError("CUDA out of memory")
        return table

    (answers,) = run_batches(Step(model, options={"batch_format": "pyarrow"}), 1, 10)
    assert values_of(answers) == list(range(10))


def test_pieces_of_a_function_that_keeps_its_rows_may_be_padded_to_widths_of_their_own():
    def model(batch):
        rows = len(batch["x"])
        if rows > 3:
            raise OutOfMemoryError("CUDA out of memory")
        return {"x": batch["x"], "padded": np.ones((rows, int(batch["x"].max())))}

    (answers,) = run_batches(on_gpu(model, keeps_rows=True), 1, 9)
    assert values_of(answers) == list(range(9))
    assert [len(row) for row in values_of(answers, "padded")] == [2] * 3 + [5] * 3 + [8] * 3


def test_one_row_that_does_not_fit_is_the_functions_error_and_says_so():
    (answers,) = run_batches(on_gpu(Holds, 0), 1, 5)
    text = answers[-1].failure().text()
    assert "OutOfMemoryError: CUDA out of memory" in text
    assert "A single row of the batch does not fit the GPU's memory." in text


def yields_and_runs_out(batch):
    yield {"x": batch["x"][:1]}
    if len(batch["x"]) > 2:
        raise OutOfMemoryError("CUDA out of memory")


def test_a_generator_that_has_yielded_is_not_begun_again():
    (answers,) = run_batches(on_gpu(yields_and_runs_out), 1, 4)
    assert columns_of(answers[0])["x"] == [0]
    assert answers[1].frame.kind == host.FAILED


def runs_out_and_yields(batch):
    if len(batch["x"]) > 2:
        raise OutOfMemoryError("CUDA out of memory")
    yield {"x": batch["x"][:1]}
    yield {"x": batch["x"][1:]}


def test_a_generator_that_has_not_yielded_goes_on_in_halves():
    (answers,) = run_batches(on_gpu(runs_out_and_yields), 1, 4)
    outputs = [answer for answer in answers if answer.frame.kind == host.OUTPUT]
    assert [columns_of(each)["x"] for each in outputs] == [[0], [1], [2], [3]]


def test_another_error_is_not_tried_again():
    class Fails:
        def __init__(self):
            self.calls = 0

        def __call__(self, batch):
            self.calls += 1
            raise RuntimeError(f"call {self.calls}")

    (answers,) = run_batches(on_gpu(Fails), 1, 4)
    assert str(answers[0].failure().exception) == "call 1"


def breaks_the_gpu(batch):
    print("last words")
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


async def breaks_the_gpu_later(batch):
    breaks_the_gpu(batch)


class BrokenFromTheStart:
    def __init__(self):
        breaks_the_gpu({})

    def __call__(self, batch):
        return batch


def kinds_until_the_end(engine):
    kinds = []
    with contextlib.suppress(EOFError, ConnectionResetError):
        while True:
            kinds.append(engine.receive().frame.kind)
    return kinds


@pytest.mark.parametrize("function", [breaks_the_gpu, breaks_the_gpu_later, BrokenFromTheStart])
def test_a_gpu_that_is_lost_ends_the_worker_at_once_with_words(function, capfd):
    with Engine(setup_of(Step(function))) as engine:
        engine.send_batch(0, pack({"x": [1]}))
        assert kinds_until_the_end(engine) in ([], [host.READY])
        assert engine.wait() == _worker.STICKY_DEVICE_EXIT
    told = capfd.readouterr()
    assert "last words" in told.out
    assert "an illegal memory access was encountered" in told.err
    assert "no call to the GPU succeeds in this process any more" in told.err


class Tensor:
    """On a GPU that is lost: the error comes when the result is fetched."""

    def detach(self):
        return self

    def cpu(self):
        raise RuntimeError("CUDA error: device-side assert triggered")

    def __array__(self):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def __len__(self):
        return 1


def test_an_error_that_comes_when_the_result_is_fetched_is_not_lost():
    with pytest.raises(RuntimeError, match="device-side assert"):
        batches.encode({"x": Tensor()}, "test")


def test_no_library_is_imported_to_tell_errors():
    code = (
        "import sys, penstock.worker.device_errors as errors\n"
        "errors.empty_caches()\n"
        "assert errors.ran_out_of_memory(RuntimeError('CUDA out of memory'))\n"
        "assert not {'torch', 'cupy', 'jax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_row_keeps_its_note_through_the_border():
    (failed,) = run({"x": [1]}, on_gpu(Holds, 0))
    assert "does not fit the GPU's memory" in failed.failure().text()
