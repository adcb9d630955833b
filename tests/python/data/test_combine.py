from __future__ import annotations

import numpy as np
import pytest

import penstock as ray
from penstock.data.expressions import col
from penstock.exceptions import MissingColumnError


def double(batch):
    return {"id": batch["id"] * 2}


class AddOne:
    def __call__(self, batch):
        return {"id": batch["id"] + 1}


def test_a_union_has_the_rows_of_each_data_set_in_turn():
    first = ray.data.range(3).map_batches(double)
    second = ray.data.range(2).map_batches(AddOne, concurrency=1)
    third = ray.data.from_items([{"id": 7}])
    ds = first.union(second, third)
    assert [row["id"] for row in ds.take_all()] == [0, 2, 4, 1, 2, 7]
    assert ds.count() == 6


def test_rows_of_a_union_go_through_what_follows():
    ds = ray.data.range(50).union(ray.data.range(50)).map_batches(double, batch_size=30)
    assert ds.filter(lambda row: row["id"] % 10 == 0).count() == 20


def test_a_limit_on_a_union_stops_reading(tmp_path):
    ds = ray.data.range(10**12).union(ray.data.range(10**12)).limit(3)
    assert ds.count() == 3
    assert [row["id"] for row in ds.take(5)] == [0, 1, 2]


def test_columns_of_a_union_are_matched_by_name():
    ds = ray.data.from_items([{"a": 1, "b": 2}]).union(ray.data.from_items([{"b": 0.5}]))
    assert ds.take_all() == [{"a": 1, "b": 2.0}, {"a": None, "b": 0.5}]
    assert ds.columns() == ["a", "b"]


UNION_OF_OTHERS = ray.data.from_items([{"a": 1}]).union(ray.data.from_items([{"a": 1.5, "b": 2}]))


@pytest.mark.parametrize(
    ("ds", "rows"),
    [
        (UNION_OF_OTHERS.select_columns(["b"]), [{"b": None}, {"b": 2}]),
        (UNION_OF_OTHERS.drop_columns(["b"]), [{"a": 1.0}, {"a": 1.5}]),
        (UNION_OF_OTHERS.rename_columns({"b": "c"}), [{"a": 1.0, "c": None}, {"a": 1.5, "c": 2}]),
        (UNION_OF_OTHERS.filter(expr=col("b").is_null()), [{"a": 1.0, "b": None}]),
        (
            UNION_OF_OTHERS.with_column("b", col("b").fill_null(0)),
            [{"a": 1.0, "b": 0}, {"a": 1.5, "b": 2}],
        ),
        (
            UNION_OF_OTHERS.with_column("a", col("a") / 2).select_columns(["a"]),
            [{"a": 0.5}, {"a": 0.75}],
        ),
    ],
)
def test_verbs_of_columns_see_all_columns_of_a_union_in_the_types_of_its_schema(ds, rows):
    assert ds.take_all() == rows
    assert ds.columns() == list(rows[0])


def test_aggregates_of_a_union_count_what_its_inputs_lack_as_null():
    assert UNION_OF_OTHERS.sum("b") == 2
    assert UNION_OF_OTHERS.min("a") == 1.0


def test_a_union_of_unions_has_the_columns_of_all():
    ds = UNION_OF_OTHERS.union(ray.data.from_items([{"c": 3}]).union(ray.data.range(1)))
    assert ds.filter(expr=col("c") == 3).take_all() == [{"a": None, "b": None, "c": 3, "id": None}]


def test_rows_of_functions_keep_the_columns_that_they_have():
    ds = ray.data.range(1).map_batches(double).union(ray.data.from_items([{"b": 2}]))
    with pytest.raises(MissingColumnError, match="b"):
        ds.select_columns(["b"]).take_all()


def test_a_union_may_be_written_and_joined_again(tmp_path):
    once = ray.data.range(10).union(ray.data.range(5))
    once.union(once).write_parquet(str(tmp_path))
    assert ray.data.read_parquet(str(tmp_path)).count() == 30


def test_a_union_with_nothing_is_the_data_set():
    assert ray.data.range(3).union().count() == 3


def test_a_zip_puts_columns_side_by_side():
    left = ray.data.range(1000)
    right = ray.data.range(1000, override_num_blocks=13).map_batches(AddOne, concurrency=1)
    ds = left.zip(right)
    for batch in ds.iter_batches(batch_size=100):
        assert np.array_equal(batch["id_1"], batch["id"] + 1)
    assert ds.count() == 1000
    assert ds.columns() == ["id", "id_1"]


def test_a_zip_of_unequal_data_sets_is_an_error_that_says_which_is_longer():
    with pytest.raises(ValueError, match="input 2 has more than 10 rows"):
        ray.data.range(10).zip(ray.data.range(11)).take_all()
    with pytest.raises(ValueError, match="input 1 has more than 3 rows"):
        ray.data.range(10).zip(ray.data.range(3)).count()


@pytest.mark.parametrize("verb", ["union", "zip"])
def test_only_data_sets_can_be_combined(verb):
    with pytest.raises(TypeError, match="takes data sets; got: list"):
        getattr(ray.data.range(1), verb)([1])


def test_the_files_of_all_inputs_are_named(tmp_path):
    for name in ("a", "b"):
        ray.data.range(1).write_parquet(str(tmp_path / name))
    a, b = (ray.data.read_parquet(str(tmp_path / name)) for name in ("a", "b"))
    files = a.union(b).input_files()
    assert [file.split("/")[-2] for file in files] == ["a", "b"]


def test_repr_and_explain_show_every_input(capsys):
    ds = ray.data.range(1).union(ray.data.from_items([1]))
    assert repr(ds).splitlines()[1:] == [
        "+- Union",
        "   +- Read(range)",
        "   +- Read(memory)",
    ]
    ds.explain()
    assert "Union, of stages 0, 1" in capsys.readouterr().out


def test_an_error_names_the_split_of_its_own_input():
    def refuse(row):
        raise ValueError("no")

    bad = ray.data.from_items([{"id": 1}]).map(refuse)
    with pytest.raises(ValueError, match="no"):
        ray.data.range(3).union(bad).take_all()


def test_a_union_survives_little_memory():
    with ray.init(memory=1 << 20, num_cpus=1):
        parts = [ray.data.range(20_000).map_batches(double, batch_size=500) for _ in range(4)]
        ds = parts[0].union(*parts[1:])
        assert sum(len(batch["id"]) for batch in ds.iter_batches(batch_size=None)) == 80_000
