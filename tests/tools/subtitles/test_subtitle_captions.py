"""Cues as captions: within the video, one for each span, in a track of their own."""

from pathlib import Path

import pytest

from tools.errors import CaptionError
from tools.subtitles.captions import SubtitleCaptions, subtitle_captions, subtitle_track
from tools.subtitles.cues import Cue
from tools.subtitles.embedded import SubtitleTrack
from tools.subtitles.origin import Origin, origin_of
from tools.timeline import Track

VIDEO = Path("/films/v.mp4")

TRACK = Track("subtitles:0", "", "subtitles")


def captions_of(*cues: tuple[float, float, str], shift_s: float = 0.0) -> SubtitleCaptions:
    return subtitle_captions(
        [Cue(start_s, end_s, (text,)) for start_s, end_s, text in cues],
        video_id="v",
        duration_s=10.0,
        track=TRACK,
        shift_s=shift_s,
    )


def test_cues_become_captions_that_say_they_are_subtitles() -> None:
    made = captions_of((1.0, 2.0, "a"), (1.5, 3.0, "b"))
    assert [(one.start_s, one.end_s, one.text, one.source) for one in made.captions] == [
        (1.0, 2.0, "a", "subtitle"),
        (1.5, 3.0, "b", "subtitle"),
    ]
    assert made.warning is None


def test_what_goes_beyond_the_video_is_cut_and_what_lies_outside_is_counted() -> None:
    made = captions_of(
        (-3.0, -1.0, "before"), (-1.0, 1.0, "a"), (9.0, 12.0, "b"), (10.0, 11.0, "after")
    )
    assert [(one.start_s, one.end_s) for one in made.captions] == [(0.0, 1.0), (9.0, 10.0)]
    assert (made.outside, made.cut) == (2, 2)
    assert made.warning == "2 subtitles lie outside the video, and 2 in it"


def test_a_shift_moves_all_of_them() -> None:
    made = captions_of((1.0, 2.0, "a"), (0.1, 0.4, "b"), shift_s=-0.5)
    assert [(one.start_s, one.end_s) for one in made.captions] == [(0.5, 1.5)]


def test_cues_of_one_span_share_one_caption_since_its_id_is_of_the_span() -> None:
    made = captions_of((1.0, 2.0, "Iga"), (1.0, 2.0, "Nana"), (1.0, 2.0, "Iga"), (1.0, 3.0, "c"))
    assert [one.text for one in made.captions] == ["Iga / Nana", "c"]
    assert len({one.id for one in made.captions}) == 2


def test_subtitles_of_another_video_are_refused() -> None:
    with pytest.raises(CaptionError, match=r"none of the 2 subtitles lies in .* 10\.0 s"):
        captions_of((11.0, 12.0, "a"), (13.0, 14.0, "b"))


def test_the_track_follows_the_content_of_the_file_or_the_number_of_the_stream(
    tmp_path: Path,
) -> None:
    one, copy, other = (tmp_path / name for name in ("a.srt", "b.srt", "c.srt"))
    one.write_text("x")
    copy.write_text("x")
    other.write_text("y")
    read = subtitle_track(one, video=VIDEO)
    assert read.model.startswith("subtitles:")
    assert read.model == subtitle_track(copy, video=VIDEO).model
    assert read.model != subtitle_track(other, video=VIDEO).model
    assert origin_of(read) == Origin(one, VIDEO, is_named=False)
    assert origin_of(subtitle_track(one, video=VIDEO, named=True)) == Origin(one, VIDEO, True)
    stream = SubtitleTrack(2, "srt", "eng", None, is_default=True, is_readable=True)
    inside = subtitle_track(stream, video=VIDEO)
    assert inside == Track("subtitles:stream2.eng", "", "subtitles")
    assert origin_of(inside) is None
    with pytest.raises(CaptionError, match="No such file"):
        subtitle_track(tmp_path / "missing.srt", video=VIDEO)
