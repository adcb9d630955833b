from __future__ import annotations

import pytest

import penstock
from penstock.data import DataContext


@pytest.fixture
def ds():
    return penstock.data.range(10)


def test_len_says_to_count(ds):
    with pytest.raises(AttributeError, match=r"ds\.count\(\)"):
        len(ds)


def test_iterating_says_how(ds):
    with pytest.raises(TypeError, match="iter_rows"):
        iter(ds)


def test_a_data_set_is_true_even_when_it_is_empty():
    assert bool(penstock.data.range(0))


def test_repr_shows_the_plan_and_runs_nothing(ds):
    mapped = ds.map_batches(len)
    lines = repr(mapped).splitlines()
    assert lines[0] == "Dataset(num_rows=?, schema=Unknown schema)"
    assert "MapBatches(len)" in lines[1]
    assert "range" in lines[2].lower()
    assert mapped._last_run is None


def test_repr_shows_the_schema_once_it_is_known(ds):
    ds.schema()
    assert repr(ds).splitlines()[0] == "Dataset(num_rows=?, schema={id: int64})"


def test_repr_of_rows_in_memory_shows_blocks_rows_and_schema():
    ds = penstock.data.from_items([{"a": 1, "b": "x"}])
    expected = "MaterializedDataset(num_blocks=1, num_rows=1, schema={a: int64, b: string})"
    assert repr(ds) == expected


def test_a_name_shows_in_the_repr(ds):
    ds.set_name("numbers")
    assert ds.name == "numbers"
    assert repr(ds).startswith("Dataset(name=numbers, ")


def test_explain_prints_plan_rules_and_stages(ds, capsys):
    ds.map(lambda row: row).limit(3).explain()
    out = capsys.readouterr().out
    assert "Map(<lambda>)" in out
    assert "push_limit" in out


def test_a_data_set_copies_its_context_when_it_is_made(context):
    ds = penstock.data.range(10)
    context.execution_options.preserve_order = False
    assert ds.context.execution_options.preserve_order is True
    assert penstock.data.range(10).context.execution_options.preserve_order is False


def test_derived_data_sets_carry_the_context_on(context):
    ds = penstock.data.range(10)
    ds.context.enable_progress_bars = False
    assert ds.limit(3).context.enable_progress_bars is False
    assert DataContext.get_current().enable_progress_bars is True
