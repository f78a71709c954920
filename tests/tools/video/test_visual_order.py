"""Titles in the order in which they are drawn."""

import pytest

from tools.video.visual_order import in_visual_order, without_pictographs


@pytest.mark.parametrize(
    ("line", "drawn"),
    [
        ("a dog (2) jumps", "a dog (2) jumps"),
        ("אבג דהו", "והד גבא"),
        ("אבג 2026", "2026 גבא"),
        ("אבג dog jumps דה", "הד dog jumps גבא"),
        ("a dog אבג דה jumps", "a dog הד גבא jumps"),
        ("אב (גד)", "(דג) בא"),
        ("“אב”", "”בא“"),
        ("a\u0301 אָב", "a\u0301 באָ"),
        ("", ""),
    ],
)
def test_what_is_read_from_the_right_is_drawn_from_the_right(line: str, drawn: str) -> None:
    assert in_visual_order(line) == drawn


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a dog 😀 jumps", "a dog jumps"),
        ("👩🏽\u200d🚀 a rocket", "a rocket"),
        ("a ✓ and 20 °C", "a ✓ and 20 °C"),
        ("𝐀 学", "𝐀 学"),
        ("😀", "😀"),
    ],
)
def test_emoji_are_left_out_where_something_else_is_said(text: str, kept: str) -> None:
    assert without_pictographs(text) == kept
