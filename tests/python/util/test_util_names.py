"""What `penstock.util` lists, and the small things in it."""

from __future__ import annotations

import importlib
import ipaddress
import subprocess
import sys
import threading
import uuid

import pytest

import penstock as ray
from penstock import util


@pytest.mark.parametrize(
    "name", ["penstock.util", "penstock.util.multiprocessing", "penstock.util.multiprocessing.pool"]
)
def test_every_name_that_a_module_lists_is_there(name):
    module = importlib.import_module(name)
    for each in module.__all__:
        assert getattr(module, each) is not None
        assert each in dir(module)


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = util.nothing


def test_the_function_placement_group_is_no_module():
    importlib.import_module("penstock.util.placement_group")
    assert callable(util.placement_group)


def test_importing_it_imports_little():
    script = "import sys, penstock.util; print([n for n in %r if n in sys.modules])"
    heavy = ("numpy", "pyarrow", "cloudpickle", "asyncio", "multiprocessing", "socket", "queue")
    command = [sys.executable, "-c", f"import sys; sys.path = {sys.path!r}; {script % (heavy,)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_machine_has_an_address():
    assert ipaddress.ip_address(util.get_node_ip_address()).version == 4
    assert util.get_node_ip_address("127.0.0.1:80") == "127.0.0.1"


def test_a_machine_without_a_network_has_the_loopback_s(monkeypatch):
    import socket

    def refuse(self, address):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert util.get_node_ip_address() == "127.0.0.1"


def test_a_thing_is_said_once():
    key = str(uuid.uuid4())
    assert [util.log_once(key), util.log_once(key)] == [True, False]


class Locked:
    def __init__(self, value):
        self.value = value
        self.lock = threading.Lock()


def test_objects_may_travel_in_another_form():
    @ray.remote
    def look(locked):
        return locked.value, type(locked.lock).__name__

    util.register_serializer(Locked, serializer=lambda locked: locked.value, deserializer=Locked)
    try:
        assert ray.get(look.remote(Locked(5))) == (5, "lock")
    finally:
        util.deregister_serializer(Locked)
    util.deregister_serializer(Locked)
    with pytest.raises(TypeError, match="lock"):
        look.remote(Locked(5))
