"""What was worked out of captions is worked out again only of other captions."""

from functools import partial

import numpy as np
import pytest

from tests.tools.store.store_writer import captions_of
from tools.kept_captions import KeptCaptions, KeptFrames, edges_of, once
from tools.sight.frame_track import as_caption, sight_track
from tools.timeline import Interval


def test_kept_captions_are_worked_on_once_for_each_piece_of_work() -> None:
    kept, calls = KeptCaptions(captions_of("v", 3)), list[str]()

    def count(what: str) -> int:
        calls.append(what)
        return len(kept)

    assert [once(kept, what, partial(count, what)) for what in "aab"] == [3, 3, 3]
    assert calls == ["a", "b"]


def test_captions_that_nobody_keeps_are_worked_on_each_time() -> None:
    some = captions_of("v", 3)
    assert once(some, "count", lambda: len(some)) == 3
    some += captions_of("w", 1)
    assert once(some, "count", lambda: len(some)) == 4


@pytest.mark.parametrize(
    "change", ["clear", "reverse", "sort", "pop"], ids="{}() is refused".format
)
def test_kept_captions_cannot_be_changed(change: str) -> None:
    kept = KeptCaptions(captions_of("v", 3))
    with pytest.raises(TypeError, match="make a list of them"):
        getattr(kept, change)()
    with pytest.raises(TypeError, match="make a list of them"):
        kept += captions_of("w", 1)
    assert kept == captions_of("v", 3)


def test_kept_captions_are_equal_to_those_that_they_were_made_of() -> None:
    assert KeptCaptions(captions_of("v", 3)) == captions_of("v", 3)


def test_frames_are_kept_by_their_times_and_read_as_captions() -> None:
    track = sight_track("sight:tiny@1", "frame@1/s")
    frames = [as_caption("v", Interval(at / 3, (at + 1) / 3), track) for at in range(5)]
    starts_s, ends_s = edges_of(frames)
    kept = KeptFrames("v", track, np.stack([starts_s, ends_s], axis=1))
    assert [*kept] == frames
    assert (kept[-1], kept[1:3], len(kept)) == (frames[-1], frames[1:3], 5)
    assert [one.tolist() for one in edges_of(kept)] == [starts_s.tolist(), ends_s.tolist()]
    assert once(kept, "count", lambda: 1) == once(kept, "count", lambda: 2) == 1
    with pytest.raises(IndexError):
        kept[5]
