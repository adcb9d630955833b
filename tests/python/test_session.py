from __future__ import annotations

import pytest

import penstock
from penstock import session


@pytest.fixture(autouse=True)
def no_session():
    session._current = None
    yield
    session._current = None


def test_init_sets_what_jobs_may_use():
    penstock.init(memory=512e6, num_cpus=2, num_gpus=0.5, resources={"licence": 3})
    assert session.resources() == (512_000_000, 2, 0.5, (("licence", 3.0),))


def test_without_init_everything_is_the_machines_default():
    assert session.resources() == (0, 0, -1.0, ())
    assert penstock.is_initialized() is False


def test_rays_name_for_memory_counts_too():
    penstock.init(object_store_memory=100)
    assert session.resources().memory_bytes == 100


def test_a_second_init_is_an_error_unless_it_is_waved_through():
    first = penstock.init(num_cpus=2)
    with pytest.raises(RuntimeError, match=r"call penstock.shutdown\(\) first"):
        penstock.init()
    assert penstock.init(num_cpus=3, ignore_reinit_error=True) is first
    assert session.resources().processors == 2


def test_shutdown_forgets_and_may_be_repeated():
    penstock.init(num_cpus=2)
    penstock.shutdown()
    penstock.shutdown()
    assert penstock.is_initialized() is False
    assert session.resources().processors == 0


def test_as_a_context_manager_it_shuts_down():
    with penstock.init():
        assert penstock.is_initialized()
    assert not penstock.is_initialized()


@pytest.mark.parametrize("option", [{"memory": 0}, {"num_cpus": -1}, {"num_gpus": -1}])
def test_limits_that_are_not_positive_are_value_errors(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))} must"):
        penstock.init(**option)


def test_a_cluster_is_refused():
    with pytest.raises(NotImplementedError, match="got address: ray://host"):
        penstock.init("ray://host")


def test_unknown_options_are_refused_by_name_unless_they_are_off():
    penstock.init(include_dashboard=False, runtime_env=None)
    penstock.shutdown()
    with pytest.raises(NotImplementedError, match="runtime_env"):
        penstock.init(runtime_env={"pip": []})
