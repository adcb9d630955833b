"""Functions that run as tasks."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.core import groups, serialization
from penstock.core import options as options_of
from penstock.core.calls import Arguments, Told, is_generator, references
from penstock.core.connection import client
from penstock.core.defined import Defined
from penstock.core.placing import refuse_what_never_fits
from penstock.core.references import DynamicObjectRefGenerator
from penstock.core.signatures import signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FUNCTION = 0
_PROCESSORS = 1.0


class RemoteFunction:
    """What `remote` makes of a function: `f.remote(…)` runs it in a worker process."""

    __name__: str

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        if inspect.iscoroutinefunction(function):
            raise ValueError(  # As in Ray.
                f"{function.__qualname__} is an async function, which only actors run; make it a "
                "method of an actor, or call asyncio.run in a plain function"
            )
        functools.update_wrapper(self, function)
        self._function = function
        self._options = options_of.of_function(options)
        self._arguments = Arguments(function.__qualname__, signature_of(function))
        self._returns = options_of.returns_of(self._options, is_generator=is_generator(function))
        if self._options.get("num_returns") == options_of.DYNAMIC:
            function = functools.partial(_collect, function)
            self._returns = 1
        self._defined = Defined(function, self._options.get("retry_exceptions"))
        self._options_told = Told(self._checked_options)

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: the function is called by `remote`."""
        raise TypeError(
            f"Remote functions are not called directly: instead of {self.__name__}() write "
            f"{self.__name__}.remote()"
        )

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        """Start the function in a worker process and return a reference to what it will return.

        Arguments that are references are replaced by their values; the task waits for them.
        With `num_returns=n` a list of n references is returned, None for 0; of a generator an
        `ObjectRefGenerator`.

        Raises:
            TypeError: the arguments do not fit the function, or cannot be sent to a process.
            UnplaceableError: the machine has not what the function asks for.

        """
        connected = client()
        options = groups.inherited(
            self._options_told.text(connected), self._options.get("scheduling_strategy")
        )
        self._arguments.check(args, kwargs)
        function = self._defined.number(connected)
        packed, given = serialization.dumps_call(connected, args, kwargs)
        task = connected.submit(_FUNCTION, function, 0, "", self._returns, options, packed, given)
        return references(task, self._returns)

    def options(self, **options: Any) -> RemoteFunction:
        """Return the same function with other options.

        Raises:
            ValueError, TypeError: an option is not known, or its value not possible.

        """
        return RemoteFunction(self._function, {**self._options, **options})

    def _checked_options(self) -> str:
        refuse_what_never_fits(self.__name__, self._options, _PROCESSORS)
        label = self._function.__qualname__
        options = options_of.to_json(self._options, num_cpus=_PROCESSORS, label=label)
        return groups.placed(options, groups.place_of(self._options))

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteFunction, (self._function, self._options)

    def __repr__(self) -> str:
        return f"RemoteFunction({self.__name__})"


def _collect(function: Callable[..., Any], *args: Any, **kwargs: Any) -> DynamicObjectRefGenerator:
    """Run a generator to its end, and return the references of its items."""
    from penstock.core.objects import put

    return DynamicObjectRefGenerator([put(item) for item in function(*args, **kwargs)])
