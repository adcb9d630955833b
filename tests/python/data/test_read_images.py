"""Images are compared with what Pillow makes of them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.exceptions import CorruptDataError

HEIGHT, WIDTH = 90, 120
MEAN_DIFFERENCE_MAX = 2.0
FORMATS = {
    "jpg": {"quality": 85},
    "png": {},
    "webp": {"lossless": True},
    "gif": {},
    "bmp": {},
    "tiff": {"compression": "tiff_lzw"},
}


def pixels(channels, *, height=HEIGHT, width=WIDTH, noise=15):
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / (7 + 5 * c) + y / (11 + 3 * c)) for c in range(channels)]
    values = (
        np.stack(waves, -1) + np.random.default_rng(1).normal(0, noise, waves[0].shape)[..., None]
    )
    return np.clip(values, 0, 255).astype(np.uint8)


def picture(mode="RGB", **options):
    channels = len(mode)
    values = pixels(channels, **options)
    return Image.fromarray(values if channels > 1 else values[..., 0])


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def opened(path):
    return Image.open(io.BytesIO(path.read_bytes()))


def only_image(path, **options):
    (row,) = penstock.data.read_images(path, **options).take_all()
    return row["image"]


def mean_difference(one, other):
    assert one.shape == other.shape
    return np.abs(one.astype(int) - other.astype(int)).mean()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_sized_images_are_as_pillow_makes_them(tmp_path, form, mode):
    path = tmp_path / f"image.{form}"
    picture().save(path, **FORMATS[form])
    wanted = opened(path).convert(mode).resize((64, 48), Image.Resampling.BILINEAR)
    found = only_image(path, size=(48, 64), mode=mode)
    assert found.dtype == np.uint8
    assert mean_difference(found, np.asarray(wanted)) < MEAN_DIFFERENCE_MAX


@pytest.mark.parametrize("form", ["png", "webp", "bmp", "tiff"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_images_without_loss_are_the_same(tmp_path, form, mode):
    path = tmp_path / f"image.{form}"
    picture(mode).save(path, **FORMATS[form])
    np.testing.assert_array_equal(only_image(path), np.asarray(opened(path)))


@pytest.mark.parametrize("size", [(30, 40), (11, 12), (500, 700), (90, 120)])
def test_images_are_made_smaller_and_larger(tmp_path, size):
    path = tmp_path / "image.jpg"
    picture(height=901, width=1203).save(path)
    wanted = opened(path).resize(size[::-1], Image.Resampling.BILINEAR)
    found = only_image(path, size=size, mode="RGB")
    assert mean_difference(found, np.asarray(wanted)) < MEAN_DIFFERENCE_MAX


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_tiffs_of_all_codings_are_read(tmp_path, compression, mode):
    path = tmp_path / "image.tiff"
    (picture("RGBA") if mode == "RGBA" else picture().convert(mode)).save(
        path, compression=compression
    )
    wanted = {"1": "L", "P": "RGB"}.get(mode, mode)
    np.testing.assert_array_equal(
        only_image(path, mode=wanted), np.asarray(opened(path).convert(wanted))
    )


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_unusual_modes_become_usual_ones(tmp_path, mode):
    form = "jpg" if mode == "CMYK" else "png"
    path = tmp_path / f"image.{form}"
    picture().convert(mode).save(path)
    wanted = np.asarray(opened(path).convert("RGB"))
    assert mean_difference(only_image(path, mode="RGB"), wanted) < MEAN_DIFFERENCE_MAX


def test_gray_images_have_no_channels(tmp_path):
    picture("L").save(tmp_path / "image.png")
    assert only_image(tmp_path).shape == (HEIGHT, WIDTH)
    assert only_image(tmp_path, mode="L", size=(5, 6)).shape == (5, 6)


def test_shapes_may_vary(tmp_path):
    picture(height=10, width=20).save(tmp_path / "a.png")
    picture("RGBA", height=30, width=5).save(tmp_path / "b.png")
    picture("L", height=3, width=4).save(tmp_path / "c.png")
    shapes = [(10, 20, 3), (30, 5, 4), (3, 4, 1)]
    ds = penstock.data.read_images(tmp_path)
    assert [row["image"].shape for row in ds.take_all()] == shapes
    (batch,) = ds.iter_batches(batch_size=3)
    assert [image.shape for image in batch["image"]] == shapes


def test_functions_see_images_whose_shapes_vary(tmp_path):
    picture(height=10, width=20).save(tmp_path / "a.png")
    picture(height=30, width=5).save(tmp_path / "b.png")
    ds = penstock.data.read_images(tmp_path)
    assert ds.map(lambda row: {"rows": row["image"].shape[0]}).take_all() == [
        {"rows": 10},
        {"rows": 30},
    ]
    batches = ds.map_batches(lambda batch: {"sums": [int(i.sum()) for i in batch["image"]]})
    wanted = [int(np.asarray(opened(tmp_path / name)).sum()) for name in ("a.png", "b.png")]
    assert [row["sums"] for row in batches.take_all()] == wanted
    frames = ds.map_batches(
        lambda frame: {"rows": [i.shape[0] for i in frame["image"]]}, batch_format="pandas"
    )
    assert [row["rows"] for row in frames.take_all()] == [10, 30]


def test_images_of_one_shape_are_stacked(tmp_path):
    for name in "ab":
        picture().save(tmp_path / f"{name}.png")
    (batch,) = penstock.data.read_images(tmp_path).iter_batches(batch_size=2)
    assert batch["image"].shape == (2, HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_gray_and_coloured_images_are_read_in_any_order(tmp_path, names):
    picture("L").save(tmp_path / f"{names[0]}.png")
    picture().save(tmp_path / f"{names[1]}.png")
    rows = penstock.data.read_images(tmp_path).take_all()
    assert sorted(row["image"].shape[2] for row in rows) == [1, 3]


def test_colours_long_after_gray_images_need_a_mode(tmp_path):
    for number in range(16):
        picture("L").save(tmp_path / f"{number:02}.png")
    picture().save(tmp_path / "b.png")
    with pytest.raises(ValueError, match=r"b\.png.*mode=\"RGB\""):
        penstock.data.read_images(tmp_path).take_all()
    assert penstock.data.read_images(tmp_path, mode="L").count() == 17


@pytest.mark.parametrize("size", [5, "ab", (1, 2, 3), {1, 2}])
def test_a_size_is_two_numbers(tmp_path, size):
    with pytest.raises(ValueError, match="size must be two numbers, height and width; got: "):
        penstock.data.read_images(tmp_path, size=size)


def test_pixels_of_other_types_are_not_supported_rather_than_damaged(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(NotImplementedError, match=r"a\.tiff: pixels of this type.*32.*floating"):
        penstock.data.read_images(tmp_path).take_all()


def test_varying_images_survive_parquet(tmp_path):
    picture(height=10, width=20).save(tmp_path / "a.png")
    picture(height=30, width=5).save(tmp_path / "b.png")
    penstock.data.read_images(tmp_path).write_parquet(tmp_path / "written")
    read = penstock.data.read_parquet(tmp_path / "written").take_all()
    np.testing.assert_array_equal(read[1]["image"], np.asarray(opened(tmp_path / "b.png")))


def test_orientation_marks_are_ignored_as_pillow_does(tmp_path):
    marks = Image.Exif()
    marks[0x0112] = 6
    picture().save(tmp_path / "image.jpg", exif=marks)
    assert only_image(tmp_path / "image.jpg").shape == (HEIGHT, WIDTH, 3)


def test_animations_yield_their_first_picture(tmp_path):
    for form in ("gif", "webp"):
        options = {"lossless": True} if form == "webp" else {}
        picture().save(
            tmp_path / f"image.{form}",
            save_all=True,
            append_images=[picture(noise=60)],
            **options,
        )
        wanted = np.asarray(opened(tmp_path / f"image.{form}").convert("RGB"))
        found = only_image(tmp_path / f"image.{form}", mode="RGB")
        np.testing.assert_array_equal(found, wanted)


def test_a_folder_yields_its_images_only(tmp_path):
    picture().save(tmp_path / "a.JPG", "JPEG")
    (tmp_path / "notes.txt").write_text("none")
    assert penstock.data.read_images(tmp_path).count() == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_cut_file_is_named(tmp_path, form):
    whole = encoded(picture(height=12, width=16), form.replace("jpg", "jpeg"), **FORMATS[form])
    path = tmp_path / f"cut.{form}"
    for length in (0, 1, len(whole) // 3, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptDataError, match=rf"cut\.{form}"):
            penstock.data.read_images(path, size=(4, 4), mode="RGB").take_all()


def test_a_bomb_is_refused_by_its_header(tmp_path):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n"
    for chunk in (b"IHDR" + header, b"IDAT" + zlib.compress(bytes(1000))):
        bomb += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(CorruptDataError, match=r"bomb\.png.*too large.*60000 x 60000"):
        penstock.data.read_images(tmp_path).take_all()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"mode": "HSV"}, "L, LA, RGB or RGBA"),
        ({"size": (0, 5)}, "size"),
        ({"size": (5,)}, "size"),
        ({"size": (10**6, 10**6), "mode": "L"}, "size"),
    ],
)
def test_odd_options_are_refused(tmp_path, options, named):
    picture().save(tmp_path / "image.png")
    with pytest.raises(ValueError, match=named):
        penstock.data.read_images(tmp_path, **options).take_all()
