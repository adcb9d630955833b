"""Spreads calls over a fixed set of actors, each of which runs one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

Value = TypeVar("Value")
Function = Callable[[Any, Value], Any]


class _Call(NamedTuple):
    """A call that was made: what it returned, or why it could not be made."""

    actor: Any
    returned: Any  # An ObjectRef, or a list of them.
    error: BaseException | None = None

    def references(self) -> list[Any]:
        return self.returned if isinstance(self.returned, list) else [self.returned]


class ActorPool:
    """Spreads calls over a fixed set of actors.

    Each actor has one call at a time; what is submitted while all are busy waits in the pool. A
    function `fn(actor, value)` makes the call and returns its reference, or list of references:
    `lambda actor, value: actor.double.remote(value)`.

    An error in a call comes out of the `get_next` whose turn it is; the pool goes on with the same
    actors. An actor that has died leaves the pool. With the last one gone, the calls that still
    wait, and all later ones, fail with `RayActorError`.

    For one thread; it keeps no more than one call an actor under way and cannot be sent to others.
    """

    def __init__(self, actors: Iterable[Any]) -> None:
        """Make a pool of these actors. One that is named twice has two calls at a time."""
        self._idle = list(actors)
        self._waiting: deque[tuple[Function[Any], Any]] = deque()  # Empty while any is idle.
        self._calls: dict[int, _Call] = {}  # By number, in the order made; results not yet taken.
        self._next_made = 0
        self._next_taken = 0  # The number of the result that comes next in order.
        self._last_death: BaseException | None = None

    def map(self, fn: Function[Value], values: Iterable[Value]) -> Iterator[Any]:
        """Submit all values at once and yield the results in their order.

        Results of earlier calls that nobody has taken are left out.
        """
        self._forget()
        for value in values:
            self.submit(fn, value)
        return self._results(self.get_next)

    def map_unordered(self, fn: Function[Value], values: Iterable[Value]) -> Iterator[Any]:
        """Do as `map`, but yield each result as soon as it is there."""
        self._forget()
        for value in values:
            self.submit(fn, value)
        return self._results(self.get_next_unordered)

    def submit(self, fn: Function[Value], value: Value) -> None:
        """Call `fn` with an idle actor and the value; where none is idle, as soon as one is.

        An exception of `fn` is raised here, or by the `get_next` whose turn it is where the value
        had to wait.

        Raises:
            TypeError: `fn` did not return a reference.

        """
        if self._idle:
            self._make(fn, value)
            return
        self._waiting.append((fn, value))
        self._fail_if_deserted()

    def has_next(self) -> bool:
        """Return whether there is a result to take, or a call under way."""
        return bool(self._calls)

    def get_next(self, timeout: float | None = None, ignore_if_timedout: bool = False) -> Any:  # noqa: FBT001, FBT002  # Ray's order.
        """Return the next result in the order of submission.

        Args:
            timeout: seconds to wait at most; None: for ever.
            ignore_if_timedout: leave out a result that is late, and give its actor other work.

        Raises:
            StopIteration: there is no result to take.
            ValueError: `get_next_unordered` has taken results of later calls, so that only it can
                take what is left.
            TimeoutError: the result was not there in time.

        """
        self._check_next()
        if self._next_taken >= self._next_made:
            raise ValueError(
                "get_next_unordered has taken results of later calls; take the others with it too"
            )
        number = self._next_taken
        if not self._is_ready(self._calls[number], timeout):
            raise self._late(number, ignore_if_timedout)
        return self._take(number)

    def get_next_unordered(
        self,
        timeout: float | None = None,
        ignore_if_timedout: bool = False,  # noqa: FBT001, FBT002  # Ray's order.
    ) -> Any:
        """Return whichever result is there first.

        Args:
            timeout: seconds to wait at most; None: for ever.
            ignore_if_timedout: where none is there in time, leave out that of the oldest call.

        Raises:
            StopIteration: there is no result to take.
            TimeoutError: no result was there in time.

        """
        self._check_next()
        number = self._first_ready(timeout)
        if number is None:
            raise self._late(next(iter(self._calls)), ignore_if_timedout)
        return self._take(number)

    def has_free(self) -> bool:
        """Return whether a value that is submitted now is called at once."""
        return bool(self._idle)

    def pop_idle(self) -> Any:
        """Take an idle actor out of the pool and return it; None where there is none."""
        if not self.has_free():
            return None
        self._last_death = None  # From here on the pool may be empty by the caller's own wish.
        return self._idle.pop()

    def push(self, actor: Any) -> None:
        """Add an actor to the pool.

        Raises:
            ValueError: it is there already.

        """
        if actor in self._idle or any(actor == call.actor for call in self._calls.values()):
            raise ValueError(f"The actor is in the pool already: {actor}")
        self._give_back(actor)

    def _make(self, fn: Function[Any], value: Any) -> None:
        import penstock

        actor = self._idle.pop()
        try:
            call = _Call(actor, fn(actor, value))
            for reference in call.references() or [None]:
                if not isinstance(reference, penstock.ObjectRef):
                    kind = type(call.returned).__name__
                    raise TypeError(  # noqa: TRY301  # The actor is idle again.
                        f"The function must return what actor.method.remote() returned; got: {kind}"
                    )
        except BaseException:
            self._idle.append(actor)
            raise
        self._add(call)

    def _add(self, call: _Call) -> None:
        self._calls[self._next_made] = call
        self._next_made += 1

    def _give_back(self, actor: Any) -> None:
        self._idle.append(actor)
        while self._idle and self._waiting:
            fn, value = self._waiting.popleft()
            try:
                self._make(fn, value)
            except Exception as error:  # noqa: BLE001  # It comes when it is this value's turn.
                self._add(_Call(None, None, error))

    def _check_next(self) -> None:
        if not self.has_next():
            raise StopIteration("There is no result to take")

    def _is_ready(self, call: _Call, timeout: float | None) -> bool:
        import penstock

        if call.error is not None:
            return True
        references = call.references()
        ready, _ = penstock.wait(references, num_returns=len(references), timeout=timeout)
        return len(ready) == len(references)

    def _first_ready(self, timeout: float | None) -> int | None:
        import penstock

        for number, call in self._calls.items():
            if call.error is not None:
                return number
        numbers = {call.references()[0]: number for number, call in self._calls.items()}
        ready, _ = penstock.wait(list(numbers), num_returns=1, timeout=timeout)
        return numbers[ready[0]] if ready else None

    def _take(self, number: int) -> Any:
        import penstock
        from penstock.exceptions import RayActorError

        call = self._remove(number)
        if call.error is not None:
            raise call.error
        try:
            value = penstock.get(call.returned)
        except RayActorError as error:
            if _is_dead(error):
                self._last_death = error
                self._fail_if_deserted()
            else:
                self._give_back(call.actor)
            raise
        except BaseException:
            self._give_back(call.actor)
            raise
        self._give_back(call.actor)
        return value

    def _remove(self, number: int) -> _Call:
        self._next_taken = max(self._next_taken, number + 1)
        return self._calls.pop(number)

    def _late(self, number: int, ignore: bool) -> TimeoutError:  # noqa: FBT001  # The caller's own argument.
        if not ignore:
            return TimeoutError("The result was not there in time")
        call = self._remove(number)
        self._give_back(call.actor)
        return TimeoutError(f"The result was not there in time and is left out: {call.returned}")

    def _fail_if_deserted(self) -> None:
        """Where the last actor has died, fail what waits: nobody will ever run it."""
        from penstock.exceptions import RayActorError

        busy = any(call.error is None for call in self._calls.values())
        if self._last_death is None or self._idle or busy:
            return
        while self._waiting:
            self._waiting.popleft()
            error = RayActorError(
                f"No actor of the pool is left to run this on. The last one: {self._last_death}"
            )
            self._add(_Call(None, None, error))

    def _forget(self) -> None:
        """Run what waits, but leave out the results of everything so far."""
        while self.has_next():
            try:
                self.get_next_unordered(timeout=0, ignore_if_timedout=True)
            except Exception:  # noqa: BLE001, S112  # It is left out, too.
                continue

    def _results(self, take: Callable[[], Any]) -> Iterator[Any]:
        while self.has_next():
            yield take()


def _is_dead(error: BaseException) -> bool:
    """Tell an actor that has died from one that says so of another, or that may come back."""
    from penstock.exceptions import ActorUnavailableError, RayTaskError

    return not isinstance(error, ActorUnavailableError | RayTaskError)
