from __future__ import annotations

import functools

import numpy as np
import pytest

from penstock.data import arguments


def double(batch):
    return batch


class Model:
    def __init__(self, factor=1):
        self.factor = factor

    def __call__(self, batch):
        return batch

    def method(self, batch):
        return batch


class NotCallable:
    pass


def check(function, **given):
    given = {"constructor_args": None, "constructor_kwargs": None, **given}
    arguments.check_function("map_batches", function, **given)


def test_functions_classes_and_callable_objects_are_accepted():
    for function in (double, Model, Model(), Model().method, functools.partial(double), len):
        check(function)


def test_what_cannot_be_called_is_a_type_error_that_shows_it():
    with pytest.raises(TypeError, match=r"map_batches needs a function.*got: 3"):
        check(3)


def test_a_class_without_call_is_a_type_error():
    with pytest.raises(TypeError, match="__call__ method; got: NotCallable"):
        check(NotCallable)


@pytest.mark.parametrize("name", ["constructor_args", "constructor_kwargs"])
def test_constructor_arguments_need_a_class(name):
    with pytest.raises(ValueError, match=f"fn_{name}`` can only be specified.*double"):
        check(double, **{name: []})


def test_constructor_arguments_are_fine_with_a_class():
    check(Model, constructor_args=[2], constructor_kwargs={})


@pytest.mark.parametrize("concurrency", [1, 8, (1, 2), (1, 4, 2), np.int64(2), (np.int32(1), 2)])
def test_concurrency_takes_numbers_and_tuples(concurrency):
    arguments.check_concurrency(Model, concurrency)


@pytest.mark.parametrize(
    "concurrency", [0, -1, "2", 2.0, True, (1,), (1, 2, 3, 4), (1, "2"), (True, 2), np.float64(2)]
)
def test_other_concurrency_is_a_value_error(concurrency):
    with pytest.raises(ValueError, match="``concurrency``"):
        arguments.check_concurrency(Model, concurrency)


def test_a_tuple_of_concurrency_needs_a_class():
    with pytest.raises(ValueError, match="tuple of integers, but double is not a callable class"):
        arguments.check_concurrency(double, (1, 2))


def test_batch_size_none_and_auto_are_no_number():
    assert arguments.batch_rows(None) is None
    assert arguments.batch_rows("auto") is None


def test_batch_size_may_be_a_numpy_integer():
    rows = arguments.batch_rows(np.int64(32))
    assert (rows, type(rows)) == (32, int)


@pytest.mark.parametrize("size", [0, -5])
def test_batch_size_below_one_is_a_value_error(size):
    with pytest.raises(ValueError, match=f"Batch size can't be negative or 0; got: {size}"):
        arguments.batch_rows(size)


@pytest.mark.parametrize("size", [1.5, "large", True])
def test_batch_size_of_another_type_is_a_type_error(size):
    with pytest.raises(TypeError, match="batch_size must be a whole number"):
        arguments.batch_rows(size)


def test_batch_formats_have_their_aliases():
    names = {name: arguments.batch_format_name(name) for name in ("default", "numpy", "pandas")}
    assert names == {"default": "numpy", "numpy": "numpy", "pandas": "pandas"}
    assert arguments.batch_format_name("pyarrow") == arguments.batch_format_name(None) == "pyarrow"


@pytest.mark.parametrize("name", ["arrow", 3, ["numpy"]])
def test_an_unknown_batch_format_is_a_value_error_that_lists_the_known(name):
    with pytest.raises(ValueError, match=r"'numpy'.*'pandas'.*got: "):
        arguments.batch_format_name(name)


def test_column_lists_take_one_name_or_several():
    assert arguments.column_list("cols", "a") == ["a"]
    assert arguments.column_list("cols", ("a", "b")) == ["a", "b"]


def test_column_lists_refuse_other_types_and_repeats():
    with pytest.raises(TypeError, match=r"column names \(str\); got: 1"):
        arguments.column_list("cols", ["a", 1])
    with pytest.raises(TypeError, match="list of column names; got: 1"):
        arguments.column_list("cols", 1)
    with pytest.raises(ValueError, match="twice: 'a'"):
        arguments.column_list("cols", ["a", "a"])
