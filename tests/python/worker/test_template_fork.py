"""A template process that has built its functions, asked to fork by hand."""

from __future__ import annotations

import os
import socket
import struct

from engine import OUTPUT, READY, Engine, Frame, Step, pack, setup_of

FORK, PREPARED, _, FORKED, _, ENDED = range(10, 16)


class ForkedEngine(Engine):
    """The engine of a worker that `template` forks, with `variables` of its own."""

    def __init__(self, template: Engine, setup: bytes, variables: bytes) -> None:
        self._memory = {}
        self._told = set()
        self._next_segment = 1
        self._exit_code = 0
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = os.memfd_create("variables")
        os.write(environment, variables)
        template.send(
            Frame(FORK, batch=3, segment_bytes=len(variables)),
            [theirs.fileno(), 1, 2, environment],
        )
        os.close(environment)
        theirs.close()
        kind = ENDED  # Of the worker before.
        while kind == ENDED:
            frame, descriptors, _, _ = socket.recv_fds(template.socket, 80, 1)
            kind = struct.unpack_from("<II", frame)[1]
        assert kind == FORKED
        os.close(descriptors[0])
        self.send_setup(setup)


def test_each_forked_worker_has_variables_of_its_own_over_the_template_s(monkeypatch):
    monkeypatch.setenv("PENSTOCK_TEST", "template")

    def read(batch):
        return {"own": [os.environ["PENSTOCK_TEST"]], "also": [os.environ.get("ALSO", "")]}

    setup = setup_of(Step(read))
    with Engine(setup, is_template=True) as template:
        template.expect(PREPARED)
        said = []
        for variables in (b"PENSTOCK_TEST=a=b\0ALSO=1\0", b"", b"PENSTOCK_TEST=c\0"):
            with ForkedEngine(template, setup, variables) as worker:
                worker.expect(READY)
                worker.send_batch(1, pack({"id": [1]}))
                said.append(worker.expect(OUTPUT).table().to_rows([])[0])
        assert said == [
            {"own": "a=b", "also": "1"},
            {"own": "template", "also": ""},
            {"own": "c", "also": ""},
        ]
