"""A picture of any kind that people have is read as a viewer shows it; others are one line."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.errors import SightError
from tools.sight import photo
from tools.sight.photo import read_photo


def drawn() -> Image.Image:
    """Red at the left, blue at the right."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30, 0] = 200
    picture[:, 30:, 2] = 200
    return Image.fromarray(picture)


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn().rotate(90, expand=True).save(path, exif=exif)


def half_clear(path: Path) -> None:
    picture = drawn().convert("RGBA")
    picture.putalpha(Image.fromarray(np.full((40, 60), 255, np.uint8)))
    picture.save(path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "plain.png": lambda path: drawn().save(path),
    "print.jpg": lambda path: drawn().convert("CMYK").save(path, quality=95),
    "palette.gif": lambda path: drawn().convert("P").save(path),
    "opaque.png": half_clear,
    "turned.jpg": turned,
    "two.gif": lambda path: drawn().save(
        path, save_all=True, append_images=[Image.new("RGB", (60, 40))]
    ),
    "-dash.png": lambda path: drawn().save(path),
}


@pytest.mark.parametrize("name", list(WRITERS))
def test_red_is_at_the_left_and_blue_at_the_right(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    picture = read_photo(tmp_path / name)
    assert picture.shape == (40, 60, 3)
    assert picture.dtype == np.uint8
    left, right = picture[:, 5:20].mean((0, 1)), picture[:, 40:55].mean((0, 1))
    assert left[0] - left[2] > 100
    assert right[2] - right[0] > 100


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[:10, :, 3] = 255
    Image.fromarray(picture).save(tmp_path / "half.png")
    read = read_photo(tmp_path / "half.png")
    assert (read[10:] == 255).all()
    assert not read[:10].any()


def test_what_is_clear_throughout_or_no_number_shows_nothing(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(tmp_path / "none.tif")
    for name in ("clear.png", "none.tif"):
        with pytest.raises(SightError, match="shows nothing"):
            read_photo(tmp_path / name)


def test_no_other_program_is_started_with_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn().save(tmp_path / "drawn.eps")
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_: drawn())
    with pytest.raises(SightError, match="holds no picture that can be read here"):
        read_photo(tmp_path / "drawn.eps")


def test_sixteen_bits_keep_light_and_dark(tmp_path: Path) -> None:
    deep = np.zeros((20, 20), np.uint16)
    deep[:, 10:] = 3000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    picture = read_photo(tmp_path / "deep.png")
    assert int(picture[:, 10:].min()) - int(picture[:, :10].max()) > 200


def test_a_large_picture_is_made_smaller_and_a_huge_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (3000, 1000)).save(tmp_path / "large.png")
    assert max(read_photo(tmp_path / "large.png").shape) == photo.SIDE_PX
    monkeypatch.setattr(photo, "MOST_PIXELS", 1000)
    with pytest.raises(SightError, match="3000 x 1000 pixels"):
        read_photo(tmp_path / "large.png")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("none.jpg", None, "there is no picture"),
        ("text.jpg", b"hello", "holds no picture that can be read here"),
        ("empty.jpg", b"", "holds no picture that can be read here"),
        ("half.png", b"half", "cannot be read"),
        ("dot.png", b"dot", "1 x 1 pixels, too few"),
    ],
)
def test_what_shows_nothing_is_one_line(
    name: str, content: bytes | None, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    if content == b"dot":
        Image.new("RGB", (1, 1)).save(file)
    elif content == b"half":
        noise = np.random.default_rng(1).integers(0, 255, (80, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(file)
        file.write_bytes(file.read_bytes()[:900])
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(SightError, match=expected) as caught:
        read_photo(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(SightError, match="is a folder"):
        read_photo(tmp_path)


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe.jpg", tmp_path / "loop.jpg"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    with pytest.raises(SightError, match="is not a plain file"):
        read_photo(pipe)
    for odd in (loop, tmp_path / ("x" * 5000), tmp_path / "a\0b"):
        with pytest.raises(SightError, match="; check the path"):
            read_photo(odd)


def test_more_pixels_than_pillow_takes_are_told_in_our_words(tmp_path: Path) -> None:
    file = tmp_path / "huge.png"
    Image.new("L", (9, 9)).save(file)
    content = bytearray(file.read_bytes())
    content[16:24] = struct.pack(">II", 20_000, 20_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    file.write_bytes(content)
    with pytest.raises(SightError, match="has more than 178,000,000 pixels; make it smaller"):
        read_photo(file)


def test_numbers_without_a_bound_leave_the_others_as_they_are(tmp_path: Path) -> None:
    values = np.tile(np.array([0, 50, 100, 100], np.float32).repeat(5), (20, 1))
    values[:, -5:] = np.inf
    Image.fromarray(values).save(tmp_path / "inf.tif")
    row = read_photo(tmp_path / "inf.tif")[0, ::5, 0]
    assert row.tolist() == [0, 127, 255, 255]


def test_a_picture_of_many_pixels_is_no_attack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    file = tmp_path / "large.png"
    Image.new("RGB", (40, 40), "red").save(file)
    assert read_photo(file).shape == (40, 40, 3)  # A warning would be an error here.
