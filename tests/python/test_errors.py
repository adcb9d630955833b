"""Errors of the engine and of the user's functions become the right exceptions."""

from __future__ import annotations

import pickle

import pytest

from penstock import exceptions
from penstock.errors import to_exception
from penstock.worker import failure


@pytest.mark.parametrize(
    ("code", "kind", "wanted"),
    [
        ("IOError", "MissingPath", FileNotFoundError),
        ("IOError", "CorruptData", exceptions.CorruptDataError),
        ("IOError", "CorruptData", OSError),
        ("Invalid", "SchemaMismatch", ValueError),
        ("Invalid", "Unplaceable", ValueError),
        ("Invalid", "BadReturn", ValueError),
        ("ExecutionError", "WorkerDied", exceptions.WorkerCrashedError),
        ("OutOfMemory", "BudgetTooSmall", MemoryError),
        ("Cancelled", "Cancelled", exceptions.TaskCancelledError),
        ("Invalid", "", ValueError),
        ("IOError", "", OSError),
        ("KeyError", "", KeyError),
        ("TypeError", "", TypeError),
        ("IndexError", "", IndexError),
        ("NotImplemented", "", NotImplementedError),
        ("OutOfMemory", "", MemoryError),
        ("UnknownError", "", exceptions.RaySystemError),
    ],
)
def test_each_kind_of_error_has_its_python_type_and_keeps_its_words(code, kind, wanted):
    error = to_exception(code, kind, "file a.csv: wrong; got: 5", b"")
    assert isinstance(error, wanted)
    assert str(error) == "file a.csv: wrong; got: 5"


def caught(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("it did not raise")


def sent(error, *, function="f", row=None, message=""):
    """Return the error as the driver gets it."""
    packed = failure.pack(error, function=function, row=row)
    return to_exception("ExecutionError", "UserFunction", message, packed)


def divide(value):
    return 1 // value


def test_the_users_exception_is_also_of_its_own_class():
    cause = caught(divide, 0)
    error = sent(cause, function="divide", row=3)
    assert isinstance(error, exceptions.RayTaskError)
    assert isinstance(error, exceptions.UserCodeException)
    assert isinstance(error, ZeroDivisionError)
    assert type(error.__cause__) is ZeroDivisionError
    assert error.cause is error.__cause__
    assert error.function_name == "divide"
    assert type(error).__name__ == "RayTaskError(ZeroDivisionError)"


def test_the_text_begins_with_the_users_own_frames():
    lines = str(sent(caught(divide, 0), function="divide", row=3, message="stage 2")).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any("return 1 // value" in line for line in lines)
    assert "ZeroDivisionError: integer division or modulo by zero" in lines
    assert lines[-2:] == ["The function divide raised this on row 3 of its batch.", "stage 2"]


def test_exceptions_behind_the_exception_are_shown():
    def chained():
        try:
            divide(0)
        except ZeroDivisionError as error:
            raise RuntimeError("cannot share") from error

    text = str(sent(caught(chained)))
    assert text.index("ZeroDivisionError") < text.index("direct cause") < text.index("RuntimeError")


def test_what_an_exception_carries_comes_along():
    error = sent(OSError(28, "No space left on device", "/out/part"))
    assert (error.errno, error.filename) == (28, "/out/part")
    missing = sent(caught({}.__getitem__, "colour"))
    assert isinstance(missing, KeyError)
    assert missing.args == ("colour",)
    decoding = sent(caught(b"\xff".decode))
    assert (decoding.start, decoding.reason) == (0, "invalid start byte")


def test_attributes_of_a_users_class_come_along():
    class ModelError(Exception):
        def __init__(self, model, *, code):
            super().__init__(f"{model} failed")
            self.model = model
            self.code = code

        def __reduce__(self):
            return _rebuild, (type(self), self.model, self.code)

    error = sent(ModelError("gpt", code=7))
    assert isinstance(error, ModelError)
    assert (error.model, error.code) == ("gpt", 7)


def _rebuild(kind, model, code):
    return kind(model, code=code)


def test_exceptions_that_cannot_travel_come_as_text():
    class LockedError(Exception):
        def __init__(self, handle, more):
            super().__init__("locked")

    error = sent(caught(_raise, LockedError(open, "x")), function="f")
    assert isinstance(error, exceptions.RayTaskError)
    assert "LockedError: locked" in str(error)
    assert "locked" in str(error.__cause__)


def _raise(error):
    raise error


def test_an_exception_whose_text_raises_still_travels():
    class MuteError(Exception):
        def __str__(self):
            raise ValueError("no text")

    assert isinstance(sent(MuteError()), exceptions.RayTaskError)


@pytest.mark.parametrize("cause", [SystemExit(3), KeyboardInterrupt(), StopIteration(1)])
def test_exceptions_that_would_end_the_drivers_loops_do_not_take_their_class_along(cause):
    error = sent(cause)
    assert type(error) is exceptions.RayTaskError
    assert isinstance(error, Exception)


def test_a_bad_return_says_only_what_is_wrong():
    error = sent(failure.BadReturnError("The function f returned 5"))
    assert isinstance(error, ValueError)
    assert isinstance(error, exceptions.RayTaskError)
    assert str(error) == "The function f returned 5"


def test_task_errors_can_be_pickled():
    again = pickle.loads(pickle.dumps(sent(caught(divide, 0))))
    assert isinstance(again, ZeroDivisionError)
    assert isinstance(again, exceptions.RayTaskError)


def test_bytes_that_are_no_packed_exception_leave_the_engines_words():
    error = to_exception("ExecutionError", "UserFunction", "it failed", b"\x05\0\0\0nojson")
    assert isinstance(error, exceptions.RayTaskError)
    assert str(error) == "it failed"
