"""Lines in scripts that are written from the right, and in ones that no font here has."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tools.video import lettering
from tools.video.lettering import draw_line, lettering_notes, width_px

if TYPE_CHECKING:
    from tools.timeline import Image

pytestmark = pytest.mark.slow

ARABIC = "امرأة تأتي"
HEBREW = "אישה"


def drawn(line: str) -> Image:
    picture = np.zeros((40, 400, 3), np.uint8)
    draw_line(picture, line, (4, 30), (255, 255, 255), 20)
    return picture


@pytest.fixture
def _no_plot(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = importlib.util.find_spec

    def find(name: str) -> ModuleSpec | None:
        return None if name == "matplotlib" else found(name)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    lettering._joining_font.cache_clear()
    yield
    lettering._joining_font.cache_clear()


def test_arabic_letters_are_joined() -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is missing")
    assert lettering_notes([ARABIC, HEBREW]) == []
    # Joined letters are narrower than the same ones kept apart.
    assert width_px(ARABIC, 20) < width_px("\u200c".join(ARABIC), 20) - 10
    # And what is drawn is as wide as was said, beginning where it was wanted.
    columns = np.flatnonzero(drawn(ARABIC).any(axis=(0, 2)))
    assert abs(columns[-1] - columns[0] - width_px(ARABIC, 20)) < 6


def test_brackets_and_numbers_in_hebrew_stand_where_a_reader_expects_them() -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is missing")
    # The first letter is at the right, and the number after it reads to the right.
    line = f"{HEBREW} (12)"
    right_half = drawn(line)[:, 4 + width_px(line, 20) - width_px(HEBREW, 20) - 2 :]
    alone = drawn(HEBREW)
    ink = int((right_half > 0).sum())
    assert ink == pytest.approx(int((alone > 0).sum()), rel=0.1)


@pytest.mark.usefixtures("_no_plot")
def test_without_the_extra_it_is_said_that_letters_are_unjoined() -> None:
    assert "pip install 'whenabouts[plot]'" in lettering_notes([ARABIC])[0]
    assert lettering_notes([HEBREW, "a dog", "日本語 한국어 Ελλάδα"]) == []
    assert drawn(ARABIC).any()


def test_letters_that_no_font_here_has_are_named() -> None:
    (note,) = lettering_notes(["มา", "a dog"])
    assert note.startswith("the font of the cards has no")
    assert "ม" in note
    (note,) = lettering_notes([f"{ARABIC} 日本"])
    assert "beside those of another script" in note
    assert drawn(f"{ARABIC} 日本").any()
