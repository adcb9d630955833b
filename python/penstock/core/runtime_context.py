"""What a task or an actor may ask about itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from penstock.core import connection

if TYPE_CHECKING:
    from penstock.core.actors import ActorHandle


class RuntimeContext:
    """Facts about the task or actor that asks, or about the program."""

    def get_job_id(self) -> str:
        """Return the name of the program's run."""
        job: str = connection.facts()["job_id"]
        return job

    def get_node_id(self) -> str:
        """Return the name of this machine in this run."""
        node: str = connection.facts()["node_id"]
        return node

    def get_worker_id(self) -> str:
        """Return the name of this process in this run."""
        return f"{connection.client().number:016x}"

    def get_task_id(self) -> str | None:
        """Return the running task's name; None outside of tasks."""
        return _named(_running("task_id"))

    def get_task_name(self) -> str | None:
        """Return the name of the running task's function; None outside of tasks."""
        name: str | None = _running("task_name")
        return name

    def get_task_function_name(self) -> str | None:
        """Return the same as `get_task_name`."""
        return self.get_task_name()

    def get_actor_id(self) -> str | None:
        """Return the actor's name in this run; None outside of actors."""
        return _named(_running("actor_id"))

    def get_actor_name(self) -> str | None:
        """Return the name that the actor was given; "" for none, None outside of actors."""
        if not _running("actor_id"):
            return None
        return str(self._actor_options().get("name", ""))

    def is_canceled(self) -> bool:
        """Return whether the running task was cancelled, for calls in threads, which go on.

        Raises:
            RuntimeError: asked outside of tasks, or by an async actor, whose calls are cancelled
                as coroutines are.

        """
        number = _running("task_id")
        if not number or (_running("actor_id") and self._actor_options().get("is_async")):
            raise RuntimeError("is_canceled is for tasks and for actors without async methods")
        return number in connection.client().interrupted()

    @property
    def namespace(self) -> str:
        """The namespace in which names of actors are looked for."""
        namespace: str = connection.facts()["namespace"]
        return namespace

    @property
    def was_current_actor_reconstructed(self) -> bool:
        """Whether the actor that asks has been started again."""
        from penstock.worker import current

        return current.actor_restarts() > 0

    @property
    def current_actor(self) -> ActorHandle:
        """A handle of the actor that asks.

        Raises:
            RuntimeError: asked outside of actors.

        """
        from penstock.core.actors import handle_from_options
        from penstock.worker import current

        number = _running("actor_id")
        if not number:
            raise RuntimeError("current_actor is for methods of actors")
        return handle_from_options(number, current.actor_options())

    @property
    def gcs_address(self) -> str:
        """The address of a cluster's control store: "" here."""
        return ""

    @property
    def runtime_env(self) -> dict[str, Any]:
        """The environment that the task or actor was given."""
        options = self._options()
        return {key: options[key] for key in ("env_vars", "working_dir") if key in options}

    def get_runtime_env_string(self) -> str:
        """Return the same as JSON."""
        return json.dumps(self.runtime_env)

    def get_placement_group_id(self) -> str | None:
        """Return the placement group that the task or actor runs in; None outside of groups."""
        from penstock.core import groups

        return groups.current()

    def get_assigned_resources(self) -> dict[str, float]:
        """Return what the task or actor holds, by resource."""
        options = self._options()
        default = 0.0 if _running("actor_id") else 1.0
        held = {"CPU": float(options.get("num_cpus", default))}
        if options.get("num_gpus"):
            held["GPU"] = float(options["num_gpus"])
        if options.get("memory"):
            held["memory"] = float(options["memory"])
        held.update(options.get("resources", {}))
        return {name: amount for name, amount in held.items() if amount}

    def get_accelerator_ids(self) -> dict[str, list[str]]:
        """Return the GPUs that the task or actor may use."""
        from penstock.core.cluster import get_gpu_ids

        return {"GPU": [str(name) for name in get_gpu_ids()]}

    def get(self) -> dict[str, Any]:
        """Return the facts as a dict."""
        facts = {"job_id": self.get_job_id(), "node_id": self.get_node_id()}
        more = {"task_id": self.get_task_id(), "actor_id": self.get_actor_id()}
        return {**facts, **{name: value for name, value in more.items() if value is not None}}

    def _options(self) -> dict[str, Any]:
        return self._actor_options() if _running("actor_id") else _read(_running("options"))

    def _actor_options(self) -> dict[str, Any]:
        from penstock.worker import current

        return _read(current.actor_options())


def get_runtime_context() -> RuntimeContext:
    """Return what the task, actor or program that calls this may ask about itself."""
    return RuntimeContext()


def _running(field: str) -> Any:
    from penstock.worker import current

    task = current.task()
    return None if task is None else getattr(task, field)


def _named(number: int | None) -> str | None:
    return f"{number:016x}" if number else None


def _read(options: str | None) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(options) if options else {}
    return read
