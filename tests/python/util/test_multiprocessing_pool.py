"""The stand-in for multiprocessing.Pool: its verbs, its results, errors, and its end."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pickle
import threading

import pytest
from turnstiles import let_through, pass_through

import penstock as ray
from penstock.exceptions import RayActorError, TaskCancelledError, UnplaceableError
from penstock.util.multiprocessing import Pool, TimeoutError  # Its name.

PATIENCE_S = 60


def square(value):
    return value * value


def refuse_two(value):
    if value == 2:
        raise KeyError("two")
    return value


@pytest.fixture
def pool():
    with Pool(2) as made:
        yield made


def test_map_returns_results_in_the_order_of_the_items(pool):
    assert pool.map(square, range(100)) == [value * value for value in range(100)]
    assert pool.map(square, iter([1, 2]), chunksize=1) == [1, 4]
    assert pool.map(square, []) == []


def test_functions_may_be_lambdas_and_closures(pool):
    factor = 3
    assert pool.map(lambda value: factor * value, [1, 2]) == [3, 6]


def test_starmap_spreads_each_item_over_the_arguments(pool):
    assert pool.starmap(pow, [(2, 3), (3, 2)]) == [8, 9]
    assert pool.starmap(pow, [(2, 3), (3, 2)], chunksize=1) == [8, 9]
    assert pool.starmap_async(pow, iter([(2, 3)])).get(PATIENCE_S) == [8]


def test_apply_takes_arguments_and_keyword_arguments(pool):
    assert pool.apply(square, (3,)) == 9
    assert pool.apply(dict, (), {"key": 1}) == {"key": 1}
    assert pool.apply(os.getpid) != os.getpid()
    assert pool.apply_async(int, ("ff",), {"base": 16}).get(PATIENCE_S) == 255


def test_work_is_shared_by_the_processes(pool, make_turnstile):
    gate = make_turnstile()

    def process(_value):
        pass_through(gate.path)
        return os.getpid()

    results = [pool.apply_async(process, (value,)) for value in range(2)]
    gate.let_through(2)
    assert len({result.get(PATIENCE_S) for result in results}) == 2


def test_whichever_process_is_free_takes_the_next_chunk(pool, make_turnstile):
    slow = make_turnstile()
    held = pool.apply_async(pass_through, (slow.path,))
    assert pool.map(square, range(20), chunksize=1) == [value * value for value in range(20)]
    assert not held.ready()
    slow.let_through()
    held.get(PATIENCE_S)


def test_there_may_be_more_processes_than_processors():
    count = int(ray.cluster_resources()["CPU"]) + 1
    with Pool(count) as pool:
        assert pool.map(square, range(count)) == [value * value for value in range(count)]


def test_by_default_there_are_as_many_as_processors(make_turnstile):
    count = int(ray.cluster_resources()["CPU"])
    gate = make_turnstile()
    with Pool() as pool:
        results = [pool.apply_async(_process_behind, (gate.path,)) for _ in range(count)]
        gate.let_through(count)
        assert len({result.get(PATIENCE_S) for result in results}) == count


def _process_behind(gate):
    pass_through(gate)
    return os.getpid()


def test_imap_yields_results_in_order(pool, make_turnstile):
    slow, fast = make_turnstile(), make_turnstile()
    fast.let_through()
    results = pool.imap(_name_behind, [("slow", slow.path), ("fast", fast.path)])
    with pytest.raises(TimeoutError):
        results.next(timeout=0.01)
    slow.let_through()
    assert list(results) == ["slow", "fast"]


def test_imap_unordered_yields_what_comes_first(pool, make_turnstile):
    slow, fast = make_turnstile(), make_turnstile()
    fast.let_through()
    results = pool.imap_unordered(_name_behind, [("slow", slow.path), ("fast", fast.path)])
    assert next(results) == "fast"
    with pytest.raises(TimeoutError):
        results.next(timeout=0.01)
    slow.let_through()
    assert list(results) == ["slow"]


def _name_behind(name_and_gate):
    name, gate = name_and_gate
    pass_through(gate)
    return name


@pytest.mark.parametrize("verb", ["imap", "imap_unordered"])
def test_imap_reads_items_as_results_are_taken(pool, verb):
    endless = itertools.count()
    results = getattr(pool, verb)(square, endless, chunksize=2)
    assert min(next(results) for _ in range(4)) in (0, 4)
    assert next(endless) < 20


@pytest.mark.parametrize("chunksize", [1, 3])
def test_imap_raises_an_error_in_its_place_and_goes_on(pool, chunksize):
    results = pool.imap(refuse_two, range(5), chunksize=chunksize)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(KeyError, match="two"):
        next(results)
    assert list(results) == [3, 4]


def test_imap_raises_what_its_items_raise_in_its_place(pool):
    def items():
        yield 1
        raise OSError("no more items")

    results = pool.imap(square, items())
    assert next(results) == 1
    with pytest.raises(OSError, match="no more items"):
        next(results)
    assert list(results) == []


def test_an_error_is_of_the_class_that_was_raised_and_tells_where(pool):
    with pytest.raises(KeyError, match="two") as caught:
        pool.apply(refuse_two, (2,))
    assert 'raise KeyError("two")' in str(caught.value.__cause__)
    with pytest.raises(KeyError):
        pool.map(refuse_two, range(5))
    assert pool.map(square, [3]) == [9]


def test_of_several_errors_the_first_item_s_is_raised(pool):
    def refuse(value):
        raise ValueError(f"item {value}")

    with pytest.raises(ValueError, match="item 0"):
        pool.map(refuse, range(10), chunksize=1)


def test_a_result_tells_whether_it_is_there(pool, make_turnstile):
    gate = make_turnstile()
    result = pool.apply_async(pass_through, (gate.path,))
    assert not result.ready()
    with pytest.raises(ValueError, match="not ready"):
        result.successful()
    result.wait(0.01)
    with pytest.raises(multiprocessing.TimeoutError):
        result.get(timeout=0.01)
    gate.let_through()
    result.wait(PATIENCE_S)
    assert result.ready()
    assert result.successful()
    failed = pool.apply_async(refuse_two, (2,))
    failed.wait(PATIENCE_S)
    assert not failed.successful()


def test_callbacks_hear_of_results_in_order_and_of_errors(pool):
    heard = []
    pool.map_async(square, [2, 1], 1, heard.append).wait(PATIENCE_S)
    pool.apply_async(square, (3,), callback=heard.append).wait(PATIENCE_S)
    pool.starmap_async(pow, [(2, 3)], callback=heard.append).wait(PATIENCE_S)
    pool.map_async(square, [], callback=heard.append).wait(PATIENCE_S)
    assert heard == [[4, 1], 9, [8], []]
    errors = []
    pool.apply_async(refuse_two, (2,), None, heard.append, errors.append).wait(PATIENCE_S)
    assert len(heard) == 4
    assert [type(error) for error in errors] == [KeyError]


def test_a_callback_that_raises_harms_nobody(pool, capsys):
    def fail(_value):
        raise RuntimeError("from the callback")

    assert pool.apply_async(square, (2,), callback=fail).get(PATIENCE_S) == 4
    assert "from the callback" in capsys.readouterr().err
    assert pool.map(square, [1, 2, 3]) == [1, 4, 9]


def test_the_initializer_runs_first_in_each_process(run_script):
    """In a script of its own: what it defines travels by value."""
    done = run_script(_SCRIPT_WITH_GLOBALS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "[10, 20, 30]"


def test_a_function_of_a_script_keeps_its_global_variables_between_calls(run_script):
    done = run_script(_SCRIPT_WITH_GLOBALS)
    assert done.stdout.split("\n")[1] == "[1, 2, 3]"


_SCRIPT_WITH_GLOBALS = """
from penstock.util.multiprocessing import Pool

model = None
count = 0

def load(factor):
    global model
    model = factor

def predict(value):
    return model * value

def count_up():
    global count
    count += 1
    return count

with Pool(2, load, (10,)) as pool:
    print(pool.map(predict, [1, 2, 3], chunksize=1))
with Pool(1) as pool:
    print([pool.apply(count_up) for _ in range(3)])
"""


def test_an_initializer_that_raises_fails_the_work_and_does_not_hang():
    def fail():
        raise OSError("no model")

    with Pool(1, fail) as pool, pytest.raises(RayActorError, match="no model"):
        pool.apply(square, (1,))


def test_processes_are_replaced_after_so_many_chunks():
    with Pool(1, maxtasksperchild=2) as pool:
        first, second, third = (pool.map(_process, [1, 2], chunksize=1) for _ in range(3))
    assert first[0] == first[1]
    assert second[0] == second[1]
    assert len({first[0], second[0], third[0]}) == 3


def _process(_value):
    return os.getpid()


def test_a_dead_process_fails_its_chunk_alone_and_is_replaced(pool):
    with pytest.raises(RayActorError):
        pool.apply(os._exit, (1,))
    with pytest.raises(RayActorError):
        pool.apply(os._exit, (1,))
    assert pool.map(square, range(10)) == [value * value for value in range(10)]


def test_what_cannot_be_pickled_is_named(pool):
    lock = threading.Lock()
    with pytest.raises(TypeError, match="the variable lock"):
        pool.map(lambda _value: lock, [1])
    with pytest.raises(TypeError, match="callable"):
        pool.apply(5)
    with pytest.raises(TypeError, match="cannot pickle"):
        pool.apply(threading.Lock)
    with pytest.raises(TypeError):
        pool.apply(square, (lock,))
    assert pool.apply(square, (2,)) == 4


@pytest.mark.parametrize("arguments", [{"processes": 0}, {"maxtasksperchild": 0}])
def test_numbers_that_make_no_sense_are_refused(arguments):
    with pytest.raises(ValueError, match="at least 1"):
        Pool(**arguments)


def test_other_arguments_that_make_no_sense_are_refused(pool):
    with pytest.raises(TypeError):
        Pool("2")
    with pytest.raises(TypeError, match="initializer"):
        Pool(1, initializer=3)
    for verb in (pool.map, pool.imap, pool.imap_unordered, pool.starmap):
        with pytest.raises(ValueError, match="chunksize"):
            verb(square, [1], chunksize=0)
    with pytest.raises(TypeError):
        pool.map(square, 3)


def test_what_the_processes_can_never_get_all_at_once_is_refused():
    count = int(ray.cluster_resources()["CPU"]) + 1
    with pytest.raises(UnplaceableError, match="CPU"):
        Pool(count, ray_remote_args={"num_cpus": 1})


def test_a_closed_pool_does_what_it_has_and_takes_no_more(make_turnstile):
    gate = make_turnstile()
    pool = Pool(1)
    held = pool.apply_async(pass_through, (gate.path,))
    begun = pool.imap(square, range(10))
    with pytest.raises(ValueError, match="running"):
        pool.join()
    pool.close()
    pool.close()
    for call in (
        lambda: pool.apply(square, (1,)),
        lambda: pool.map(square, [1]),
        lambda: pool.imap(square, [1]),
        pool.__enter__,
    ):
        with pytest.raises(ValueError, match="running"):
            call()
    gate.let_through()
    pool.join()
    pool.join()
    assert held.ready()
    assert list(begun) == [value * value for value in range(10)]


def test_a_terminated_pool_ends_at_once(make_turnstile):
    begun, gate = make_turnstile(), make_turnstile()

    def hold():
        let_through(begun.path)
        pass_through(gate.path)

    with Pool(1) as pool:
        held = pool.apply_async(hold)
        waiting = pool.apply_async(square, (1,))
        squares = pool.imap(square, itertools.count())
        pass_through(begun.path)
    pool.join()
    for result in (held, waiting):
        with pytest.raises(TaskCancelledError):
            result.get(PATIENCE_S)
    with pytest.raises(TaskCancelledError):
        next(squares)
    assert _errors_to_the_end(squares) <= {TaskCancelledError, ValueError}
    with pytest.raises(ValueError, match="running"):
        pool.map(square, [1])


def _errors_to_the_end(results):
    raised = set()
    for _ in range(100):
        try:
            next(results)
        except StopIteration:
            return raised
        except Exception as error:  # noqa: BLE001
            raised.add(type(error))
    pytest.fail("It goes on without end")


def test_a_callback_may_end_the_pool(capsys):
    pool = Pool(2)
    pool.apply_async(square, (1,), callback=lambda _value: pool.terminate()).wait(PATIENCE_S)
    pool.join()
    assert capsys.readouterr().err == ""


def test_work_of_a_pool_that_nobody_holds_is_done():
    result = Pool(1).apply_async(square, (3,))
    assert result.get(PATIENCE_S) == 9


def test_a_pool_cannot_be_sent_elsewhere(pool):
    with pytest.raises(NotImplementedError, match="sent"):
        pickle.dumps(pool)


def test_the_processes_end_with_the_program(run_script):
    done = run_script(
        "from penstock.util.multiprocessing import Pool\n"
        "import os, time\n"
        "pool = Pool(2)\n"
        "print(pool.apply(os.getpid))\n"
        "pool.apply_async(time.sleep, (1000,))\n"
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_a_task_may_use_a_pool():
    @ray.remote
    def work():
        with Pool(2) as pool:
            return pool.map(square, [1, 2, 3])

    assert ray.get(work.remote()) == [1, 4, 9]
