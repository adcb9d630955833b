"""Options are checked where they are given, and named in the error."""

from __future__ import annotations

import json

import pytest

import penstock
from penstock.core import options


def f() -> int:
    return 1


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"num_cpu": 1}, ValueError, "Unknown option for remote functions: 'num_cpu'"),
        ({"num_cpus": -1}, ValueError, "num_cpus must not be negative"),
        ({"num_cpus": "two"}, TypeError, "num_cpus must be a number"),
        ({"num_cpus": True}, TypeError, "num_cpus must be a number"),
        ({"num_gpus": 1.5}, ValueError, "num_gpus above 1 must be whole"),
        ({"resources": {"CPU": 1}}, ValueError, "Use num_cpus"),
        ({"resources": ["seat"]}, TypeError, "resources must be a dict"),
        ({"max_retries": -2}, ValueError, "max_retries must be at least -1"),
        ({"max_calls": -1}, ValueError, "max_calls must be at least 0"),
        ({"num_returns": -1}, ValueError, "num_returns must be at least 0"),
        ({"num_returns": "many"}, ValueError, "num_returns must be a number"),
        ({"retry_exceptions": [3]}, TypeError, "retry_exceptions must be True, False or a list"),
        ({"name": ""}, ValueError, "name must not be empty"),
        ({"max_restarts": 1}, ValueError, "Unknown option for remote functions: 'max_restarts'"),
        ({"runtime_env": {"pip": ["x"]}}, NotImplementedError, "pip"),
        ({"runtime_env": {"env_vars": {"A": 1}}}, TypeError, "must map str to str"),
        ({"runtime_env": {"working_dir": "/no/such"}}, ValueError, "must be a folder"),
    ],
)
def test_a_wrong_option_of_a_function_is_refused_at_once(
    given: dict[str, object], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        penstock.remote(**given)(f)
    with pytest.raises(kind, match=words):
        penstock.remote(f).options(**given)


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"max_retries": 1}, ValueError, "Unknown option for actors: 'max_retries'"),
        ({"max_concurrency": 0}, ValueError, "max_concurrency must be at least 1"),
        ({"lifetime": "long"}, ValueError, "lifetime must be"),
        ({"get_if_exists": True}, ValueError, "get_if_exists needs a name"),
        ({"concurrency_groups": {"io": 0}}, ValueError, "must be at least 1"),
        ({"max_pending_calls": 0}, ValueError, "max_pending_calls must be at least 1"),
    ],
)
def test_a_wrong_option_of_a_class_is_refused_at_once(
    given: dict[str, object], kind: type[Exception], words: str
) -> None:
    class Empty:
        pass

    with pytest.raises(kind, match=words):
        penstock.remote(**given)(Empty)


def test_remote_wants_a_function_or_a_class() -> None:
    with pytest.raises(TypeError, match="takes a function or a class"):
        penstock.remote(3)
    with pytest.raises(TypeError, match="without brackets"):
        penstock.remote()
    with pytest.raises(TypeError, match="Use remote as"):
        penstock.remote(f, num_cpus=1)


def test_calling_a_remote_function_or_class_directly_says_how_to_call_it() -> None:
    class Counter:
        pass

    with pytest.raises(TypeError, match=r"f\.remote\(\)"):
        penstock.remote(f)()
    with pytest.raises(TypeError, match=r"Counter\.remote\(\)"):
        penstock.remote(Counter)()


def test_an_async_function_is_refused_as_a_task() -> None:
    async def wait() -> None:
        pass

    with pytest.raises(ValueError, match="async function"):
        penstock.remote(wait)


def test_a_remote_function_keeps_its_name_and_docstring() -> None:
    def documented() -> None:
        """Say what it does."""

    remote = penstock.remote(documented)
    assert remote.__name__ == "documented"
    assert remote.__doc__ == "Say what it does."


def test_options_that_are_as_by_default_cost_the_hub_nothing() -> None:
    assert options.to_json({"num_cpus": 1}, num_cpus=1) == ""
    told = json.loads(options.to_json({"num_cpus": 2, "resources": {"seat": 1}}, num_cpus=1))
    assert told == {"num_cpus": 2, "resources": {"seat": 1}}


def test_method_wants_options() -> None:
    with pytest.raises(TypeError, match="with options"):
        penstock.method(lambda self: None)
    with pytest.raises(ValueError, match="Unknown option for methods"):
        penstock.method(num_cpus=2)
