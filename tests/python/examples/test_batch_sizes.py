"""How many rows a function is given at once."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from batch_sizes import checked, main


def ones(rows):
    return penstock.data.from_numpy(np.ones((rows, 100)))


def test_each_batch_has_as_many_rows_as_were_asked_for(capsys):
    main(["--rows", "10", "--batch-rows", "2"])
    assert capsys.readouterr().out == "10 rows in batches of 2\n"


def test_batches_have_their_rows_whatever_the_blocks():
    assert checked(ones(100).repartition(7), batch_rows=4).count() == 100


def test_a_false_assertion_ends_the_job_with_itself():
    with pytest.raises(AssertionError, match="1 rows instead of 2"):
        checked(ones(9), batch_rows=2).take_all()


def test_a_function_that_would_fail_does_not_before_rows_are_asked_for():
    checked(ones(9), batch_rows=2)
