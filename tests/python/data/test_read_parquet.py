"""What read_parquet takes of its own: filters of pyarrow's, folders, schemas, pieces, hashes."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import penstock
from penstock.data import col, read_parquet
from penstock.data.reading.partitioning import Partitioning
from penstock.exceptions import CorruptDataError

YEARS = Partitioning("hive", field_types={"year": int})


@pytest.fixture
def years(tmp_path):
    """Three years in folders, of which only 2024 can be opened."""
    for year in (2023, 2024, 2025):
        (tmp_path / f"year={year}").mkdir()
    pq.write_table(
        pa.table({"n": range(10)}), tmp_path / "year=2024" / "a.parquet", row_group_size=5
    )
    (tmp_path / "year=2023" / "a.parquet").write_bytes(b"no Parquet")
    (tmp_path / "year=2025" / "a.parquet").write_bytes(b"no Parquet")
    return tmp_path


@pytest.mark.parametrize(
    "expression",
    [
        col("year") == 2024,
        (col("year") > 2023) & (col("year") < 2025) & (col("n") >= 0),
        col("year").is_in([2024, 2000]),
        pc.field("year") == 2024,
        "year == 2024",
    ],
)
def test_a_filter_on_a_partition_opens_the_folders_alone_that_it_may_keep(years, expression):
    ds = read_parquet(years, partitioning=YEARS, filter=expression)
    assert ds.take_all() == [{"n": n, "year": 2024} for n in range(10)]
    with pytest.raises(CorruptDataError):
        read_parquet(years, partitioning=YEARS).take_all()


def test_a_filter_on_a_partition_may_come_after_other_verbs(years):
    ds = read_parquet(years, partitioning=YEARS).rename_columns({"year": "y"})
    assert ds.filter(expr=col("y") == 2024).select_columns(["n"]).count() == 10


def test_a_partition_of_text_is_compared_as_text(years):
    assert read_parquet(years, filter=col("year") == "2024").count() == 10


def test_a_filter_that_no_folder_passes_leaves_the_columns(years):
    whole = years / "year=2024"
    ds = read_parquet(whole, partitioning=YEARS, filter=col("year") == 1)
    assert ds.take_all() == []
    assert ds.schema().names == ["n", "year"]


def test_a_partition_and_a_column_prune_row_groups_together(tmp_path):
    (tmp_path / "year=2024").mkdir()
    path = tmp_path / "year=2024" / "a.parquet"
    pq.write_table(pa.table({"n": range(10)}), path, row_group_size=5)
    with path.open("r+b") as file:  # The first row group can be skipped, but not read.
        file.seek(4)
        file.write(b"\xff" * 30)
    ds = read_parquet(tmp_path, partitioning=YEARS)
    with pytest.raises(CorruptDataError, match="row group 0"):
        ds.take_all()
    both = ds.filter(expr=(col("year") == 2024) & (col("n") >= 7))
    either = ds.filter(expr=(col("year") == 2023) | (col("n") >= 7))
    for filtered in (both, either):
        assert [row["n"] for row in filtered.take_all()] == [7, 8, 9]


def test_a_file_that_has_the_partition_as_a_column_is_judged_by_its_rows(tmp_path):
    for year in (2023, 2024):
        (tmp_path / f"year={year}").mkdir()
        table = pa.table({"year": [2024, 1]})
        pq.write_table(table, tmp_path / f"year={year}" / "a.parquet")
    ds = read_parquet(tmp_path, partitioning=YEARS, filter=col("year") == 2024)
    assert ds.take_all() == [{"year": 2024}, {"year": 2024}]


def test_a_column_of_pruned_files_alone_is_null_in_the_others(tmp_path):
    for year, table in ((2023, {"a": [1], "b": [2]}), (2024, {"a": [3]})):
        (tmp_path / f"year={year}").mkdir()
        pq.write_table(pa.table(table), tmp_path / f"year={year}" / "a.parquet")
    ds = read_parquet(tmp_path, partitioning=YEARS, filter=col("year") == 2024)
    assert ds.select_columns(["b"]).take_all() == [{"b": None}]
    with pytest.raises(KeyError, match="nothing"):
        ds.select_columns(["nothing"]).take_all()


MOMENT = dt.datetime(2020, 5, 17, 1, 2, 3)  # noqa: DTZ001 - without a zone
EVERY_TYPE = pa.table(
    {
        "i": pa.array([1, 2, None], pa.int32()),
        "u": pa.array([1, 2, None], pa.uint64()),
        "x": pa.array([1.5, float("nan"), None]),
        "h": pa.array(np.array([1.5, 2, 3], np.float16)),
        "s": ["a", "Ab", None],
        "b": [True, False, None],
        "y": [b"\xff", b"", None],
        "d": [dt.date(2020, 1, 1), dt.date(2021, 1, 1), None],
        "t": pa.array([MOMENT, MOMENT.replace(year=2021), None], pa.timestamp("ms")),
        "z": pa.array([MOMENT, MOMENT.replace(year=2021), None], pa.timestamp("us", "Europe/Rome")),
        "c": [decimal.Decimal("1.50"), decimal.Decimal("2.50"), None],
        "o": pa.array([dt.time(1), dt.time(2), None], pa.time32("s")),
        "l": [dt.timedelta(seconds=1), dt.timedelta(seconds=2), None],
        "r": [{"f": 1}, {"f": 2}, None],
    }
)
ARROW_FILTERS = [
    pc.field("i") > 1,
    ~(pc.field("i") > 1) | pc.field("i").is_null(),
    pc.field("i").isin([2, 7, None]),
    pc.field("s").isin(["a"]),
    pc.field("x").is_nan(),
    pc.field("x").is_null(nan_is_null=True),
    pc.field("x").is_valid(),
    pc.field("i").cast("string") == "2",
    pc.field("i") * 2 + 1 == 5,
    pc.starts_with(pc.field("s"), "a"),
    pc.match_substring(pc.field("s"), "a", ignore_case=True),
    pc.field("b"),
    pc.field("r", "f") == 2,
    pc.if_else(pc.field("b"), pc.field("i"), 0) == 1,
    pc.coalesce(pc.field("i"), 9) == 9,
    pc.year(pc.field("t")) == 2021,
    pc.scalar(value=True),
]


@pytest.mark.parametrize("expression", ARROW_FILTERS, ids=str)
def test_a_filter_of_pyarrow_keeps_what_pyarrow_keeps(tmp_path, expression):
    pq.write_table(EVERY_TYPE, tmp_path / "a.parquet", row_group_size=1)
    expected = pq.read_table(tmp_path / "a.parquet").filter(expression)
    ds = read_parquet(tmp_path, filter=expression)
    assert repr(ds.take_all()) == repr(penstock.data.from_arrow(expected).take_all())
    assert penstock.data.from_arrow(EVERY_TYPE).filter(expr=expression).count() == len(expected)


@pytest.mark.parametrize("name", [n for n in EVERY_TYPE.column_names if n not in "hr"])
def test_constants_of_every_type_come_over_from_pyarrow(tmp_path, name):
    pq.write_table(EVERY_TYPE, tmp_path / "a.parquet", row_group_size=1)
    kept = pc.field(name) == EVERY_TYPE[name][0]
    rows = read_parquet(tmp_path, filter=kept, columns=["i"]).take_all()
    assert rows == [{"i": 1}]


def test_what_a_filter_of_pyarrow_cannot_say_here_is_named():
    ds = penstock.data.range(3)
    with pytest.raises(NotImplementedError, match="utf8_slice_codeunits"):
        ds.filter(expr=pc.utf8_slice_codeunits(pc.field("s"), 1, 2) == "a")
    with pytest.raises(NotImplementedError):
        ds.filter(expr=pc.field(0) == 1)
    with pytest.raises(TypeError, match="expr"):
        ds.filter(expr=3)


def test_a_schema_says_the_columns_and_their_types(tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": [3.0]}), tmp_path / "b.parquet")
    schema = pa.schema([("b", pa.string()), ("a", pa.int16()), ("c", pa.float32())])
    ds = read_parquet(tmp_path, schema=schema)
    assert [row["a"] for row in ds.take_all()] == [1, 2, 3]
    assert ds.take_all()[2] == {"b": None, "a": 3, "c": None}
    assert ds.schema().names == ["b", "a", "c"]
    assert ds.schema().types == schema.types
    assert ds.filter(expr=col("a") > 2).take_all() == [{"b": None, "a": 3, "c": None}]


def test_values_that_do_not_fit_the_schema_are_told(tmp_path):
    pq.write_table(pa.table({"a": [1000]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet.*'a'.*int8"):
        read_parquet(tmp_path, schema=pa.schema([("a", pa.int8())])).take_all()
    with pytest.raises(TypeError, match="schema"):
        read_parquet(tmp_path, schema={"a": int})


def test_rows_are_filtered_as_the_schema_has_them(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array([5, 10])}), path, row_group_size=1)
    ds = read_parquet(path, schema=pa.schema([("a", pa.string())]), filter=col("a") > "4")
    assert ds.take_all() == [{"a": "5"}]


def test_a_partition_of_the_schema_gets_its_type(years):
    schema = pa.schema([("n", pa.int64()), ("year", pa.int32())])
    ds = read_parquet(years, schema=schema, filter=col("year") == 2024)
    assert ds.take(1) == [{"n": 0, "year": 2024}]


def test_bytes_become_tensors(tmp_path):
    images = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    data = pa.array([image.tobytes() for image in images] + [None], pa.binary())
    pq.write_table(pa.table({"image": data, "n": [1, 2, 3]}), tmp_path / "a.parquet")
    ds = read_parquet(tmp_path, tensor_column_schema={"image": (np.int16, (3, 4))})
    batch = ds.limit(2).take_batch()
    assert batch["image"].dtype == np.int16
    np.testing.assert_array_equal(batch["image"], images)
    assert ds.take_all()[2]["image"] is None
    assert ds.select_columns(["n"]).take(1) == [{"n": 1}]


def test_bytes_that_are_no_such_tensor_are_told(tmp_path):
    pq.write_table(pa.table({"image": [b"123"], "n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="'image', row 0"):
        read_parquet(tmp_path, tensor_column_schema={"image": (np.uint8, (2,))}).take_all()
    with pytest.raises(ValueError, match="'n'"):
        read_parquet(tmp_path, tensor_column_schema={"n": (np.uint8, (2,))}).take_all()


def test_row_hashes_follow_from_file_and_row_alone(tmp_path):
    for name in ("a", "b"):
        table = pa.table({"n": range(100), "row_hash": ["old"] * 100})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=7)
    ds = read_parquet(tmp_path, include_row_hash=True)
    hashes = [row["row_hash"] for row in ds.take_all()]
    assert len(set(hashes)) == 200
    assert ds.schema().types[ds.schema().names.index("row_hash")] == pa.uint64()
    pieces = read_parquet(tmp_path, include_row_hash=True, override_num_blocks=3)
    assert [row["row_hash"] for row in pieces.take_all()] == hashes
    kept = read_parquet(tmp_path, include_row_hash=True, filter=col("n") >= 90, columns=["n"])
    assert [row["row_hash"] for row in kept.take_all()] == hashes[90:100] + hashes[190:]


def test_many_row_groups_are_read_in_as_many_pieces_as_are_wished_for(tmp_path):
    pq.write_table(pa.table({"n": range(100)}), tmp_path / "a.parquet", row_group_size=2)
    for wished in (1, 3, 7, 50):
        ds = read_parquet(tmp_path, override_num_blocks=wished).materialize()
        assert ds.num_blocks() == wished
        assert [row["n"] for row in ds.take_all()] == list(range(100))
    assert read_parquet(tmp_path, override_num_blocks=99).materialize().num_blocks() == 50


def test_many_small_files_are_read_together(tmp_path):
    for number in range(40):
        table = pa.table({"n": [number], f"only_{number % 2}": ["x"]})
        pq.write_table(table, tmp_path / f"{number:02}.parquet")
    ds = read_parquet(tmp_path, override_num_blocks=4, include_paths=True).materialize()
    assert ds.num_blocks() == 4
    rows = ds.take_all()
    assert [row["n"] for row in rows] == list(range(40))
    assert [row["path"][-10:] for row in rows] == [f"{n:02}.parquet" for n in range(40)]
    assert rows[1] == {"n": 1, "only_0": None, "only_1": "x", "path": rows[1]["path"]}


def test_pieces_go_with_limits_and_filters(tmp_path):
    pq.write_table(pa.table({"n": range(100)}), tmp_path / "a.parquet", row_group_size=2)
    ds = read_parquet(tmp_path, override_num_blocks=5)
    assert [row["n"] for row in ds.limit(7).take_all()] == list(range(7))
    assert [row["n"] for row in ds.filter(expr=col("n") > 95).take_all()] == [96, 97, 98, 99]
    assert ds.filter(expr=col("n") > 1000).take_all() == []
