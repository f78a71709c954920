"""Recordings put one behind the other byte by byte go on, with their sound; or it is said."""

from pathlib import Path
from typing import Any

import av
import pytest

from tests.beeps import draw_beeps, join
from tests.drawing import draw_video, even_times, index_of
from tests.sound_kinds import measure
from tests.tiers import first_fast
from tools.video.joined import joined_at
from tools.video.reader import FrameReader, measure_duration_s, notice, probe
from tools.video.streams import open_container

BAR_S = 0.02
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def halves(folder: Path, suffix: str, **how: Any) -> Path:
    """Six seconds in two files, joined."""
    spans = [range(3), range(3, 6)]
    parts = [draw_beeps(folder / f"{span.start}{suffix}", span, **how) for span in spans]
    return join(folder / f"joined{suffix}", parts)


def places(path: Path) -> tuple[int, ...]:
    with open_container(path) as container:
        return joined_at(container)


@pytest.mark.parametrize(
    "options", first_fast({}, {"live": "1"}), ids=["length known", "length unknown"]
)
def test_matroska_goes_on_with_its_sound(tmp_path: Path, options: dict[str, str]) -> None:
    path = halves(tmp_path, ".mkv", options=options)
    assert places(path) == ((tmp_path / "0.mkv").stat().st_size,)
    assert places(tmp_path / "0.mkv") == ()
    assert measure_duration_s(probe(path)) == pytest.approx(6.0, abs=0.01)
    apart = measure(path)
    assert apart.seconds == [0, 1, 2, 3, 4, 5]
    assert max(apart.clip_s, apart.speech_s) < BAR_S


@pytest.mark.slow
@pytest.mark.parametrize("sound_codec", ["libmp3lame", "mp2", "pcm_s16le"])
def test_sound_of_an_avi_begins_anew_with_its_pictures(tmp_path: Path, sound_codec: str) -> None:
    path = halves(tmp_path, ".avi", video_codec="mpeg4", sound_codec=sound_codec)
    apart = measure(path)
    assert apart.seconds == [0, 1, 2, 3, 4, 5]
    assert max(apart.clip_s, apart.speech_s) < BAR_S


@pytest.mark.slow
def test_fragments_that_begin_anew_go_on_with_their_sound(tmp_path: Path) -> None:
    path = halves(tmp_path, ".mp4", options=FRAGMENTS)
    assert len(places(path)) == 1
    apart = measure(path)
    assert apart.seconds == [0, 1, 2, 3, 4, 5]
    assert max(apart.clip_s, apart.speech_s) < BAR_S


def test_fragments_that_go_on_are_one_recording(tmp_path: Path) -> None:
    path = draw_beeps(tmp_path / "a.mp4", range(3), options=FRAGMENTS)
    assert places(path) == ()


def test_a_film_behind_an_mp4_is_not_read_and_that_is_said(tmp_path: Path) -> None:
    one = draw_video(tmp_path / "one.mp4", even_times(20, 10))
    both = join(tmp_path / "both.mp4", [one, one])
    assert measure_duration_s(probe(both)) == pytest.approx(2.0)
    assert "another film stands behind it in the file" in (notice(probe(both)) or "")
    assert notice(probe(one)) is None


def test_pictures_of_an_avi_are_all_shown_in_their_order(tmp_path: Path) -> None:
    # H.264 with pictures out of order, of which an AVI stores the order of decoding alone.
    path = draw_video(tmp_path / "a.avi", even_times(50, 25), options={"bf": "3"})
    reader = FrameReader(probe(path), rate_hz=100)
    frames = list(reader)
    assert [index_of(one) for one in frames] == list(range(50))
    assert [one.time_s for one in frames] == pytest.approx(even_times(50, 25), abs=1e-3)
    assert reader.decoded_until_s == pytest.approx(2.0, abs=1e-3)
    later = FrameReader(probe(path), rate_hz=5, start_s=1.0)
    assert [index_of(one) for one in later] == [25, 30, 35, 40, 45]


def test_sound_of_an_avi_stays_with_pictures_that_are_out_of_order(tmp_path: Path) -> None:
    path = draw_beeps(tmp_path / "a.avi", range(3), sound_codec="pcm_s16le")
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.has_b_frames
    assert measure(path).clip_s < BAR_S
