from __future__ import annotations

import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import penstock.data
from penstock.data import Datasource, ReadTask, read_datasource
from penstock.data.block import BlockMetadata
from penstock.data.python_sources.files import FileBasedDatasource
from penstock.data.reading.file_shuffle import FileShuffleConfig
from penstock.exceptions import RayTaskError


class Listed(Datasource):
    """Each read function is one task."""

    def __init__(self, *functions, limit=None, schema=None):
        self.functions = functions
        self.limit = limit
        self.schema = schema

    def get_read_tasks(self, parallelism):
        return [
            ReadTask(function, BlockMetadata(), self.schema, self.limit)
            for function in self.functions
        ]


class NumbersDatasource(Datasource):
    def __init__(self, rows):
        self.rows = rows

    def get_read_tasks(self, parallelism, per_task_row_limit=None, data_context=None):
        def task(place):
            return ReadTask(lambda: [pa.table({"n": list(range(place, self.rows, parallelism))})])

        return [task(place) for place in range(parallelism)]


def table(*values):
    return pa.table({"n": list(values)})


def values(ds):
    return [row["n"] for row in ds.take_all()]


def test_tasks_keep_their_order_and_yield_any_number_of_blocks():
    def task(start):
        def read():
            for step in range(3):
                yield table(start + step)

        return read

    assert values(read_datasource(Listed(task(0), task(10), task(20), task(30)))) == [
        start + step for start in (0, 10, 20, 30) for step in range(3)
    ]


@pytest.mark.parametrize(
    "block",
    [
        table(1, 2),
        table(1, 2).to_batches()[0],
        pd.DataFrame({"n": [1, 2]}),
        {"n": np.array([1, 2])},
        {"n": [1, 2]},
    ],
)
def test_a_block_may_be_a_table_a_batch_a_frame_or_columns(block):
    assert values(read_datasource(Listed(lambda: [block]))) == [1, 2]


def test_the_number_of_tasks_asked_for_reaches_the_source():
    ds = read_datasource(NumbersDatasource(10), override_num_blocks=5)
    assert values(ds) == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]
    assert values(read_datasource(NumbersDatasource(4), parallelism=2)) == [0, 2, 1, 3]


def test_without_a_wish_the_size_says_how_many_tasks():
    asked = []

    class Sized(Datasource):
        def __init__(self, size):
            self.size = size

        def estimate_inmemory_data_size(self):
            return self.size

        def get_read_tasks(self, parallelism):
            asked.append(parallelism)
            return []

    read_datasource(Sized(None))
    read_datasource(Sized(50 << 20))
    read_datasource(Sized(100 << 30))
    assert asked[0] >= 200
    assert asked[1] >= 50
    assert asked[2] == 800


def test_the_plan_and_the_statistics_show_the_source_by_its_name(capsys):
    ds = read_datasource(NumbersDatasource(3), override_num_blocks=1)
    ds.explain()
    assert "\n  Read(Numbers)\n" in capsys.readouterr().out
    ds.count()
    assert "\nRead(Numbers) " in ds.stats()


def test_a_source_may_have_no_tasks_and_a_task_no_blocks():
    assert read_datasource(Listed()).take_all() == []
    assert values(read_datasource(Listed(list, lambda: [table(1)], list))) == [1]


def test_a_huge_block_is_handed_on_in_slices(context):
    context.target_max_block_size = 1 << 20
    rows = 1_000_000

    for block in (
        pa.table({"n": np.arange(rows)}),
        pd.DataFrame({"n": np.arange(rows)}),
        {"n": np.arange(rows)},
    ):
        ds = read_datasource(Listed(lambda block=block: [block]))
        sizes = [len(batch["n"]) for batch in ds.iter_batches(batch_size=None)]
        assert sum(sizes) == rows
        assert max(sizes) * 8 <= 1 << 20


def test_a_task_yields_no_more_rows_than_its_limit():
    source = Listed(lambda: [table(1, 2), table(3, 4), table(5)], limit=3)
    assert values(read_datasource(source)) == [1, 2, 3]


def test_what_a_read_function_raises_is_shown_with_its_task_and_source():
    def fail():
        yield table(1)
        raise KeyError("no such thing")

    with pytest.raises(KeyError) as caught:
        read_datasource(Listed(lambda: [table(0)], fail)).take_all()
    text = str(caught.value)
    assert text.startswith("Traceback")
    assert "in fail" in text
    assert "read task 1 of 2 of the datasource Listed" in text


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, "must return or yield blocks; got: NoneType"),
        (3, "must return or yield blocks; got: int: 3"),
        ("text", "must return or yield blocks; got: str"),
        (table(1), r"return \[block\] instead of block; got: Table"),
        ([5], "yielded what is no block; wanted: a pyarrow Table .* got: int: 5"),
        ([{"n": "text"}], "in read task 0 of 1 returned a column that has no rows"),
        ([{"n": object()}], "in read task 0 of 1 returned a column that has no rows"),
    ],
)
def test_wrong_results_are_refused_with_the_task(result, words):
    with pytest.raises(ValueError, match=words) as caught:
        read_datasource(Listed(lambda: result)).take_all()
    assert isinstance(caught.value, RayTaskError)


def test_two_columns_of_one_name_are_refused():
    block = pa.table([[1], [2]], names=["n", "n"])
    with pytest.raises(ValueError, match="two columns of one name"):
        read_datasource(Listed(lambda: [block])).take_all()


def test_what_cannot_be_pickled_is_named():
    connection = sqlite3.connect(":memory:")
    with pytest.raises(TypeError, match=r"the variable connection of .*sqlite3.Connection"):
        read_datasource(Listed(lambda: connection.execute("SELECT 1")))
    connection.close()


def test_a_source_that_is_not_distributed_is_read_by_one_worker(capsys):
    class Alone(NumbersDatasource):
        @property
        def supports_distributed_reads(self):
            return False

    read_datasource(Alone(10), override_num_blocks=4).explain()
    assert "1 worker," in capsys.readouterr().out


def test_a_limit_stops_reading_early(tmp_path):
    def task(place):
        def read():
            (tmp_path / str(place)).touch()
            yield table(place)

        return read

    ds = read_datasource(Listed(*(task(place) for place in range(200))), concurrency=1)
    assert ds.take(1) == [{"n": 0}]
    assert len(list(tmp_path.iterdir())) < 200


def test_blocks_flow_while_their_task_still_reads():
    def endless():
        number = 0
        while True:
            yield table(number)
            number += 1

    assert values(read_datasource(Listed(endless)).limit(3)) == [0, 1, 2]


def test_only_sources_are_taken_and_unknown_options_refused():
    with pytest.raises(TypeError, match="needs a Datasource; got: 3"):
        read_datasource(3)
    with pytest.raises(TypeError, match="unexpected keyword arguments: paths"):
        read_datasource(Listed(), paths="x")
    with pytest.raises(NotImplementedError, match="label_selector"):
        read_datasource(Listed(), label_selector={"a": "b"})
    with pytest.raises(TypeError, match="must return ReadTasks; got: 3"):
        read_datasource(type("Odd", (Datasource,), {"get_read_tasks": lambda self, n: [3]})())
    with pytest.raises(TypeError, match="needs a function without arguments"):
        ReadTask(3)


def test_the_schema_comes_from_running():
    ds = read_datasource(Listed(lambda: [table(1)]))
    assert ds.schema(fetch_if_missing=False) is None
    assert ds.schema().names == ["n"]


class Lines(FileBasedDatasource):
    _FILE_EXTENSIONS = ("lines",)

    def _read_stream(self, f, path):
        for line in f.read().decode().splitlines():
            yield {"n": [int(line)]}


def test_files_are_read_by_a_source_of_ones_own(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.lines").write_text(f"{number}\n{number + 10}\n")
    (tmp_path / "other.txt").write_text("no number")
    assert values(read_datasource(Lines(tmp_path), override_num_blocks=2)) == [
        *(0, 10, 1, 11),
        *(2, 12, 3, 13),
    ]
    rows = read_datasource(Lines(tmp_path / "2.lines", include_paths=True)).take_all()
    assert rows[0] == {"n": 2, "path": str(tmp_path / "2.lines")}


def test_files_are_shuffled_by_a_seed(tmp_path):
    for number in range(20):
        (tmp_path / f"{number:02}.lines").write_text(str(number))

    def order(shuffle):
        return values(read_datasource(Lines(tmp_path, shuffle=shuffle)))

    assert order(FileShuffleConfig(3)) == order(FileShuffleConfig(3)) != order(None)
    assert sorted(order("files")) == order(None)
    with pytest.raises(ValueError, match="shuffle must be"):
        Lines(tmp_path, shuffle="rows")


def test_what_a_file_source_raises_is_shown_with_the_file(tmp_path):
    (tmp_path / "bad.lines").write_text("no number")
    with pytest.raises(ValueError, match=r"invalid literal[^$]*bad\.lines"):
        read_datasource(Lines(tmp_path)).take_all()


def test_names_that_are_missing_say_what_to_use_instead():
    with pytest.raises(AttributeError, match=r"read_mongo.*Datasource of your own"):
        penstock.data.read_mongo  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$"):
        penstock.data.nonsense  # noqa: B018


def environment():
    import os

    return [pa.table({"n": [os.environ.get("READS", "")]})]


def test_what_workers_take_is_said_by_name_or_among_the_remote_arguments():
    said = {"runtime_env": {"env_vars": {"READS": "yes"}}}
    assert values(read_datasource(Listed(environment), **said)) == ["yes"]
    assert values(read_datasource(Listed(environment), ray_remote_args=said)) == ["yes"]
    for options in (
        {"num_cpus": 10_000},
        {"memory": 1 << 60},
        {"resources": {"telescope": 1}},
        {"ray_remote_args": {"num_cpus": 10_000}},
        {"ray_remote_args": {"num_cpus": 1}, "num_cpus": 10_000},
    ):
        with pytest.raises(ValueError, match=r"10000|memory|telescope"):
            read_datasource(Listed(environment), **options).take_all()
