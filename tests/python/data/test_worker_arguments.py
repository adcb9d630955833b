"""What the engine is told of the arguments that say who runs a function."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

import penstock
from penstock.data import ActorPoolStrategy, Retries, ThreadPoolStrategy


class Model:
    def __call__(self, batch):
        return batch


def told(ds, place=-1):
    """Return what the plan tells the engine of a stage of functions."""
    return json.loads(ds._plan.to_json())["ops"][place]["options"]


VERBS = ["map", "map_batches", "flat_map", "filter"]


@pytest.fixture
def ds():
    return penstock.data.range(10)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_functions_tells_the_engine_what_a_worker_asks_for(ds, verb):
    options = told(
        getattr(ds, verb)(
            Model,
            num_cpus=2,
            num_gpus=0.5,
            memory=1.5e9,
            resources={"slots": 2},
            runtime_env={"env_vars": {"A": "1", "B": "x=y"}},
            concurrency=(1, 3, 2),
        )
    )
    assert (options["processors"], options["gpus"]) == (2.0, 0.5)
    assert options["memory_bytes"] == 1_500_000_000
    assert options["resources"] == {"slots": 2.0}
    assert options["environment"] == ["A=1", "B=x=y"]
    sizes = [options[f"workers_{name}"] for name in ("min", "max", "initial")]
    assert sizes == [1, 3, 2]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_functions_tells_the_engine_what_becomes_of_workers(ds, verb):
    options = told(
        getattr(ds, verb)(
            Model,
            max_restarts=4,
            max_task_retries=-1,
            max_calls=100,
            worker_memory_limit=1 << 30,
            batch_timeout_s=0.0015,
            share_model=True,
        )
    )
    assert (options["max_restarts"], options["max_task_retries"]) == (4, -1)
    assert options["max_batches_per_worker"] == 100
    assert options["max_worker_bytes"] == 1 << 30
    assert options["batch_timeout_ms"] == 2
    assert options["shares_model"] is True


def test_what_is_left_out_or_none_has_the_stated_defaults(ds):
    plain = told(ds.map(Model))
    assert (plain["max_restarts"], plain["max_task_retries"]) == (-1, 3)
    for name in ("max_batches_per_worker", "max_worker_bytes", "batch_timeout_ms", "memory_bytes"):
        assert plain[name] == 0
    assert plain["max_build_tries"] == 1
    assert "retries" not in plain
    nothing = dict.fromkeys(["memory", "runtime_env", "max_calls", "num_gpus", "share_model"])
    assert told(ds.map(Model, **nothing)) == plain


def test_budgets_of_retries_are_told_by_cause(ds):
    budgets = Retries(crash=0, timeout=-1, io=2, exceptions={KeyError: 7}, wait_s=0.5)
    retries = told(ds.map(Model, retries=budgets))["retries"]
    assert (retries["crash"], retries["timeout"], "out_of_memory" in retries) == (0, -1, False)
    assert (retries["wait_ms"], retries["wait_max_ms"]) == (500, 60_000)
    of_keys, of_files = retries["exceptions"]
    assert of_keys == {"name": "KeyError", "class": "builtins.KeyError", "but": [], "retries": 7}
    assert (of_files["class"], of_files["retries"]) == ("builtins.OSError", 2)
    assert "builtins.FileNotFoundError" in of_files["but"]


def test_who_says_how_often_workers_are_replaced_means_those_that_are_killed_as_they_start(ds):
    assert told(ds.map(Model, max_restarts=-1))["retries"]["max_build_kills"] == -1
    assert told(ds.map(Model, retries=Retries(io=1)))["retries"]["max_build_kills"] == 100


def test_a_thing_with_two_names_is_said_once(ds):
    assert told(ds.map(Model, max_batches_per_worker=5))["max_batches_per_worker"] == 5
    assert told(ds.map(Model, max_retries=5))["max_task_retries"] == 5
    with pytest.raises(ValueError, match="max_calls and max_batches_per_worker are two names"):
        ds.map(Model, max_calls=5, max_batches_per_worker=5)
    with pytest.raises(ValueError, match="max_task_retries and max_retries are two names"):
        ds.map(Model, max_task_retries=5, max_retries=5)


def test_threads_are_told_as_workers_of_one_process(ds):
    options = told(ds.map_batches(Model, compute=ThreadPoolStrategy(size=3)))
    assert options["threads"] is True
    assert (options["workers_min"], options["workers_max"]) == (3, 3)
    with pytest.raises(ValueError, match="share their model already"):
        ds.map_batches(Model, compute=ThreadPoolStrategy(size=3), share_model=True)


@pytest.mark.parametrize("name", ["max_calls", "max_batches_per_worker", "worker_memory_limit"])
def test_threads_are_not_replaced_by_fresh_ones_and_who_asks_for_that_is_told_at_once(ds, name):
    with pytest.raises(ValueError, match=f"Threads live .* leave out {name}, .* got: 9"):
        ds.map_batches(Model, compute=ThreadPoolStrategy(size=3), **{name: 9})
    assert told(ds.map_batches(Model, compute=ThreadPoolStrategy(), **{name: None}))["threads"]


def test_rays_batches_at_once_of_a_worker_are_on_their_way_to_it(ds):
    assert told(ds.map_batches(Model, max_concurrency=3, concurrency=2)) == {
        **told(ds.map_batches(Model, concurrency=2)),
        "in_flight_per_worker": 6,
    }
    assert told(ds.map(Model, max_concurrency=1)) == told(ds.map(Model))
    assert told(ds.map(Model, max_concurrency=None)) == told(ds.map(Model))
    with pytest.raises(ValueError, match=r"map: max_concurrency belongs to classes.*got: 2"):
        ds.map(lambda row: row, max_concurrency=2)


def test_the_context_says_how_often_a_class_is_built_and_how_far_ahead_batches_go(ds):
    ds.context.actor_init_retry_on_errors = True
    ds.context.max_tasks_in_flight_per_actor = 5
    options = told(ds.map(Model))
    assert (options["max_build_tries"], options["in_flight_per_worker"]) == (4, 5)
    ds.context.actor_init_max_retries = -1
    with pytest.raises(ValueError, match="actor_init_max_retries must not be negative"):
        ds.map(Model)
    ds.context.actor_init_retry_on_errors = False
    assert told(ds.map(Model))["max_build_tries"] == 1


def test_asynchronous_functions_over_batches_get_as_many_as_may_be_under_way(ds):
    class Fetcher:
        async def __call__(self, batch):
            return batch

    assert told(ds.map_batches(Fetcher))["in_flight_per_worker"] == 5
    assert told(ds.map(Fetcher))["in_flight_per_worker"] == 2
    ds.context.max_tasks_in_flight_per_actor = 7
    assert told(ds.map_batches(Fetcher))["in_flight_per_worker"] == 7


@pytest.mark.parametrize(
    ("batch_size", "gpus", "told_size"),
    [
        (None, None, (None, False)),
        ("auto", None, (None, True)),
        (None, 1, (None, True)),
        ("auto", 0.5, (None, True)),
        (32, 1, (32, False)),
    ],
)
def test_batches_grow_where_auto_says_so_and_on_gpus(ds, batch_size, gpus, told_size):
    options = told(ds.map_batches(Model, batch_size=batch_size, num_gpus=gpus))
    assert (options.get("batch_rows"), options["grows_batches"]) == told_size


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_cpus": -1}, "num_cpus must not be negative"),
        ({"num_gpus": float("nan")}, "num_gpus must be a finite number; got: nan"),
        ({"memory": float("inf")}, "memory must be a finite number; got: inf"),
        ({"batch_timeout_s": float("nan")}, "batch_timeout_s must be a finite number; got: nan"),
        ({"resources": {"GPU": 1}}, "Use the argument num_gpus instead of resources: 'GPU'"),
        ({"resources": {"slots": -1}}, r"resources\['slots'\] must not be negative"),
        ({"max_restarts": -2}, "max_restarts must be at least 0, or -1 for no limit; got: -2"),
        ({"max_task_retries": -2}, "max_task_retries must be at least 0, or -1"),
        ({"max_retries": -2}, "max_retries must be at least 0"),
        ({"max_calls": 0}, "max_calls must be at least 1"),
        ({"max_concurrency": 0}, "max_concurrency must be at least 1"),
        ({"worker_memory_limit": 0}, "worker_memory_limit must be at least 1"),
        ({"batch_timeout_s": 0}, "batch_timeout_s must be more than 0"),
        ({"batch_timeout_s": -1}, "batch_timeout_s must not be negative"),
        ({"runtime_env": {"env_vars": {"A=B": "1"}}}, "env_vars holds what no environment can"),
        ({"runtime_env": {"env_vars": {"A": "\0"}}}, "env_vars holds what no environment can"),
    ],
)
def test_values_that_make_no_sense_are_value_errors_that_name_the_argument(ds, given, message):
    with pytest.raises(ValueError, match=message):
        ds.map_batches(Model, **given)
    with pytest.raises(ValueError, match=message):  # Checked also where no worker takes part.
        ds.select_columns("id", **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_cpus": "2"}, "num_cpus must be a number; got: '2'"),
        ({"max_calls": 1.5}, "max_calls must be a whole number"),
        ({"share_model": "yes"}, "share_model must be True or False; got: 'yes'"),
        ({"share_model": 1}, "share_model must be True or False; got: 1"),
        ({"resources": ["slots"]}, r"resources must be \{name: amount\}"),
        ({"runtime_env": "conda.yaml"}, "runtime_env must be"),
        ({"runtime_env": {"env_vars": {"A": 1}}}, "env_vars must hold texts; got: 1 for 'A'"),
        ({"batchsize": 3}, "map_batches got an unexpected keyword argument: batchsize"),
    ],
)
def test_values_of_other_types_are_type_errors(ds, given, message):
    with pytest.raises(TypeError, match=message):
        ds.map_batches(Model, **given)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"runtime_env": {"pip": ["torch"]}}, r"runtime_env\['pip'\]"),
        ({"scheduling_strategy": "SPREAD"}, "scheduling_strategy"),
        ({"accelerator_type": "A100"}, "accelerator_type"),
    ],
)
def test_what_is_not_supported_is_refused_by_name_unless_none(ds, given, name):
    with pytest.raises(NotImplementedError, match=f"map does not support this option yet.*{name}"):
        ds.map(Model, **given)
    ds.map(Model, **dict.fromkeys(given))


def test_a_filter_by_an_expression_takes_no_worker(ds):
    with pytest.raises(ValueError, match="leave out: num_cpus, compute"):
        ds.filter(expr="id > 3", num_cpus=1, compute=ActorPoolStrategy(size=1))
    with pytest.raises(TypeError, match="unexpected keyword argument: nonsense"):
        ds.filter(expr="id > 3", nonsense=1)
    assert ds.filter(expr="id > 7", num_cpus=None).count() == 2


def test_column_verbs_take_the_options_of_workers_but_no_arguments_of_functions(ds):
    added = ds.add_column("x", lambda frame: frame["id"], max_calls=3)
    assert told(added)["max_batches_per_worker"] == 3
    with pytest.raises(TypeError, match="add_column got an unexpected keyword argument: fn_args"):
        ds.add_column("x", lambda frame: frame["id"], fn_args=[1])


def test_custom_reads_and_writes_pass_rays_options_on(ds):
    from penstock.data import Datasink

    source = SimpleNamespace(get_name=lambda: "source", get_read_tasks=lambda _: [])
    for run in (
        lambda given: penstock.data.read_datasource(source, ray_remote_args=given),
        lambda given: ds.write_datasink(Datasink(), ray_remote_args=given),
    ):
        with pytest.raises(NotImplementedError, match="scheduling_strategy"):
            run({"scheduling_strategy": "SPREAD"})
    read = penstock.data.read_datasource(source, ray_remote_args={"max_retries": 7})
    assert read.take_all() == []
