"""What is read again, and what not: clocks, terminals, text on its side."""

from datetime import timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.signals.ocr import TextReader, load_text_reader
from tools.signals.sameness import is_another_scene, shows_the_same
from tools.signals.screen_reader import ScreenReader

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 512, 288


def desk(seed: int = 0) -> Picture:
    """A picture full of soft shapes."""
    coarse = np.random.default_rng(seed).integers(60, 160, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def written(picture: Picture, text: str, *, at: tuple[int, int], scale: float = 0.5) -> Picture:
    out = picture.copy()
    cv2.putText(out, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (250, 250, 250), 1, cv2.LINE_AA)
    return out


def grained(picture: Picture, seed: int) -> Picture:
    grain = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def grey(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize("digits", ["01", "12", "38", "56", "89", "17"])
def test_a_digit_that_changes_makes_another_picture_and_grain_does_not(digits: str) -> None:
    one, other = (grey(written(desk(), f"12:00:0{d}", at=(8, 20), scale=0.35)) for d in digits)
    assert not shows_the_same(one, other)
    first, second = (grey(grained(desk(), seed)) for seed in (1, 2))
    assert shows_the_same(first, second)


def test_pictures_of_two_sizes_are_not_the_same() -> None:
    assert not shows_the_same(grey(desk()), grey(desk())[:100])


def test_only_a_picture_with_little_in_common_is_another_scene() -> None:
    here = grey(desk())
    assert not is_another_scene(here, grey(written(desk(), "A TITLE", at=(100, 200), scale=3)))
    assert is_another_scene(here, 255 - here)


class Scripted:
    """Reads the next page each time, and notes the shape of what it was shown."""

    def __init__(self, *pages: tuple[str, ...]) -> None:
        self.pages = list(pages)
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, image: Picture) -> tuple[str, ...]:
        self.shapes.append(image.shape[:2])
        return self.pages.pop(0)


def test_a_scene_is_turned_once_where_that_brings_no_text() -> None:
    reader = Scripted(("TITLE",), ("TITLE",), ("TITLE", "MORE"), ("OTHER",), ())
    screen = ScreenReader(lambda: reader)
    pages = [desk(), written(desk(), "MORE", at=(9, 99)), 255 - desk()]
    assert [screen.lines(page) for page in pages] == [("TITLE",), ("TITLE", "MORE"), ("OTHER",)]
    upright, turned = (HEIGHT, WIDTH), (WIDTH, HEIGHT)
    assert reader.shapes == [upright, turned, upright, upright, turned]


def test_where_text_stands_on_its_side_it_is_read_on() -> None:
    reader = Scripted((), ("ROW 1",), (), ("ROW 2",), (), ())
    screen = ScreenReader(lambda: reader)
    pages = [written(desk(), f"{n}", at=(9, 99)) for n in range(3)]
    assert [screen.lines(page) for page in pages] == [("ROW 1",), ("ROW 2",), ()]


@pytest.fixture(scope="module")
def read() -> TextReader:
    pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")
    return load_text_reader()


@pytest.mark.slow
def test_a_burnt_in_clock_is_right_in_every_caption(
    read: TextReader,
) -> None:
    screen = ScreenReader(lambda: read)
    right = 0
    for second in range(90):
        clock = f"12:{timedelta(seconds=second)}"[-8:]
        lines = screen.lines(grained(written(desk(), clock, at=(8, 20)), second))
        right += any(clock in line for line in lines)
    assert right >= 85


@pytest.mark.slow
def test_ok_in_a_terminal_is_read_in_the_frame_where_it_comes(
    read: TextReader,
) -> None:
    terminal = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    terminal = written(terminal, "$ make install", at=(10, 30))
    done = written(terminal, "OK", at=(10, 55))
    screen = ScreenReader(lambda: read)
    assert "OK" not in screen.lines(terminal)
    assert "OK" in screen.lines(done)


@pytest.mark.slow
@pytest.mark.parametrize("turns", [1, 3])
def test_text_on_either_side_is_read(read: TextReader, turns: int) -> None:
    picture = written(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), "CHAPTER 3", at=(200, 250))
    sign = written(np.full((60, 260, 3), 90, np.uint8), "WINDOW SEAT", at=(10, 40), scale=1)
    turned = np.rot90(sign, turns)
    picture[10 : 10 + turned.shape[0], 20 : 20 + turned.shape[1]] = turned
    lines = ScreenReader(lambda: read).lines(picture)
    assert sorted(lines) == ["CHAPTER 3", "WINDOW SEAT"]
