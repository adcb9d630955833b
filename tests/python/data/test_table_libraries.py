"""Lance, Delta and Iceberg tables; each test runs where the library is installed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import penstock.data
from penstock.data import SaveMode, read_delta, read_iceberg, read_lance
from penstock.exceptions import SchemaMismatchError

ROWS = 1000


@pytest.fixture
def ds():
    numbers = penstock.data.range(ROWS, override_num_blocks=4)
    return numbers.map(lambda row: {"i": row["id"], "s": f"s{row['id'] % 3}"})


@pytest.fixture
def failing(ds):
    def fail(row):
        if row["i"] == 700:
            raise KeyError("seven hundred")
        return row

    return ds.map(fail)


@pytest.fixture
def tensors():
    rows = penstock.data.range(10, override_num_blocks=2)
    return rows.map(
        lambda row: {"v": np.full(3, row["id"], "f4"), "m": np.arange(6).reshape(2, 3) + row["id"]}
    )


@pytest.fixture
def ragged_tensors():
    return penstock.data.range(4, override_num_blocks=1).map(
        lambda row: {"m": np.full((2, row["id"] + 1), row["id"])}
    )


def numbers(ds):
    return [row["i"] for row in ds.take_all()]


class TestLance:
    @pytest.fixture(autouse=True)
    def _library(self):
        pytest.importorskip("lance")

    def test_what_is_written_reads_back_in_order(self, ds, tmp_path):
        ds.write_lance(tmp_path / "t", max_rows_per_file=100)
        assert numbers(read_lance(tmp_path / "t", override_num_blocks=3)) == list(range(ROWS))

    def test_versions_columns_and_filters_are_chosen(self, ds, tmp_path):
        ds.write_lance(tmp_path / "t")
        ds.write_lance(tmp_path / "t", mode="append")
        assert read_lance(tmp_path / "t").count() == 2 * ROWS
        assert read_lance(tmp_path / "t", version=1).count() == ROWS
        some = read_lance(tmp_path / "t", version=1, columns=["i"], filter="i > 997")
        assert some.take_all() == [{"i": 998}, {"i": 999}]

    def test_a_failed_job_leaves_the_data_set_as_it_was(self, ds, failing, tmp_path):
        ds.write_lance(tmp_path / "t")
        with pytest.raises(KeyError, match="seven hundred"):
            failing.write_lance(tmp_path / "t", mode="overwrite")
        assert numbers(read_lance(tmp_path / "t")) == list(range(ROWS))

    def test_what_the_library_refuses_is_raised(self, ds, tmp_path):
        ds.write_lance(tmp_path / "t")
        with pytest.raises(OSError, match="already exists"):
            ds.write_lance(tmp_path / "t")
        with pytest.raises(ValueError, match="knows the modes"):
            ds.write_lance(tmp_path / "t", mode="upsert")

    def test_a_data_set_that_is_there_is_left_alone_where_that_is_wished(self, ds, tmp_path):
        ds.limit(5).write_lance(tmp_path / "t", mode="ignore")
        unread = penstock.data.range(3).map(lambda row: pytest.fail("the job ran"))
        unread.write_lance(tmp_path / "t", mode=SaveMode.IGNORE)
        assert numbers(read_lance(tmp_path / "t")) == list(range(5))

    def test_rows_that_differ_in_their_columns_are_refused(self, ds, tmp_path):
        odd = ds.map(lambda row: row if row["i"] < 500 else {"other": 1})
        with pytest.raises(SchemaMismatchError, match=r"leave out the others; got: \['other'\]"):
            odd.write_lance(tmp_path / "t")

    def test_tensors_keep_their_shapes(self, tensors, ragged_tensors, tmp_path):
        tensors.write_lance(tmp_path / "t")
        assert read_lance(tmp_path / "t").take_all()[9]["m"].tolist() == [[9, 10, 11], [12, 13, 14]]
        ragged_tensors.write_lance(tmp_path / "r")
        rows = read_lance(tmp_path / "r").take_all()
        assert [row["m"].shape for row in rows] == [(2, 1), (2, 2), (2, 3), (2, 4)]
        assert read_lance(tmp_path / "r", filter="m IS NULL").take_all() == []


class TestDelta:
    @pytest.fixture(autouse=True)
    def _library(self):
        pytest.importorskip("deltalake")

    def test_a_plain_table_is_read_by_the_engine(self, ds, tmp_path, capsys):
        ds.write_delta(tmp_path / "t")
        back = read_delta(tmp_path / "t")
        assert sorted(numbers(back)) == list(range(ROWS))
        back.explain()
        assert "Read(parquet" in capsys.readouterr().out
        assert set(read_delta(tmp_path / "t", columns=["s"]).take(1)[0]) == {"s"}

    def test_a_partitioned_table_is_read_by_the_library(self, ds, tmp_path, capsys):
        ds.write_delta(tmp_path / "t", partition_by="s")
        back = read_delta(tmp_path / "t")
        rows = back.take_all()
        assert sorted(row["i"] for row in rows) == list(range(ROWS))
        assert all(row["s"] == f"s{row['i'] % 3}" for row in rows)
        back.explain()
        assert "Read(Delta)" in capsys.readouterr().out
        assert set(read_delta(tmp_path / "t", columns=["s"]).take(1)[0]) == {"s"}

    def test_versions_hold_what_was_there(self, ds, tmp_path):
        ds.write_delta(tmp_path / "t")
        ds.write_delta(tmp_path / "t")
        ds.limit(10).write_delta(tmp_path / "t", mode="overwrite")
        counts = [read_delta(tmp_path / "t", version).count() for version in (0, 1, 2, None)]
        assert counts == [ROWS, 2 * ROWS, 10, 10]

    def test_a_column_that_was_added_is_null_before(self, ds, tmp_path):
        ds.write_delta(tmp_path / "t")
        ds.limit(5).map(lambda row: {**row, "z": 1.5}).write_delta(tmp_path / "t")
        values = [row["z"] for row in read_delta(tmp_path / "t").take_all()]
        assert sorted(values, key=str) == [1.5] * 5 + [None] * ROWS

    def test_deleted_rows_stay_away(self, ds, tmp_path):
        import deltalake

        ds.write_delta(tmp_path / "t")
        deltalake.DeltaTable(str(tmp_path / "t")).delete("i < 100")
        assert sorted(numbers(read_delta(tmp_path / "t"))) == list(range(100, ROWS))

    def test_a_failed_job_leaves_the_table_as_it_was(self, ds, failing, tmp_path):
        ds.write_delta(tmp_path / "t")
        with pytest.raises(KeyError, match="seven hundred"):
            failing.write_delta(tmp_path / "t", mode="overwrite")
        assert sorted(numbers(read_delta(tmp_path / "t"))) == list(range(ROWS))

    def test_tensors_become_lists_of_their_shape(self, tensors, tmp_path):
        tensors.write_delta(tmp_path / "t")
        rows = sorted(read_delta(tmp_path / "t").take_all(), key=lambda row: row["v"])
        assert rows[9] == {"v": [9, 9, 9], "m": [[9, 10, 11], [12, 13, 14]]}
        assert len(rows) == 10

    def test_tensors_that_are_missing_are_missing_lists(self, tmp_path):
        kind = pa.fixed_shape_tensor(pa.int64(), [2, 1])
        storage = pa.array([[1, 2], None, [3, 4], [5, 6]], kind.storage_type)
        table = pa.table({"m": pa.ExtensionArray.from_storage(kind, storage)})
        penstock.data.from_arrow(table[1:3]).write_delta(tmp_path / "t")
        assert read_delta(tmp_path / "t").take_all() == [{"m": None}, {"m": [[3], [4]]}]

    def test_tensors_of_varying_shapes_are_refused_by_their_column(self, ragged_tensors, tmp_path):
        with pytest.raises(SchemaMismatchError, match=r"make lists of them.* got: column 'm'"):
            ragged_tensors.write_delta(tmp_path / "t")
        assert not (tmp_path / "t" / "_delta_log").exists()

    def test_mode_ignore_leaves_a_table_as_it_is_and_runs_nothing(self, ds, failing, tmp_path):
        ds.write_delta(tmp_path / "t", mode="ignore")
        failing.write_delta(tmp_path / "t", mode="ignore")
        assert read_delta(tmp_path / "t").count() == ROWS

    def test_a_table_may_lie_in_a_folder_of_any_name(self, ds, tmp_path, capsys):
        path = tmp_path / "a ü #?"
        ds.write_delta(path)
        back = read_delta(path)
        assert sorted(numbers(back)) == list(range(ROWS))
        back.explain()
        assert "Read(parquet" in capsys.readouterr().out

    @pytest.mark.parametrize("partition_by", [None, "s"])
    def test_rows_files_and_columns_are_chosen(self, ds, tmp_path, partition_by):
        ds.write_delta(tmp_path / "t", partition_by=partition_by)
        ds.limit(10).write_delta(tmp_path / "t")
        few = read_delta(tmp_path / "t", filter=penstock.data.col("i") > 997, columns=["i"])
        assert sorted(few.take_all(), key=str) == [{"i": 998}, {"i": 999}]
        files = {row["path"] for row in read_delta(tmp_path / "t", include_paths=True).take_all()}
        assert files == {str(path) for path in (tmp_path / "t").rglob("*.parquet")}
        seen = []

        def first_alone(paths):
            seen.extend(paths)
            return sorted(paths)[:1]

        one = read_delta(tmp_path / "t", partition_filter=first_alone, include_paths=True)
        assert {row["path"] for row in one.take_all()} == {min(files)}
        assert set(seen) == files
        with pytest.raises(ValueError, match="partition_filter left no file"):
            read_delta(tmp_path / "t", partition_filter=lambda paths: []).take_all()
        with pytest.raises(ValueError, match="no file to read"):
            read_delta(tmp_path / "t", file_extensions=["csv"]).take_all()

    @pytest.mark.parametrize("partition_by", [None, "s"])
    def test_files_come_in_an_order_drawn_from_a_seed(self, ds, tmp_path, partition_by):
        for _ in range(8):
            ds.limit(9).write_delta(tmp_path / "t", partition_by=partition_by)

        def order(seed):
            shuffle = penstock.data.FileShuffleConfig(seed)
            ds = read_delta(tmp_path / "t", shuffle=shuffle, include_paths=True)
            return [row["path"] for row in ds.take_all()]

        assert order(1) == order(1) != order(2)
        assert sorted(order(1)) == sorted(order(2))

    @pytest.mark.parametrize("partition_by", [None, "s"])
    def test_a_file_system_holds_the_tables_files(self, ds, tmp_path, partition_by):
        import pyarrow.fs as pafs

        ds.write_delta(tmp_path / "t", partition_by=partition_by)
        back = read_delta(tmp_path / "t", filesystem=pafs.LocalFileSystem())
        assert sorted(numbers(back)) == list(range(ROWS))

    def test_a_schema_is_what_the_rows_are_brought_to(self, ds, tmp_path):
        ds.write_delta(tmp_path / "t")
        wanted = pa.schema([("i", pa.float64())])
        assert read_delta(tmp_path / "t", schema=wanted).schema().types == [pa.float64()]
        ds.write_delta(tmp_path / "p", partition_by="s")
        with pytest.raises(NotImplementedError, match="schema"):
            read_delta(tmp_path / "p", schema=wanted)

    @pytest.mark.parametrize("partition_by", [None, "s"])
    def test_what_reads_is_bounded_and_what_makes_no_sense_refused(
        self, ds, tmp_path, partition_by
    ):
        ds.write_delta(tmp_path / "t", partition_by=partition_by)
        some = read_delta(tmp_path / "t", concurrency=1, num_cpus=1, memory=1e6)
        assert some.count() == ROWS
        for option in (
            {"partitioning": penstock.data.Partitioning("dir", field_names=["x"])},
            {"catalog": object()},
            {"label_selector": {"a": "b"}},
        ):
            with pytest.raises(NotImplementedError, match=next(iter(option))):
                read_delta(tmp_path / "t", **option)


class TestIceberg:
    @pytest.fixture
    def catalog_kwargs(self, tmp_path):
        catalog = pytest.importorskip("pyiceberg.catalog")
        pytest.importorskip("sqlalchemy")
        options = {
            "name": "here",
            "type": "sql",
            "uri": f"sqlite:///{tmp_path}/catalog.db",
            "warehouse": f"file://{tmp_path}/warehouse",
        }
        loaded = catalog.load_catalog(**options)
        loaded.create_namespace("n")
        loaded.create_table("n.t", schema=pa.schema([("i", pa.int64()), ("s", pa.string())]))
        loaded.close()
        return options

    def test_what_is_written_reads_back(self, ds, catalog_kwargs):
        ds.write_iceberg("n.t", catalog_kwargs)
        back = read_iceberg(table_identifier="n.t", catalog_kwargs=catalog_kwargs)
        assert sorted(numbers(back)) == list(range(ROWS))

    def test_rows_columns_and_snapshots_are_chosen(self, ds, catalog_kwargs):
        ds.write_iceberg("n.t", catalog_kwargs)
        ds.limit(10).write_iceberg("n.t", catalog_kwargs, mode="overwrite")
        assert read_iceberg(table_identifier="n.t", catalog_kwargs=catalog_kwargs).count() == 10
        few = read_iceberg(
            table_identifier="n.t",
            catalog_kwargs=catalog_kwargs,
            row_filter="i < 2",
            selected_fields=("i",),
        )
        assert few.take_all() == [{"i": 0}, {"i": 1}]

    def test_a_failed_job_leaves_the_table_as_it_was(self, ds, failing, catalog_kwargs):
        ds.write_iceberg("n.t", catalog_kwargs)
        with pytest.raises(KeyError, match="seven hundred"):
            failing.write_iceberg("n.t", catalog_kwargs)
        back = read_iceberg(table_identifier="n.t", catalog_kwargs=catalog_kwargs)
        assert back.count() == ROWS

    def test_a_limit_of_a_scan_is_refused_instead_of_ignored(self, catalog_kwargs):
        with pytest.raises(ValueError, match=r"use limit\(\) of the data set instead.*limit=3"):
            read_iceberg(
                table_identifier="n.t", catalog_kwargs=catalog_kwargs, scan_kwargs={"limit": 3}
            )

    def test_a_table_with_rows_is_left_alone_or_refused(self, ds, catalog_kwargs):
        ds.limit(5).write_iceberg("n.t", catalog_kwargs, mode="error")
        unread = penstock.data.range(3).map(lambda row: pytest.fail("the job ran"))
        unread.write_iceberg("n.t", catalog_kwargs, mode="ignore")
        for mode in ("error", SaveMode.CREATE):
            with pytest.raises(FileExistsError, match=r"n\.t"):
                unread.write_iceberg("n.t", catalog_kwargs, mode=mode)
        back = read_iceberg(table_identifier="n.t", catalog_kwargs=catalog_kwargs)
        assert numbers(back) == list(range(5))
        with pytest.raises(ValueError, match="knows the modes"):
            ds.write_iceberg("n.t", catalog_kwargs, mode="later")

    def test_rows_are_replaced_by_their_keys_or_added(self, ds, catalog_kwargs):
        ds.limit(5).write_iceberg("n.t", catalog_kwargs)
        changed = ds.map(lambda row: {"i": row["i"], "s": "new"}).filter(expr="i >= 3").limit(4)
        keys = {"join_cols": ["i"]}
        changed.write_iceberg("n.t", catalog_kwargs, mode="upsert", upsert_kwargs=keys)
        back = read_iceberg(table_identifier="n.t", catalog_kwargs=catalog_kwargs)
        told = {row["i"]: row["s"] for row in back.take_all()}
        assert back.count() == 7
        assert told == {0: "s0", 1: "s1", 2: "s2", 3: "new", 4: "new", 5: "new", 6: "new"}
        ds.limit(0).write_iceberg("n.t", catalog_kwargs, mode="upsert", upsert_kwargs=keys)
        with pytest.raises(ValueError, match="Duplicate rows"):
            changed.union(changed).write_iceberg(
                "n.t", catalog_kwargs, mode=SaveMode.UPSERT, upsert_kwargs=keys
            )

    def test_arguments_of_another_mode_are_refused(self, ds, catalog_kwargs):
        for option, mode in (
            ({"upsert_kwargs": {"join_cols": ["i"]}}, "append"),
            ({"overwrite_filter": "i < 3"}, "append"),
            ({"overwrite_kwargs": {"case_sensitive": False}}, "upsert"),
        ):
            with pytest.raises(ValueError, match=f"{next(iter(option))}.* mode"):
                ds.write_iceberg("n.t", catalog_kwargs, mode=mode, **option)

    def test_what_workers_take_is_said_as_for_other_readers(self, ds, catalog_kwargs):
        ds.write_iceberg("n.t", catalog_kwargs)
        options = {"concurrency": 1, "num_cpus": 1, "memory": 1e6, "max_calls": 1}
        back = read_iceberg(table_identifier="n.t", catalog_kwargs=catalog_kwargs, **options)
        assert back.count() == ROWS
