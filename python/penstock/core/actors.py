"""Classes whose instances live in worker processes: actors."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakKeyDictionary

from penstock.core import control, groups, serialization, signatures
from penstock.core import options as options_of
from penstock.core.calls import Arguments, Told, is_generator, references
from penstock.core.connection import client, is_connected, release
from penstock.core.defined import Defined
from penstock.core.placing import refuse_what_never_fits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock._worker import Client, Packed

    _Call = tuple[int, str, Arguments | None]

_CONSTRUCTOR, _METHOD = 1, 2
_ALWAYS_THERE = ("__ray_ready__", "__ray_terminate__", "__ray_call__")
_METHOD_OPTIONS = "__penstock_method_options__"
_TAKES = "takes"  # Among a method's options: what arguments it takes, as `signatures` writes it.


class ActorClass:
    """What `remote` makes of a class: `C.remote(…)` builds an instance in a worker process."""

    __name__: str

    def __init__(self, kind: type, options: Mapping[str, Any]) -> None:
        self.__name__ = kind.__name__
        self.__doc__ = kind.__doc__
        self.__module__ = kind.__module__
        self._kind = kind
        self._options = options_of.of_actor(options)
        self._arguments = Arguments(kind.__qualname__, signatures.signature_of(kind))
        self._is_async = any(_is_async(member) for _, member in _members(kind))
        self._defined = Defined(kind)
        self._options_told = Told(self._checked_options)

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: actors are built by `remote`."""
        raise TypeError(
            f"Actors are not built directly: instead of {self.__name__}() write "
            f"{self.__name__}.remote()"
        )

    def remote(self, *args: Any, **kwargs: Any) -> ActorHandle:
        """Build an instance in a worker process of its own and return a handle of it.

        The process ends when no handle is left, unless `lifetime="detached"`. A constructor that
        raises has every call of a method raise `ActorDiedError`.

        Raises:
            TypeError: the arguments do not fit the constructor, or cannot be sent to a process.
            ValueError: an actor of this name is there already.
            UnplaceableError: the machine has not what the actor asks for.

        """
        connected = client()
        options = groups.inherited(
            self._options_told.text(connected), self._options.get("scheduling_strategy")
        )
        self._arguments.check(args, kwargs)
        function = self._defined.number(connected)
        packed, given = serialization.dumps_call(connected, args, kwargs)
        if self._options.get("name"):
            return self._named(connected, function, options, packed, given)
        actor = connected.new_ids(1)
        connected.submit(_CONSTRUCTOR, function, actor, "", 1, options, packed, given)
        return self._handle(actor)

    def options(self, **options: Any) -> ActorClass:
        """Return the same class with other options.

        Raises:
            ValueError, TypeError: an option is not known, or its value not possible.

        """
        return ActorClass(self._kind, {**self._options, **options})

    def _named(
        self, connected: Client, function: int, options: str, packed: Packed, given: list[int]
    ) -> ActorHandle:
        actor = connected.new_ids(1)
        number, told, error = connected.create_named(
            _CONSTRUCTOR, function, actor, "", 1, options, packed, given
        )
        if error:
            raise ValueError(error)
        if number == actor:
            return self._handle(actor)
        return handle_from_options(number, told)

    def _handle(self, actor: int) -> ActorHandle:
        return ActorHandle(actor, self.__name__, _methods_of(self._kind), owned=True)

    def _checked_options(self) -> str:
        refuse_what_never_fits(self.__name__, self._options, 0)
        name = self._options.get("name")
        namespace = self._options.get("namespace")
        if name and not namespace:
            namespace = control.current_namespace()
        options = options_of.to_json(
            self._options,
            num_cpus=0,
            label=self.__name__,
            namespace=namespace if name else None,
            is_async=self._is_async,
            methods=_methods_of(self._kind),
        )
        return groups.placed(options, groups.place_of(self._options))

    def __reduce__(self) -> tuple[Any, ...]:
        return ActorClass, (self._kind, self._options)

    def __repr__(self) -> str:
        return f"ActorClass({self.__name__})"


class ActorHandle:
    """Stands for an actor: `handle.method.remote(…)` calls it. May be sent to tasks and actors.

    Calls of one handle's holder run in the order made, one at a time unless `max_concurrency` or
    async methods say otherwise.
    """

    def __init__(
        self,
        number: int,
        class_name: str,
        methods: Mapping[str, Mapping[str, Any]],
        *,
        owned: bool = False,
    ) -> None:
        self._number = number
        self._class_name = class_name
        self._methods = methods
        self._calls: dict[str, _Call] = {}
        if not owned:
            client().hold(number)

    def __getattr__(self, name: str) -> ActorMethod:
        known = self.__dict__.get("_calls")
        call = None if known is None else known.get(name)
        if call is None:
            call = self._call(name)
        return ActorMethod(self, name, *call)

    def _call(self, name: str) -> _Call:
        methods = self.__dict__.get("_methods", {})
        if name not in methods and name not in _ALWAYS_THERE:
            raise AttributeError(
                f"The actor class {self.__dict__.get('_class_name')} has no method {name!r}"
            )
        options = methods.get(name, {})
        takes = options.get(_TAKES)
        arguments = None
        if takes is not None:
            arguments = Arguments(f"{self._class_name}.{name}", signatures.read(takes))
        call = self._calls[name] = _call_of(options, arguments)
        return call

    @property
    def _actor_id(self) -> str:
        return f"{self._number:016x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorHandle) and other._number == self._number

    def __hash__(self) -> int:
        return hash(self._number)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._methods})

    def __repr__(self) -> str:
        return f"Actor({self._class_name}, {self._actor_id})"

    def __reduce__(self) -> tuple[Any, ...]:
        serialization.contains(self._number)
        return ActorHandle, (self._number, self._class_name, dict(self._methods))

    def __del__(self) -> None:
        number = self.__dict__.get("_number")
        if number is not None and is_connected():
            release(number, at_once=True)


class ActorMethod:
    """A method of an actor."""

    __slots__ = ("_actor", "_arguments", "_json", "_name", "_returns")

    def __init__(
        self, actor: ActorHandle, name: str, returns: int, json: str, arguments: Arguments | None
    ) -> None:
        self._actor = actor
        self._name = name
        self._returns = returns
        self._json = json
        self._arguments = arguments

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: methods are called by `remote`."""
        raise TypeError(
            f"Methods of actors are not called directly: instead of {self._name}() write "
            f"{self._name}.remote()"
        )

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method in the actor's process and return a reference to what it will return.

        Arguments and what is returned are as of a remote function.

        Raises:
            TypeError: the arguments do not fit the method, or cannot be sent to a process.

        """
        connected = client()
        if self._arguments is not None:
            self._arguments.check(args, kwargs)
        packed, given = serialization.dumps_call(connected, args, kwargs)
        number = self._actor._number  # noqa: SLF001  # Of this module.
        task = connected.submit(
            _METHOD, 0, number, self._name, self._returns, self._json, packed, given
        )
        return references(task, self._returns)

    def options(self, **options: Any) -> ActorMethod:
        """Return the same method with other options.

        Raises:
            ValueError, TypeError: an option is not known, or its value not possible.

        """
        known = self._actor._methods.get(self._name, {})  # noqa: SLF001  # Of this module.
        changed = {**known, **options_of.of_method(options)}
        return ActorMethod(self._actor, self._name, *_call_of(changed, self._arguments))


def method(*args: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Set options of an actor's method: `@method(num_returns=2, concurrency_group="io")`.

    Raises:
        TypeError: used without options.
        ValueError: an option is not known, or its value not possible.

    """
    if args or not options:
        raise TypeError("Use method with options: @penstock.method(num_returns=2)")
    checked = options_of.of_method(options)

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(function, _METHOD_OPTIONS, checked)
        return function

    return mark


def handle_from_options(number: int, told: str) -> ActorHandle:
    """Return a handle of the actor whose constructor had these options."""
    facts = json.loads(told)
    return ActorHandle(number, facts["label"], facts.get("methods", {}))


def number_of_actor(handle: ActorHandle) -> int:
    """Return the number by which the hub knows the actor."""
    return handle._number  # noqa: SLF001  # Of this module.


_known_methods: WeakKeyDictionary[type, dict[str, dict[str, Any]]] = WeakKeyDictionary()


def _members(kind: type) -> list[tuple[str, Any]]:
    return inspect.getmembers(kind, inspect.isroutine)


def _methods_of(kind: type) -> dict[str, dict[str, Any]]:
    """Return the methods that one may call, each with its options and what it takes."""
    known = _known_methods.get(kind)
    if known is None:
        known = _known_methods[kind] = _looked_up_methods(kind)
    return known


def _looked_up_methods(kind: type) -> dict[str, dict[str, Any]]:
    methods = {}
    for name, member in _members(kind):
        if name in vars(object) and name != "__init__":
            continue
        options = dict(getattr(member, _METHOD_OPTIONS, {}))
        options.pop("retry_exceptions", None)
        if is_generator(member):
            options["is_generator"] = True
        is_method = inspect.isfunction(inspect.getattr_static(kind, name, None))
        signature = signatures.signature_of(member, is_method=is_method)
        if signature is not None:
            options[_TAKES] = signatures.written(signature)
        methods[name] = options
    return methods


def _is_async(member: Any) -> bool:
    return inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member)


def _call_of(options: Mapping[str, Any], arguments: Arguments | None) -> _Call:
    """Return how many values a method returns, what the hub is told of its calls, what it takes."""
    returns = options_of.returns_of(options, is_generator=bool(options.get("is_generator")))
    told = {key: options.get(key) for key in ("name", "concurrency_group")}
    told["max_retries"] = options.get("max_task_retries")
    return returns, options_of.to_json(told, num_cpus=0), arguments
