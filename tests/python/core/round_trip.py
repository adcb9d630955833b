"""Takes a value to a hub and back, in one process and without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fake_hub
from fake_hub import inline, shared

from penstock.core import serialization

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_hub import FakeHub

    from penstock import _worker


class Carrier:
    """A client, and the hub that it puts values into."""

    def __init__(self, hub: FakeHub, client: _worker.Client) -> None:
        self.hub = hub
        self.client = client

    def put(self, value: Any) -> dict[str, Any]:
        """Put a value; return what the hub gets to see, with "descriptors"."""
        self.client.put(serialization.dumps(self.client, value))
        message = self.hub.next(fake_hub.PUT)
        message.take("Q")
        return {**message.value(), "descriptors": message.descriptors}

    def get(self, put: dict[str, Any], *, as_another: bool = True) -> _worker.Value:
        """Get what was put, as another process would, or as the one that put it."""
        got: list[_worker.Value] = []
        self.ask(got.append)
        request = self.hub.next(fake_hub.GET).take("Q")
        if put["form"] == 1:
            self.hub.send_value(request, inline(put["bytes"], put["flags"]))
        else:
            segment = put["segment"] + (1 << 50 if as_another else 0)
            value = shared(segment, put["size"], put["capacity"], brings=as_another)
            descriptors = put["descriptors"] if as_another else None
            self.hub.send_value(request, value, descriptors=descriptors)
        self.client.poll()
        return got.pop()

    def ask(self, callback: Callable[[_worker.Value], object]) -> None:
        self.client.when_ready(5, callback)

    def carry(self, value: Any) -> Any:
        return serialization.loads(self.get(self.put(value)))
