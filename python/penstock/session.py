"""What the process as a whole was told about the machine: `init`, `shutdown`, `is_initialized`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_LOCAL_ADDRESSES = frozenset({"auto", "local"})

# Options of Ray's that say how its own servers and logs are run.
_WITHOUT_EFFECT = frozenset({
    "configure_logging", "dashboard_host", "dashboard_port", "include_dashboard", "labels",
    "logging_config", "logging_format", "logging_level", "_temp_dir", "_node_ip_address",
    "_metrics_export_port", "_system_config", "enable_resource_isolation",
})  # fmt: skip


class Resources(NamedTuple):
    """What jobs may use; 0 means all that the machine has (memory: a quarter of it).

    Of GPUs -1 means that, and 0 none.
    """

    memory_bytes: int = 0
    processors: int = 0
    gpus: float = -1.0
    others: tuple[tuple[str, float], ...] = ()  # Of the program's own kinds, by name.


class Options(NamedTuple):
    """What tasks and actors have in common unless they say otherwise."""

    namespace: str | None = None  # In which actors' names are looked for; None: one of its own.
    runtime_env: Mapping[str, Any] = {}  # env_vars and working_dir.
    log_to_driver: bool = True  # Show what they print.


class Session:
    """What `init` returns; as a context manager it calls `shutdown` at its end."""

    dashboard_url = ""

    def __init__(self, resources: Resources, options: Options) -> None:
        self.resources = resources
        self.options = options

    @property
    def address_info(self) -> dict[str, Any]:
        """Return where the program runs: on this machine, without an address."""
        return {"address": "local", "node_ip_address": "127.0.0.1", "webui_url": ""}

    def __getitem__(self, name: str) -> Any:
        return self.address_info[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutdown()

    def __repr__(self) -> str:
        return f"Session({self.resources})"


_current: Session | None = None


def init(
    address: str | None = None,
    *,
    memory: float | None = None,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    resources: Mapping[str, float] | None = None,
    object_store_memory: float | None = None,
    ignore_reinit_error: bool = False,
    namespace: str | None = None,
    runtime_env: Mapping[str, Any] | None = None,
    log_to_driver: bool = True,
    **options: object,
) -> Session:
    """Set what all later jobs of this process may use. Calling it is never required.

    Args:
        address: None, "local" or "auto": this machine.
        memory: bytes of data that a job may hold at once; a quarter of the machine's by default.
        num_cpus: processors; all by default.
        num_gpus: GPUs; by default all that this process may use (CUDA_VISIBLE_DEVICES counts).
        resources: kinds of the program's own and how much there is of each; what the
            `resources=` of a stage's workers may ask for.
        object_store_memory: Ray's name for `memory`.
        ignore_reinit_error: return the session that stands instead of raising.
        namespace: where names of actors are looked for.
        runtime_env: `env_vars` and `working_dir` of all tasks and actors.
        log_to_driver: show what tasks and actors print.
        options: Ray's other options. Those of its dashboard, logs and cluster have nothing to do
            here and are taken; of the others only their defaults (None and False) are.

    Raises:
        RuntimeError: called twice without `shutdown` in between.
        ValueError: a limit is not positive.
        NotImplementedError: an option that this version does not support.

    """
    global _current  # noqa: PLW0603 - one session per process is the point
    if _current is not None:
        if ignore_reinit_error:
            return _current
        raise RuntimeError(
            "penstock.init() was called twice; call penstock.shutdown() first, "
            "or pass ignore_reinit_error=True"
        )
    if address is not None and address not in _LOCAL_ADDRESSES:
        raise NotImplementedError(f"Only this machine is supported; got address: {address}")
    for name, value in options.items():
        if name not in _WITHOUT_EFFECT and value is not None and value is not False:
            raise NotImplementedError(f"penstock.init does not support the option: {name}")
    memory_bytes = memory if memory is not None else object_store_memory
    _current = Session(
        Resources(
            memory_bytes=int(_positive("memory", memory_bytes)),
            processors=int(_positive("num_cpus", num_cpus)),
            gpus=-1.0 if num_gpus is None else _not_negative("num_gpus", num_gpus),
            others=tuple(
                (name, _not_negative(f"resources[{name!r}]", amount))
                for name, amount in (resources or {}).items()
            ),
        ),
        Options(namespace, _environment(runtime_env), log_to_driver),
    )
    return _current


def shutdown() -> None:
    """Stop every running job of this process and forget what `init` set. May be repeated."""
    global _current  # noqa: PLW0603 - one session per process is the point
    _current = None
    execution = sys.modules.get("penstock.data.execution")
    if execution is not None:  # Else no job has ever run.
        execution.cancel_all()
    connection = sys.modules.get("penstock.core.connection")
    if connection is not None:  # Else no task has.
        connection.close()


def is_initialized() -> bool:
    """Return whether `init` was called, or a task or actor used, and `shutdown` not since."""
    return _current is not None


def ensure() -> None:
    """Do what `init` without arguments does, unless it was called."""
    if _current is None:
        init()


def resources() -> Resources:
    """Return what `init` set, or the defaults."""
    return _current.resources if _current is not None else Resources()


def options() -> Options:
    """Return what `init` set for tasks and actors, or the defaults."""
    return _current.options if _current is not None else Options()


def _environment(given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if given:
        from penstock.core import checks

        checks.runtime_env("runtime_env", given)
    return given or {}


def _positive(name: str, value: float | None) -> float:
    if value is None:
        return 0
    if value < 1:
        raise ValueError(f"{name} must be at least 1; got: {value}")
    return value


def _not_negative(name: str, value: float) -> float:
    if value < 0:
        raise ValueError(f"{name} must not be negative; got: {value}")
    return float(value)
