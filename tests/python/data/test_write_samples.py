from __future__ import annotations

import io
import json
import struct
import tarfile
import zlib

import numpy as np
import pyarrow as pa
import pytest
from every_type import flat_table
from part_files import part_files

import penstock
from penstock.data import FilenameProvider


def written(ds, verb, folder, **options):
    getattr(ds, verb)(folder, **options)
    (file,) = part_files(folder)
    return file


NESTED = pa.list_(pa.list_(pa.list_(pa.uint8())))


@pytest.mark.parametrize("kind", ["?", "i1", "u2", "i8", "f2", "f4", "f8", "M8[us]", "m8[s]"])
def test_numpy_reads_back_what_was_written(tmp_path, kind):
    values = np.arange(24).reshape(4, 3, 2).astype(kind)
    if values.ndim and kind[0] in "Mm?":
        values = values[:, 0, 0]
    table = pa.table({"x": pa.array(values)}) if values.ndim == 1 else None
    ds = penstock.data.from_numpy(values) if table is None else penstock.data.from_arrow(table)
    column = "data" if table is None else "x"
    back = np.load(written(ds, "write_numpy", tmp_path, column=column))
    assert back.dtype == values.dtype
    assert (back == values).all()


def test_numpy_stacks_lists_of_one_length_and_fills_floats(tmp_path):
    table = pa.table({"x": [[[1.0, None]], [[3.0, 4.0]]]})
    back = np.load(written(penstock.data.from_arrow(table), "write_numpy", tmp_path, column="x"))
    np.testing.assert_array_equal(back, [[[1, np.nan]], [[3, 4]]])


def test_numpy_without_rows_keeps_its_shape(tmp_path):
    ds = penstock.data.from_numpy(np.zeros((3, 2), np.float32)).limit(0)
    back = np.load(written(ds, "write_numpy", tmp_path, column="data"))
    assert (back.shape, back.dtype) == ((0, 2), np.float32)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ([[1], [2, 3]], "a list has 1 values in one row and 2"),
        ([1, None], "no nulls among such values"),
        (["a"], "holds numbers, truth values and times"),
    ],
)
def test_numpy_refuses_what_no_array_holds(tmp_path, values, error):
    with pytest.raises(ValueError, match=f"Column 'x': .*{error}"):
        penstock.data.from_arrow(pa.table({"x": values})).write_numpy(tmp_path / "out", column="x")
    assert not (tmp_path / "out").exists()


def decoded_png(data):
    """Decode a PNG as our writer makes them; its checksums are checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (crc,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert crc == zlib.crc32(kind + body)
        chunks[kind], place = body, place + 12 + length
    width, height, _, color = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = {0: 1, 2: 3, 6: 4}[color]
    raw = zlib.decompress(chunks[b"IDAT"])
    image = np.zeros((height + 1, width + 1, channels), int)
    line = width * channels + 1
    for y in range(height):
        assert raw[y * line] == 4
        for x in range(width):
            for c in range(channels):
                left, above, corner = image[y + 1, x, c], image[y, x + 1, c], image[y, x, c]
                plane = left + above - corner
                nearest = min((left, above, corner), key=lambda near: abs(plane - near))
                value = raw[y * line + 1 + x * channels + c] + nearest
                image[y + 1, x + 1, c] = value % 256
    return image[1:, 1:].astype(np.uint8)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (1, 1, 4)])
def test_png_holds_every_pixel(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    penstock.data.from_numpy(images).write_images(tmp_path, "data")
    names = part_files(tmp_path)
    assert [name.suffix for name in names] == [".png"] * 3
    for name, image in zip(names, images, strict=True):
        assert (
            decoded_png(name.read_bytes()) == image.reshape(decoded_png(name.read_bytes()).shape)
        ).all()


@pytest.mark.parametrize(
    ("ending", "magic"),
    [
        ("bmp", b"BM"),
        ("jpg", b"\xff\xd8"),
        ("jpeg", b"\xff\xd8"),
        ("webp", b"RIFF"),
        ("tif", b"II\x2a\0"),
        ("tiff", b"II\x2a\0"),
    ],
)
def test_images_have_the_format_asked_for(tmp_path, ending, magic):
    images = np.full((2, 8, 8, 3), 200, np.uint8)
    penstock.data.from_numpy(images).write_images(tmp_path, "data", ending)
    assert [name.suffix for name in part_files(tmp_path)] == [f".{ending}"] * 2
    assert part_files(tmp_path)[0].read_bytes().startswith(magic)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (1, 1, 4), (3, 3)])
def test_tiff_holds_every_pixel(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    penstock.data.from_numpy(images).write_images(tmp_path, "data", "tiff")
    pillow = pytest.importorskip("PIL.Image")
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[images[0].size // (shape[0] * shape[1])]
    back = [row["image"] for row in penstock.data.read_images(tmp_path, mode=mode).take_all()]
    for name, image, read in zip(part_files(tmp_path), images, back, strict=True):
        with pillow.open(name) as opened:
            assert opened.mode == mode
            assert (np.asarray(opened) == image.reshape(np.asarray(opened).shape)).all()
        assert (np.asarray(read).reshape(shape) == image).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_webp_is_near_to_the_picture(tmp_path, channels):
    across, down = np.meshgrid(np.linspace(0, 250, 64), np.linspace(0, 250, 48))
    planes = [across, down, (across + down) / 2, 255 - down / 2]
    chosen = planes[:1] if channels == 1 else planes[:channels]
    image = np.stack(chosen, axis=-1).astype(np.uint8)
    penstock.data.from_numpy(image[None]).write_images(tmp_path, "data", "webp")
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    (row,) = penstock.data.read_images(tmp_path, mode=mode).take_all()
    read = np.asarray(row["image"]).reshape(image.shape)
    assert np.abs(read.astype(int) - image).mean() < 4
    with pytest.importorskip("PIL.Image").open(part_files(tmp_path)[0]) as opened:
        assert (opened.format, opened.mode) == ("WEBP", "RGBA" if channels == 4 else "RGB")


def test_webp_has_no_more_points_a_side_than_its_format(tmp_path):
    wide = np.zeros((1, 1, 16_384, 3), np.uint8)
    with pytest.raises(ValueError, match=r"Column 'data': a WebP has at most 16383 points a side"):
        penstock.data.from_numpy(wide).write_images(tmp_path / "out", "data", "webp")


def test_images_of_differing_sizes_are_written(tmp_path):
    images = [np.full((size, 2, 3), size, np.uint8).tolist() for size in (1, 2, 3)]
    table = pa.table({"image": pa.array(images, NESTED)})
    penstock.data.from_arrow(table).write_images(tmp_path, "image")
    shapes = [decoded_png(name.read_bytes()).shape for name in part_files(tmp_path)]
    assert shapes == [(1, 2, 3), (2, 2, 3), (3, 2, 3)]


def test_tensors_of_differing_shapes_are_written_by_their_shape(tmp_path):
    fields = [("data", pa.list_(pa.uint8())), ("shape", pa.list_(pa.int32(), 2))]
    values = [{"data": [1, 2], "shape": [1, 2]}, {"data": [3, 4, 5], "shape": [3, 1]}]
    table = pa.table({"image": pa.array(values, pa.struct(fields))})
    penstock.data.from_arrow(table).write_images(tmp_path, "image")
    first, second = (decoded_png(name.read_bytes()) for name in part_files(tmp_path))
    assert first[:, :, 0].tolist() == [[1, 2]]
    assert second[:, :, 0].tolist() == [[3], [4], [5]]


def test_encoded_images_are_written_as_they_are(tmp_path):
    ds = penstock.data.from_items([{"image": b"one", "name": "x"}])
    file = written(ds, "write_images", tmp_path, column="image", file_format="webp")
    assert (file.suffix, file.read_bytes()) == (".webp", b"one")


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (np.zeros((2, 2, 2), np.uint8), "a picture has the shape"),
        (np.zeros((2, 2, 3), np.float32), "tensor of bytes"),
        ("text", "tensor of bytes"),
        (None, "tensor of bytes"),
    ],
)
def test_what_is_no_image_is_refused_by_column(tmp_path, image, error):
    ds = penstock.data.from_items([{"image": image}])
    with pytest.raises(ValueError, match=f"Column 'image': .*{error}"):
        ds.write_images(tmp_path / "out", "image")
    assert not (tmp_path / "out").exists()


def test_a_provider_names_images_by_task_and_row(tmp_path):
    class Named(FilenameProvider):
        def get_filename_for_task(self, write_uuid, task_index):
            return f"picture-{task_index}"

    images = np.zeros((2, 2, 2), np.uint8)
    penstock.data.from_numpy(images).write_images(tmp_path, "data", filename_provider=Named())
    assert [file.name for file in part_files(tmp_path)] == [
        "picture-0_000000.png",
        "picture-0_000001.png",
    ]


class ById(FilenameProvider):
    """Names both files and rows; the rows' names count."""

    def get_filename_for_task(self, write_uuid, task_index):
        return f"part-{task_index}.parquet"

    def get_filename_for_block(self, block, write_uuid, task_index, block_index):
        return f"block-{task_index}.parquet"

    def get_filename_for_row(self, row, write_uuid, task_index, block_index, row_index):
        return f"id-{row['id'] // row['divisor']}{row['ending']}"


def to_name(count, *, divisor=1, ending=""):
    rows = [{"id": n, "divisor": divisor, "ending": ending} for n in range(count)]
    ds = penstock.data.from_items(rows, override_num_blocks=2)
    return ds.map(lambda row: {**row, "image": np.full((2, 2), row["id"], np.uint8)})


@pytest.mark.parametrize("ending", ["", ".png", ".jpg"])
def test_a_provider_names_each_picture_by_its_row(tmp_path, ending):
    to_name(3, ending=ending).write_images(tmp_path, "image", filename_provider=ById())
    names = sorted(file.name for file in part_files(tmp_path))
    assert names == [f"id-{n}{ending or '.png'}" for n in range(3)]
    pillow = pytest.importorskip("PIL.Image")
    values = [int(np.asarray(pillow.open(tmp_path / name))[0, 0]) for name in names]
    assert values == [0, 1, 2]


def test_two_pictures_of_one_name_are_an_error_and_leave_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"Two files must not have one name.*'id-0\.png'"):
        to_name(4, divisor=2).write_images(tmp_path / "out", "image", filename_provider=ById())
    assert not (tmp_path / "out").exists()


def test_a_picture_takes_no_other_file_of_its_name_but_to_overwrite(tmp_path):
    to_name(1).write_images(tmp_path, "image", filename_provider=ById())
    with pytest.raises(FileExistsError, match=r"id-0\.png"):
        to_name(2).write_images(tmp_path, "image", filename_provider=ById(), mode="append")
    assert [file.name for file in part_files(tmp_path)] == ["id-0.png"]
    to_name(2).write_images(tmp_path, "image", filename_provider=ById(), mode="overwrite")
    assert [file.name for file in part_files(tmp_path)] == ["id-0.png", "id-1.png"]


def test_names_of_rows_are_refused_where_a_file_has_many(tmp_path):
    class RowsOnly(FilenameProvider):
        def get_filename_for_row(self, row, *_):
            return str(row)

    with pytest.raises(NotImplementedError, match="define get_filename_for_task"):
        penstock.data.range(2).write_numpy(tmp_path, column="id", filename_provider=RowsOnly())


def test_a_name_of_a_row_that_is_no_text_is_an_error(tmp_path):
    class Numbers(FilenameProvider):
        def get_filename_for_row(self, row, *_):
            return row["id"]

    with pytest.raises(penstock.exceptions.RayTaskError, match="must return a str; got: 0"):
        to_name(1).write_images(tmp_path, "image", filename_provider=Numbers())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def fields(message):
    """Split a protobuf message of length-delimited fields."""
    place, found = 0, []

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(message):
        tag, length = varint(), 0
        assert tag & 7 == 2
        length = varint()
        found.append((tag >> 3, message[place : place + length]))
        place += length
    return found


def examples(data):
    """Decode TFRecord bytes into dicts of (kind, raw list)."""
    place, rows = 0, []
    while place < len(data):
        head, (length,) = data[place : place + 8], struct.unpack("<Q", data[place : place + 8])
        end = place + 12 + length
        body = data[place + 12 : end]
        assert struct.unpack("<I", data[place + 8 : place + 12])[0] == masked(head)
        assert struct.unpack("<I", data[place + 12 + length : place + 16 + length])[0] == masked(
            body
        )
        ((_, features),) = fields(body)
        row = {}
        for _, entry in fields(features):
            (_, key), (_, feature) = fields(entry)
            row[key.decode()] = fields(feature)
        rows.append(row)
        place += 16 + length
    return rows


def test_tfrecords_hold_the_features_that_tensorflow_reads(tmp_path):
    table = pa.table(
        {
            "n": [-1, None],
            "f": pa.array([0.5, 2.0], pa.float64()),
            "t": ["ä", ""],
            "b": [[b"x", b"yz"], []],
            "z": [[1.0], None],
            "flag": [True, False],
        }
    )
    file = written(penstock.data.from_arrow(table), "write_tfrecords", tmp_path)
    first, second = examples(file.read_bytes())
    assert list(first) == table.column_names
    assert first["n"] == [(3, b"\x0a\x0a" + b"\xff" * 9 + b"\x01")]
    assert first["f"] == [(2, b"\x0a\x04" + struct.pack("<f", 0.5))]
    assert first["t"] == [(1, b"\x0a\x02" + "ä".encode())]
    assert first["b"] == [(1, b"\x0a\x01x\x0a\x02yz")]
    assert first["flag"] == [(3, b"\x0a\x01\x01")]
    assert second["n"] == second["z"] == []
    assert second["b"] == [(1, b"")]


@pytest.mark.parametrize(
    ("column", "error"),
    [
        (pa.array([{"a": 1}]), "holds integers, floats, text and binary"),
        (pa.array([2**63], pa.uint64()), "beyond 63 bits"),
        (pa.array([[1, None]]), "no nulls"),
    ],
)
def test_tfrecords_refuse_what_no_feature_holds(tmp_path, column, error):
    with pytest.raises(ValueError, match=f"Column 'x': .*{error}"):
        penstock.data.from_arrow(pa.table({"x": column})).write_tfrecords(tmp_path / "out")


def members(file):
    with tarfile.open(file) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def test_webdataset_members_are_named_by_key_and_column(tmp_path):
    long = "k" * 150
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    table = pa.table(
        {
            "__key__": ["dir/ä", long],
            "txt": ["hällo", ""],
            "cls": [3, None],
            "json": [{"a": [1]}, {"a": []}],
            "png": pa.array([image.tolist()] * 2, NESTED),
            "bin": [b"\0", b"x"],
        }
    )
    found = members(written(penstock.data.from_arrow(table), "write_webdataset", tmp_path))
    assert found["dir/ä.txt"].decode() == "hällo"
    assert found["dir/ä.cls"] == b"3"
    assert json.loads(found["dir/ä.json"]) == {"a": [1]}
    assert (decoded_png(found["dir/ä.png"]) == image).all()
    assert found[f"{long}.bin"] == b"x"
    assert f"{long}.cls" not in found


def test_webdataset_encodes_arrays_and_numbers_its_samples(tmp_path):
    ds = penstock.data.from_items([{"x.npy": np.arange(3) + row} for row in range(2)])
    found = members(written(ds, "write_webdataset", tmp_path))
    assert [name.split(".", 1)[1] for name in found] == ["x.npy"] * 2
    assert [list(np.load(io.BytesIO(data))) for data in found.values()] == [[0, 1, 2], [1, 2, 3]]


def test_webdataset_encoders_of_the_user_run_before(tmp_path):
    def encode(row):
        return {"txt": str(row["id"] * 2)}

    found = members(written(penstock.data.range(2), "write_webdataset", tmp_path, encoder=encode))
    assert sorted(found.values()) == [b"0", b"2"]
    with pytest.raises(ValueError, match="Column 'id': without an encoder"):
        penstock.data.range(2).write_webdataset(tmp_path / "out", encoder=None)
    with pytest.raises(ValueError, match="Column 'pkl': values are not encoded as pkl"):
        penstock.data.from_items([{"pkl": 1}]).write_webdataset(tmp_path / "out")


def test_webdataset_takes_every_type_that_json_does(tmp_path):
    found = members(written(penstock.data.from_arrow(flat_table()), "write_webdataset", tmp_path))
    assert len(found) == sum(len(column) - column.null_count for column in flat_table().columns)


@pytest.mark.parametrize("verb", ["write_tfrecords", "write_webdataset"])
def test_no_rows_make_an_empty_archive(tmp_path, verb):
    file = written(penstock.data.range(3).filter(expr="id > 9"), verb, tmp_path)
    assert file.read_bytes().strip(b"\0") == b""


@pytest.mark.parametrize("verb", ["write_tfrecords", "write_webdataset"])
def test_equal_input_makes_equal_files_whatever_the_workers(tmp_path, verb):
    contents = []
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        ds = penstock.data.range(300, override_num_blocks=6)
        getattr(ds.map_batches(lambda batch: {"x": batch["id"]}, concurrency=workers), verb)(folder)
        contents.append([file.read_bytes() for file in part_files(folder)])
    assert contents[0] == contents[1]
