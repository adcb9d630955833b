"""`import ray` finds Penstock, in the program and in its workers, and nothing else of that name."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import sys

import pytest

import penstock
import penstock.as_ray
import penstock.data
import penstock.util
import penstock.util.actor_pool


@pytest.fixture
def installed():
    penstock.as_ray.install()
    yield
    penstock.as_ray.uninstall()


@pytest.fixture
def real_ray(tmp_path, monkeypatch):
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "__init__.py").write_text("is_real = True")
    (tmp_path / "ray" / "tune.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        del sys.modules[name]


@pytest.mark.usefixtures("installed")
def test_every_form_of_import_finds_the_same_module():
    import ray
    import ray.data
    import ray.util.actor_pool
    from ray import data, util
    from ray.data import Dataset
    from ray.util.actor_pool import ActorPool

    assert ray is penstock
    assert ray.data is data is penstock.data
    assert ray.util is util is penstock.util
    assert Dataset is penstock.data.Dataset
    assert ray.util.actor_pool is penstock.util.actor_pool
    assert ActorPool is penstock.util.ActorPool is ray.util.ActorPool
    assert importlib.import_module("ray.exceptions") is penstock.exceptions


@pytest.mark.usefixtures("installed")
def test_modules_keep_their_own_names():
    import ray.data

    assert ray.data.__name__ == "penstock.data"
    assert ray.data.__spec__.name == "penstock.data"


@pytest.mark.usefixtures("installed")
def test_a_function_with_a_module_s_name_stays_a_function():
    import ray
    import ray.util.placement_group
    from ray.util.placement_group import placement_group

    assert ray.util.placement_group is placement_group
    assert callable(penstock.util.placement_group)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["ray.tune", "ray.data.nothing"])
def test_what_penstock_lacks_is_named(name, real_ray):
    with pytest.raises(ModuleNotFoundError, match=rf"Penstock .* no module {name}$") as caught:
        importlib.import_module(name)
    assert caught.value.name == name


@pytest.mark.usefixtures("installed")
def test_a_name_that_a_package_lacks_is_an_import_error():
    with pytest.raises(ImportError, match="'tune'"):
        from ray import tune  # noqa: F401


@pytest.mark.usefixtures("installed")
def test_who_asks_whether_a_module_is_there_is_answered(real_ray):
    assert importlib.util.find_spec("ray") is not None
    assert importlib.util.find_spec("ray.data") is not None
    assert importlib.util.find_spec("ray.data.context") is not None
    assert importlib.util.find_spec("ray.tune") is None


@pytest.mark.usefixtures("installed")
def test_names_that_begin_alike_are_left_alone(tmp_path, monkeypatch):
    (tmp_path / "rayon.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert importlib.import_module("rayon").__file__ == str(tmp_path / "rayon.py")


@pytest.mark.usefixtures("installed")
def test_what_was_pickled_under_ray_s_name_is_found():
    packed = pickle.dumps(penstock.data.DataContext, protocol=0)
    as_ray = packed.replace(b"penstock", b"ray")
    assert as_ray != packed
    assert pickle.loads(as_ray) is penstock.data.DataContext


def test_the_real_ray_is_found_again_after_uninstall(real_ray):
    penstock.as_ray.install()
    import ray

    assert ray is penstock
    assert os.environ["PENSTOCK_AS_RAY"] == "1"
    finders = len(sys.meta_path)
    penstock.as_ray.install()
    assert len(sys.meta_path) == finders
    penstock.as_ray.uninstall()
    penstock.as_ray.uninstall()
    assert not penstock.as_ray.is_installed()
    assert "PENSTOCK_AS_RAY" not in os.environ
    import ray

    assert ray.is_real


def test_the_real_ray_is_not_replaced_once_it_is_imported(real_ray):
    importlib.import_module("ray")
    with pytest.raises(RuntimeError, match="imported already") as caught:
        penstock.as_ray.install()
    assert str(real_ray) in str(caught.value)
    assert not penstock.as_ray.is_installed()


def test_penstock_under_the_name_of_ray_is_taken_for_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", penstock)
    penstock.as_ray.install()
    penstock.as_ray.uninstall()


def test_a_script_and_its_workers_find_it(run_as_ray):
    done = run_as_ray(
        "import ray\n"
        "from ray.util.actor_pool import ActorPool\n"
        "\n"
        "def where(batch):\n"
        "    import ray\n"
        "    import ray.util.actor_pool\n"
        "    import penstock\n"
        "    same = ray is penstock and ray.util.actor_pool is penstock.util.actor_pool\n"
        "    return {'same': [same]}\n"
        "\n"
        "print(ray.data.range(1).map_batches(where).take_all(), ActorPool)\n"
    )
    assert done.stdout == "[{'same': True}] <class 'penstock.util.actor_pool.ActorPool'>\n"


def test_workers_that_a_template_has_forked_find_it(run_as_ray, tmp_path):
    """Each of the workers waits in its first call until all are there."""
    done = run_as_ray(
        "import os, socket, sys, threading, ray\n"
        "\n"
        "address = sys.argv[1]\n"
        "listener = socket.socket(socket.AF_UNIX)\n"
        "listener.bind(address)\n"
        "listener.listen()\n"
        "\n"
        "def let_go():\n"
        "    for guest in [listener.accept()[0] for _ in range(4)]:\n"
        "        guest.send(b'!')\n"
        "\n"
        "class Where:\n"
        "    met = False\n"
        "    def __call__(self, batch):\n"
        "        import penstock, ray\n"
        "        if not self.met:\n"
        "            self.met = True\n"
        "            party = socket.socket(socket.AF_UNIX)\n"
        "            party.connect(address)\n"
        "            party.recv(1)\n"
        "        return {'same': [ray is penstock], 'parent': [os.getppid()]}\n"
        "\n"
        "threading.Thread(target=let_go).start()\n"
        "ds = ray.data.range(64, override_num_blocks=64)\n"
        "rows = ds.map_batches(Where, batch_size=1, concurrency=4).take_all()\n"
        "print({row['same'] for row in rows})\n"
        "print(len({row['parent'] for row in rows} - {os.getpid()}))\n",
        str(tmp_path / "meeting"),
    )
    assert done.stdout == "{True}\n1\n"


def test_what_was_pickled_under_ray_s_name_is_found_in_workers(run_as_ray):
    done = run_as_ray(
        "import pickle, ray\n"
        "\n"
        "class Pickled:\n"
        "    def __reduce__(self):\n"
        "        return pickle.loads, (b'cray.data.context\\nDataContext\\n.',)\n"
        "\n"
        "pickled = Pickled()\n"
        "\n"
        "def where(batch):\n"
        "    return {'module': [pickled.__module__]}\n"
        "\n"
        "print(ray.data.range(1).map_batches(where).take_all())\n"
    )
    assert done.stdout == "[{'module': 'penstock.data.context'}]\n"


def test_a_module_of_the_user_s_that_imports_it_may_be_used_in_workers(run_as_ray, tmp_path):
    (tmp_path / "user_module.py").write_text(
        "import ray\n\ndef where(batch):\n    return {'module': [ray.__name__]}\n"
    )
    done = run_as_ray(
        "import ray, user_module\n"
        "print(ray.data.range(1).map_batches(user_module.where).take_all())\n"
    )
    assert done.stdout == "[{'module': 'penstock'}]\n"


def test_threads_as_workers_find_it(run_as_ray):
    done = run_as_ray(
        "import ray, penstock\n"
        "\n"
        "def where(batch):\n"
        "    import penstock, ray\n"
        "    return {'same': [ray is penstock]}\n"
        "\n"
        "compute = penstock.data.ThreadPoolStrategy(size=2)\n"
        "print(ray.data.range(1).map_batches(where, compute=compute).take_all())\n"
    )
    assert done.stdout == "[{'same': True}]\n"


def test_workers_of_other_programs_do_not(run_python, tmp_path):
    (tmp_path / "script.py").write_text(
        "import penstock\n"
        "\n"
        "def where(batch):\n"
        "    import sys\n"
        "    names = [type(finder).__name__ for finder in sys.meta_path]\n"
        "    return {'ours': ['Finder' in names], 'loaded': ['penstock.as_ray' in sys.modules]}\n"
        "\n"
        "print(penstock.data.range(1).map_batches(where).take_all())\n"
    )
    done = run_python("script.py")
    assert done.stdout == "[{'ours': False, 'loaded': False}]\n", done.stderr


def test_install_in_a_program_serves_workers_that_start_later(run_python, tmp_path):
    (tmp_path / "script.py").write_text(
        "import penstock.as_ray\n"
        "penstock.as_ray.install()\n"
        "import ray\n"
        "\n"
        "def where(batch):\n"
        "    import ray\n"
        "    return {'name': [ray.__name__]}\n"
        "\n"
        "print(ray.data.range(1).map_batches(where).take_all())\n"
    )
    done = run_python("script.py")
    assert done.stdout == "[{'name': 'penstock'}]\n", done.stderr


def test_tasks_and_actors_find_it(run_as_ray):
    done = run_as_ray(
        "import ray\n"
        "from ray.util.actor_pool import ActorPool\n"
        "\n"
        "@ray.remote\n"
        "def outer(value):\n"
        "    import ray\n"
        "    return ray.get(inner.remote(value))\n"
        "\n"
        "@ray.remote\n"
        "def inner(value):\n"
        "    import penstock, ray.util.queue\n"
        "    return value, ray is penstock, ray.util.queue is penstock.util.queue\n"
        "\n"
        "@ray.remote\n"
        "class Predictor:\n"
        "    def __init__(self, model):\n"
        "        self.model = model\n"
        "    def predict(self, value):\n"
        "        from ray.util.queue import Empty\n"
        "        return self.model * value, Empty.__module__\n"
        "\n"
        "print(ray.get(outer.remote(1)))\n"
        "model = ray.put(10)\n"
        "pool = ActorPool([Predictor.remote(model) for _ in range(2)])\n"
        "pool.submit(lambda actor, value: actor.predict.remote(value), 4)\n"
        "while pool.has_next():\n"
        "    print(pool.get_next())\n"
    )
    assert done.stdout == "(1, True, True)\n(40, 'penstock.util.queue')\n"


def test_what_handles_are_is_found_after_a_plain_import(run_as_ray):
    done = run_as_ray(
        "import ray\n"
        "\n"
        "@ray.remote\n"
        "class Leaving:\n"
        "    def leave(self):\n"
        "        import ray\n"
        "        ray.actor.exit_actor()\n"
        "\n"
        "leaving = Leaving.remote()\n"
        "print(isinstance(Leaving, ray.actor.ActorClass))\n"
        "print(isinstance(leaving, ray.actor.ActorHandle))\n"
        "print(isinstance(leaving.leave, ray.actor.ActorMethod))\n"
        "try:\n"
        "    ray.get(leaving.leave.remote())\n"
        "except ray.exceptions.RayActorError:\n"
        "    print('left')\n"
    )
    assert done.stdout == "True\nTrue\nTrue\nleft\n"


def test_an_exception_of_ray_s_is_caught_by_its_name(run_as_ray):
    done = run_as_ray(
        "import ray\n"
        "import ray.exceptions\n"
        "\n"
        "@ray.remote\n"
        "def fail():\n"
        "    raise ray.exceptions.ObjectLostError('as if')\n"
        "\n"
        "try:\n"
        "    ray.get(fail.remote())\n"
        "except ray.exceptions.ObjectLostError as error:\n"
        "    print(isinstance(error, ray.exceptions.RayTaskError))\n"
    )
    assert done.stdout == "True\n"
