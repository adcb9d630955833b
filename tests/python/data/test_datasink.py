from __future__ import annotations

import json
import threading

import pytest

import penstock.data
from penstock.data import BlockBasedFileDatasink, Datasink, FilenameProvider, RowBasedFileDatasink


class Recording(Datasink):
    """Returns what it saw; remembers, in the driver, what it was told."""

    def __init__(self, rows=None, fails_at=None):
        self.rows = rows
        self.fails_at = fails_at
        self.told = []

    @property
    def min_rows_per_write(self):
        return self.rows

    def on_write_start(self, schema=None):
        self.told.append(("start", None if schema is None else schema.names))
        self.prepared = True

    def write(self, blocks, ctx):
        if ctx.task_idx == self.fails_at:
            raise OSError("no room")
        ids = [value for block in blocks for value in block.column("id").to_pylist()]
        return ctx.task_idx, ids[0], len(ids), self.prepared

    def on_write_complete(self, write_result):
        self.told.append(("complete", write_result))

    def on_write_failed(self, error):
        self.told.append(("failed", error))


@pytest.fixture
def ds():
    return penstock.data.range(100, override_num_blocks=4)


def test_a_sink_is_told_the_results_in_the_order_of_the_tasks(ds):
    sink = Recording(rows=30)
    ds.write_datasink(sink)
    (start, schema), (complete, result) = sink.told
    assert (start, schema, complete) == ("start", ["id"], "complete")
    assert result.write_returns == [
        (0, 0, 30, True),
        (1, 30, 30, True),
        (2, 60, 30, True),
        (3, 90, 10, True),
    ]
    assert result.num_rows == 100
    assert result.size_bytes == 800


def test_results_are_in_order_even_where_rows_are_not(ds, context):
    context.execution_options.preserve_order = False
    sink = Recording(rows=5)
    penstock.data.range(100).write_datasink(sink)
    assert [returned[0] for returned in sink.told[-1][1].write_returns] == list(range(20))


def test_whole_blocks_are_written_where_the_sink_does_not_mind(ds):
    sink = Recording()
    ds.write_datasink(sink)
    assert sum(returned[2] for returned in sink.told[-1][1].write_returns) == 100


def test_a_failed_write_is_told_once_and_raised(ds):
    sink = Recording(rows=10, fails_at=3)
    with pytest.raises(OSError, match="no room"):
        ds.write_datasink(sink)
    assert [word for word, _ in sink.told] == ["start", "failed"]
    assert isinstance(sink.told[-1][1], OSError)


def test_a_failure_before_the_sink_is_told_too(ds):
    sink = Recording()
    with pytest.raises(ZeroDivisionError):
        ds.map(lambda row: {"id": 1 // 0}).write_datasink(sink)
    assert [word for word, _ in sink.told] == ["start", "failed"]


def test_a_failure_at_the_start_or_the_end_is_told_too(ds):
    class Refuses(Recording):
        def on_write_start(self, schema=None):
            raise PermissionError("not here")

    sink = Refuses()
    with pytest.raises(PermissionError):
        ds.write_datasink(sink)
    assert [word for word, _ in sink.told] == ["failed"]

    class CannotCommit(Recording):
        def on_write_complete(self, write_result):
            raise TimeoutError("too late")

    sink = CannotCommit()
    with pytest.raises(TimeoutError):
        ds.write_datasink(sink)
    assert [word for word, _ in sink.told] == ["start", "failed"]


def test_the_first_error_is_raised_when_cleaning_up_fails_too(ds):
    class Clumsy(Recording):
        def on_write_failed(self, error):
            raise RuntimeError("and this")

    with pytest.raises(OSError, match="no room") as caught:
        ds.write_datasink(Clumsy(rows=10, fails_at=0))
    assert "and this" in caught.value.__notes__[0]


def test_a_sink_may_take_no_schema_and_return_nothing(ds):
    class Old(Datasink):
        def on_write_start(self):
            self.started = True

        def write(self, blocks, ctx):
            assert self.started

    ds.write_datasink(Old())


def test_a_result_that_cannot_be_pickled_is_refused(ds):
    class Odd(Datasink):
        def write(self, blocks, ctx):
            return threading.Lock()

    with pytest.raises(ValueError, match=r"cannot be sent to the driver.*got: lock"):
        ds.write_datasink(Odd())


def test_nothing_is_written_of_no_rows(ds):
    sink = Recording()
    ds.limit(0).write_datasink(sink)
    assert sink.told[-1][1].write_returns == []


def test_only_sinks_are_taken(ds):
    with pytest.raises(TypeError, match="needs a Datasink; got: 3"):
        ds.write_datasink(3)


def test_the_statistics_show_the_sink(ds):
    ds.write_datasink(Recording())
    assert "Write(Recording)" in ds.stats()


class JsonRows(RowBasedFileDatasink):
    def write_row_to_file(self, row, file):
        file.write(json.dumps(row).encode())


class JsonBlocks(BlockBasedFileDatasink):
    def write_block_to_file(self, block, file):
        file.write(json.dumps(block.to_arrow().to_pylist()).encode())


class FailsAtFive(JsonRows):
    def write_row_to_file(self, row, file):
        if row["id"] == 5:
            raise KeyError("five")
        super().write_row_to_file(row, file)


class ById(FilenameProvider):
    def get_filename_for_row(self, row, write_uuid, task_index, block_index, row_index):
        return f"{row['id'] // 2}/{row['id']}.json"


def contents(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.iterdir())]


def test_a_file_a_row_in_the_order_of_the_rows(ds, tmp_path):
    ds.limit(7).write_datasink(JsonRows(tmp_path / "out", file_format="json"))
    assert contents(tmp_path / "out") == [{"id": number} for number in range(7)]
    assert all(path.suffix == ".json" for path in (tmp_path / "out").iterdir())


def test_a_file_a_block_with_the_rows_asked_for(ds, tmp_path):
    ds.write_datasink(JsonBlocks(f"file://{tmp_path}", min_rows_per_file=40))
    assert [len(rows) for rows in contents(tmp_path)] == [40, 40, 20]


def test_a_provider_names_the_files(ds, tmp_path):
    ds.limit(4).write_datasink(JsonRows(tmp_path, filename_provider=ById()))
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json"))
    assert names == ["0/0.json", "0/1.json", "1/2.json", "1/3.json"]


def test_names_that_are_not_unique_are_refused(ds, tmp_path):
    class Same(FilenameProvider):
        def get_filename_for_row(self, *_):
            return "same"

    with pytest.raises(ValueError, match="twice: 'same'"):
        ds.limit(4).write_datasink(JsonRows(tmp_path, filename_provider=Same()))
    assert not list(tmp_path.iterdir())


def test_a_failed_job_leaves_no_file_and_no_folder(ds, tmp_path):
    with pytest.raises(KeyError):
        ds.write_datasink(FailsAtFive(tmp_path / "new"))
    assert not list(tmp_path.iterdir())
    ds.limit(3).write_datasink(JsonRows(tmp_path / "out"))
    with pytest.raises(KeyError):
        ds.write_datasink(FailsAtFive(tmp_path / "out", mode="overwrite"))
    assert len(contents(tmp_path / "out")) == 3


def test_modes_say_what_happens_to_files_that_are_there(ds, tmp_path):
    three = ds.limit(3)
    three.write_datasink(JsonRows(tmp_path))
    three.write_datasink(JsonRows(tmp_path))
    assert len(contents(tmp_path)) == 6
    ds.limit(1).write_datasink(JsonRows(tmp_path, mode="ignore"))
    assert len(contents(tmp_path)) == 6
    with pytest.raises(FileExistsError, match="holds files already"):
        three.write_datasink(JsonRows(tmp_path, mode=penstock.data.SaveMode.ERROR))
    assert len(contents(tmp_path)) == 6
    ds.limit(2).write_datasink(JsonRows(tmp_path, mode="overwrite"))
    assert len(contents(tmp_path)) == 2
    with pytest.raises(ValueError, match="mode must be a SaveMode"):
        JsonRows(tmp_path, mode="sometimes")
