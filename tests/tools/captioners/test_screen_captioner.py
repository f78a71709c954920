"""The reader of the screen: one caption for each stretch of equal text, also when interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tools.captioners.screen
from tests.fakes import Titles
from tools.captioners.protocol import Captioner, Description, NoCaption
from tools.captioners.screen import MAX_RUN_S, ScreenCaptioner
from tools.errors import CaptionerError
from tools.timeline import Frame
from tools.video.near_duplicates import needs_every_frame

if TYPE_CHECKING:
    from tools.timeline import Image

Said = Description | NoCaption


def level_of(image: Image) -> str:
    """The brightness of a picture is its text; black has none."""
    level = int(image[0, 0, 0])
    return f"level {level}" if level else ""


def frames_of(levels: Sequence[int], *, step_s: float = 1.0) -> list[Frame]:
    return [
        Frame(
            time_s=index * step_s,
            image=np.full((36, 64, 3), level, np.uint8),
            earlier=None,
            earlier_s=None,
            luma=np.full((1, 36, 64), level, np.uint8),
            luma_s=np.array([index * step_s]),
        )
        for index, level in enumerate(levels)
    ]


def said_of(frames: Sequence[Frame], *, seen: frozenset[float] = frozenset()) -> list[Said]:
    return list(ScreenCaptioner(Titles(level_of)).describe(frames, seen=seen))


def test_frames_of_equal_text_get_one_caption_and_those_without_text_none() -> None:
    assert said_of(frames_of([100, 100, 200, 0, 0, 100])) == [
        Description(0.0, "On screen: “level 100”.", "screen", last_s=1.0),
        Description(2.0, "On screen: “level 200”.", "screen", last_s=2.0),
        NoCaption(3.0, "no text on the screen", last_s=4.0),
        Description(5.0, "On screen: “level 100”.", "screen", last_s=5.0),
    ]


def test_a_text_that_stays_is_said_again_now_and_then() -> None:
    said = said_of(frames_of([100] * 25))
    assert [one.time_s for one in said] == [0.0, MAX_RUN_S, 2 * MAX_RUN_S]


def test_the_same_picture_is_read_once() -> None:
    reader = Titles(level_of)
    list(ScreenCaptioner(reader).describe(frames_of([100] * 5 + [200] * 5), seen=()))
    # Each is searched once as it is and once turned, and read once.
    assert len(reader.searched_in) == 4


@pytest.mark.parametrize("step_s", [0.5, 1.0, 7.0])
def test_an_interrupted_run_goes_on_as_if_there_had_been_no_interruption(step_s: float) -> None:
    levels = [100] * 3 + [0] * 14 + [200] * 25 + [100, 200, 200, 0]
    frames = frames_of(levels, step_s=step_s)
    whole = said_of(frames)
    for count in range(len(whole) + 1):
        seen = frozenset(one.time_s for one in whole[:count])
        assert said_of(frames, seen=seen) == whole[count:]


def test_what_is_stored_is_not_read_again_but_for_its_last_stretch() -> None:
    frames = frames_of(([100] * 4 + [200] * 4) * 5)
    reader = Titles(level_of)
    seen = frozenset(frame.time_s for frame in frames[: 9 * 4 : 4])
    list(ScreenCaptioner(reader).describe(frames, seen=seen))
    # The ninth of ten stretches, and the tenth, each once as it is and once turned.
    assert len(reader.searched_in) == 4


def test_a_stretch_never_reaches_over_one_that_is_stored() -> None:
    said = said_of(frames_of([100] * 8), seen=frozenset({4.0}))
    assert said == [Description(0.0, "On screen: “level 100”.", "screen", last_s=3.0)]


def test_it_is_a_captioner_that_is_shown_still_pictures_too() -> None:
    captioner: Captioner = ScreenCaptioner(Titles(level_of))
    assert needs_every_frame(captioner)
    assert captioner.model.startswith("rapidocr")
    assert (captioner.prompt_version, captioner.mode) == ("", "frame")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.captioners.screen, "find_spec", lambda _: None)
    with pytest.raises(CaptionerError, match=r"pip install 'whenabouts\[ocr\]'"):
        ScreenCaptioner()
