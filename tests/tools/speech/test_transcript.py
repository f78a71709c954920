"""What is said becomes captions on the video's clock, no matter what wrote it down."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import tools.video.sound
from tests.drawing import draw_video, even_times
from tools.errors import VideoError
from tools.speech.transcript import Utterance, speech_track, transcribe
from tools.video.reader import Video, probe


class Parrot:
    """Says what it was told to say of each piece."""

    model = "parrot-1"
    mode = "speech:de"

    def __init__(self, *says: list[Utterance]) -> None:
        self._says = iter(says)
        self.heard_s: list[float] = []

    def __call__(self, samples: NDArray[np.float32]) -> Iterator[Utterance]:
        self.heard_s.append(samples.size / tools.video.sound.SAMPLE_RATE_HZ)
        yield from next(self._says, [])


def video_of(folder: Path, *, offset_s: float = 0.0) -> Video:
    name = f"{offset_s}.mkv"
    return probe(draw_video(folder / name, even_times(50, 25), offset_s=offset_s, sound_s=3.0))


def said(video: Video, parrot: Parrot) -> list[tuple[float, float, str]]:
    captions = [one for said in transcribe(video, parrot, duration_s=2.0) for one in said]
    assert {caption.source for caption in captions} <= {"speech"}
    assert {caption.track for caption in captions} <= {speech_track(parrot)}
    return [
        (round(caption.start_s, 2), round(caption.end_s, 2), caption.text) for caption in captions
    ]


def test_captions_stand_where_the_words_were_heard(tmp_path: Path) -> None:
    words = [Utterance(0.5, 0.9, " Hello\nthere "), Utterance(1.0, 1.4, "Bye")]
    spans = said(video_of(tmp_path), Parrot(words))
    assert spans == [(0.5, 0.9, "Hello there"), (1.0, 1.4, "Bye")]
    # The picture begins 0.4 s after the sound.
    spans = said(video_of(tmp_path, offset_s=0.4), Parrot(words))
    assert spans == [(0.1, 0.5, "Hello there"), (0.6, 1.0, "Bye")]


def test_words_beyond_the_video_are_cut_or_left_out_and_words_without_length_kept(
    tmp_path: Path,
) -> None:
    words = [
        *(Utterance(0.1, 0.2, "before the picture"), Utterance(0.3, 0.6, "half before")),
        *(Utterance(1.0, 1.0, "short"), Utterance(2.3, 2.6, "half after")),
        *(Utterance(2.5, 2.9, "after"), Utterance(1.0, 1.5, " ")),
    ]
    spans = said(video_of(tmp_path, offset_s=0.4), Parrot(words))
    assert spans == [(0.0, 0.2, "half before"), (0.6, 0.62, "short"), (1.9, 2.0, "half after")]


def test_words_of_one_span_share_a_caption_since_its_id_is_of_the_span(tmp_path: Path) -> None:
    words = [Utterance(0.5, 0.9, "Hello"), Utterance(0.5, 0.9, "there")]
    assert said(video_of(tmp_path), Parrot(words)) == [(0.5, 0.9, "Hello there")]


def test_every_piece_is_heard_at_its_own_time_and_progress_grows_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.video.sound, "PIECE_S", 1.0)
    monkeypatch.setattr(tools.video.sound, "CUT_WITHIN_S", 0.5)
    parrot = Parrot([Utterance(0.1, 0.3, "one")], [Utterance(0.1, 0.3, "two")])
    progress: list[float] = []
    pieces = list(transcribe(video_of(tmp_path), parrot, duration_s=2.0, progress=progress.append))
    (first,), (second,), *silent = pieces
    assert (first.text, second.text) == ("one", "two")
    assert not any(silent)
    assert second.start_s == pytest.approx(parrot.heard_s[0] + 0.1, abs=0.03)
    assert progress == sorted(progress)
    assert progress[-1] == 2.0


def test_a_piece_comes_before_the_next_is_heard_and_a_later_run_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.video.sound, "PIECE_S", 1.0)
    monkeypatch.setattr(tools.video.sound, "CUT_WITHIN_S", 0.5)
    video = video_of(tmp_path)
    words = [[Utterance(0.1, 0.3, "one"), Utterance(0.9, 4.0, "and")], [Utterance(0, 0.3, "two")]]
    whole = list(transcribe(video, Parrot(*words), duration_s=2.0))
    assert [[caption.text for caption in piece] for piece in whole[:2]] == [["one", "and"], ["two"]]
    first = Parrot(words[0])
    broken_off = transcribe(video, first, duration_s=2.0)
    assert next(broken_off) == whole[0]
    assert len(first.heard_s) == 1
    known_s = whole[0][-1].start_s
    assert list(transcribe(video, Parrot(words[1]), duration_s=2.0, known_s=known_s)) == whole[1:]


def test_words_after_the_end_of_a_piece_are_those_of_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools.video.sound, "PIECE_S", 1.0)
    (late,), *_ = transcribe(
        video_of(tmp_path), Parrot([Utterance(5.0, 6.0, "late")]), duration_s=2.0
    )
    assert late.end_s <= 1.0
    assert late.text == "late"


def test_a_video_without_sound_is_refused_before_anyone_listens(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(5, 5)))
    with pytest.raises(VideoError, match="nothing to transcribe"):
        said(video, Parrot())
