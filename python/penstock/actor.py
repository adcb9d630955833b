"""Ray's place for what handles of actors are, and for `exit_actor`."""

from __future__ import annotations

from penstock.core.actors import ActorClass, ActorHandle, ActorMethod
from penstock.core.control import exit_actor

__all__ = ["ActorClass", "ActorHandle", "ActorMethod", "exit_actor"]
