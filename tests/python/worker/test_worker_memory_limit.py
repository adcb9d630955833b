"""How much of a batch is tried after a GPU ran out of memory."""

from __future__ import annotations

import itertools

import pytest

from penstock.worker.memory_limit import MemoryLimit


def pieces(limit, rows, row_bytes, capacity):
    """Run a batch on a GPU that holds `capacity` bytes; return the pieces, minus for too large."""
    done, tried = 0, []
    while done < rows:
        piece = limit.rows_that_fit(rows - done, row_bytes)
        if piece * row_bytes > capacity:
            tried.append(-piece)
            limit.was_too_large(piece, row_bytes)
        else:
            tried.append(piece)
            done += piece
            if piece < rows:
                limit.fitted(piece, row_bytes)
    return tried


def test_nothing_is_cut_before_something_was_too_large():
    assert pieces(MemoryLimit(), 64, 10, 640) == [64]


def test_what_is_too_large_is_halved_until_it_fits_and_that_is_remembered():
    limit = MemoryLimit()
    assert pieces(limit, 64, 10, 200) == [-64, -32, 16, 16, 16, 16]
    assert pieces(limit, 64, 10, 200) == [16, 16, 16, 16]


def test_the_halves_of_an_odd_batch_are_two():
    assert pieces(MemoryLimit(), 7, 10, 40) == [-7, 4, 3]


def test_the_limit_is_one_of_bytes_so_it_holds_for_rows_of_other_sizes():
    limit = MemoryLimit()
    pieces(limit, 64, 10, 320)
    assert pieces(limit, 64, 20, 320) == [16, 16, 16, 16]
    assert pieces(limit, 32, 5, 320) == [32]


def test_pieces_are_about_even():
    limit = MemoryLimit()
    pieces(limit, 96, 10, 480)
    assert pieces(limit, 64, 10, 480) == [32, 32]


def test_one_row_is_always_tried():
    limit = MemoryLimit()
    pieces(limit, 4, 10, 10)
    assert limit.rows_that_fit(4, 1e9) == 1


def run_batches(limit, count, *, capacity):
    return [pieces(limit, 64, 10, capacity) for _ in range(count)]


def test_after_sixteen_good_calls_it_grows_by_a_quarter_and_never_beyond_the_batch():
    limit = MemoryLimit()
    assert pieces(limit, 64, 10, 320) == [-64, 32, 32]
    assert run_batches(limit, 7, capacity=10_000) == [[32, 32]] * 7  # The sixteenth was the last.
    assert limit.rows_that_fit(1000, 10) == 40
    grown = run_batches(limit, 60, capacity=10_000)
    assert grown[-1] == [64]
    assert all(sum(tried) == 64 for tried in grown)


def test_what_grew_too_far_goes_back_to_what_had_fitted_and_waits_twice_as_long():
    limit = MemoryLimit()
    tries = list(itertools.chain.from_iterable(pieces(limit, 1000, 10, 5200) for _ in range(999)))
    failed = [place for place, piece in enumerate(tries) if piece < 0]
    waits = [after - before for before, after in itertools.pairwise(failed)]
    assert tries[:2] == [-1000, 500]
    assert all(piece == 500 for piece in tries if piece > 0)
    assert waits == [65, 129, 257, 513, 1025]  # The first are four growths of a quarter.


def test_when_what_fitted_does_not_fit_any_more_it_is_halved():
    limit = MemoryLimit()
    assert pieces(limit, 64, 10, 320) == [-64, 32, 32]
    assert pieces(limit, 64, 10, 100) == [-32, -16, 8, 8, 8, 8, 8, 8, 8, 8]


def test_rounding_loses_no_row():
    rows, row_bytes = 114, 798025 / 114
    limit = MemoryLimit()
    limit.was_too_large(rows, row_bytes)
    assert limit.rows_that_fit(rows, row_bytes) == 57


@pytest.mark.parametrize("row_bytes", [1.0, 3.3, 1 / 3, 1234.567])
def test_rounding_never_stops_it_from_getting_on(row_bytes):
    for rows in range(1, 70):
        limit = MemoryLimit()
        for capacity in (1, 5, 17, 64):
            tried = pieces(limit, rows, row_bytes, capacity * row_bytes * 1.001)
            assert sum(piece for piece in tried if piece > 0) == rows
