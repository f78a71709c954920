"""What is said in a video, beside its frames: found unasked, named, left out, or not to be had."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent import api
from agent.api import Grounder
from agent.cli.main import main
from agent.errors import CaptionerError, CaptionError
from agent.settings import load_settings
from agent.watching.runs import Runs
from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner, Titles
from tests.tiers import first_fast
from tools.captioners.screen import ScreenCaptioner
from tools.llm.budget import Budget, Limits
from tools.retrieval.tracks import is_beside
from tools.speech.transcript import Utterance
from tools.subtitles.origin import Origin, origin_of
from tools.timeline import Track
from tools.video.sound import SAMPLE_RATE_HZ

pytestmark = pytest.mark.usefixtures("word_embedder")


CUES = """1
00:00:01,000 --> 00:00:02,500
The ferry leaves at noon

2
00:00:04,000 --> 00:00:05,000
Mind the gap
"""


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 8.0))


def find(video: Path, query: str, **settings: object) -> tuple[api.Grounding, list[str]]:
    said: list[str] = []
    with Grounder(
        load_settings(**settings), captioner=BrightnessCaptioner(), tell=said.append
    ) as grounder:
        return grounder.find(video, query), said


def files_read() -> list[Path]:
    with Grounder() as grounder:
        origins = [origin_of(one.track) for one in grounder.records()]
    return [one.file for one in origins if one]


def test_subtitles_beside_a_video_are_read_when_it_is_indexed(road: Path) -> None:
    road.with_suffix(".srt").write_text(CUES)
    answer, said = find(road, "the ferry leaves at noon")
    assert (answer.intervals[0].start_s, answer.intervals[0].end_s) == (1.0, 2.5)
    sources = {one.source for one in answer.intervals[0].evidence}
    assert sources == {"subtitle", "vision"}
    assert said == []


def test_subtitles_that_are_off_or_of_another_film_are_left_out(road: Path, tmp_path: Path) -> None:
    (tmp_path / "river.srt").write_text(CUES)
    road.with_suffix(".srt").write_text(CUES)
    answer, _ = find(road, "the ferry leaves at noon", subtitles="off")
    assert all(one.source == "vision" for each in answer.intervals for one in each.evidence)


@pytest.mark.slow
def test_a_file_that_is_named_is_read_also_for_a_video_indexed_before(
    road: Path, tmp_path: Path
) -> None:
    find(road, "brightness 0")
    cues = tmp_path / "said.srt"
    cues.write_text(CUES)
    answer, _ = find(road, "mind the gap", subtitles=str(cues))
    assert (answer.intervals[0].start_s, answer.intervals[0].end_s) == (4.0, 5.0)
    assert answer.usage.captions == 0, "no frame is described for it"


def test_broken_subtitles_are_told_of_where_they_were_found_and_an_error_where_named(
    road: Path, tmp_path: Path
) -> None:
    road.with_suffix(".srt").write_text("nothing of the kind")
    answer, said = find(road, "brightness 0")
    assert answer.verdict == "found"
    assert len(said) == 1
    assert said[0].startswith("left out: ")
    assert "road.srt" in said[0]
    with pytest.raises(CaptionError, match=r"road\.srt"):
        find(road, "brightness 0", subtitles=str(road.with_suffix(".srt")))


@pytest.mark.slow
def test_subtitles_that_are_added_edited_or_deleted_later_are_read_again(road: Path) -> None:
    cues = road.with_suffix(".srt")
    find(road, "brightness 0")
    assert files_read() == []
    cues.write_text(CUES)
    answer, _ = find(road, "the ferry leaves at noon")
    assert answer.intervals[0].start_s == 1.0
    cues.write_text(CUES.replace("ferry", "zeppelin"))
    answer, said = find(road, "the zeppelin leaves at noon")
    assert answer.intervals[0].start_s == 1.0
    assert said == ["the captions read from road.srt are deleted: it has changed"]
    assert files_read() == [cues]
    cues.unlink()
    _, said = find(road, "brightness 0")
    assert said == ["the captions read from road.srt are deleted: it is gone"]
    assert files_read() == []


@pytest.mark.slow
def test_a_named_file_is_kept_and_takes_the_place_of_what_it_said_before(
    road: Path, tmp_path: Path
) -> None:
    cues = tmp_path / "elsewhere" / "said.srt"
    cues.parent.mkdir()
    cues.write_text(CUES)
    find(road, "mind the gap", subtitles=str(cues))
    assert find(road, "mind the gap")[0].intervals[0].start_s == 4.0
    cues.write_text(CUES.replace("Mind the gap", "All aboard"))
    answer, _ = find(road, "all aboard", subtitles=str(cues))
    assert answer.intervals[0].start_s == 4.0
    with Grounder() as grounder:
        assert sum(is_beside(one.track) for one in grounder.records()) == 1


@pytest.mark.slow
def test_a_named_file_takes_the_place_of_all_others_and_stands_until_another_is_named(
    road: Path,
) -> None:
    wrong, right = (road.with_name(f"{name}.srt") for name in ("wrong", "right"))
    road.with_suffix(".srt").write_text(CUES)
    wrong.write_text(CUES.replace("Mind the gap", "A treasure under the oak"))
    right.write_text(CUES.replace("Mind the gap", "All aboard"))

    find(road, "mind the gap")
    assert files_read() == [road.with_suffix(".srt")]
    find(road, "mind the gap", subtitles=str(wrong))
    assert files_read() == [wrong]
    answer, said = find(road, "a treasure under the oak")
    assert (answer.intervals[0].start_s, said) == (4.0, [])
    wrong.write_text(CUES.replace("Mind the gap", "A castle by the sea"))
    answer, said = find(road, "a castle by the sea")
    assert answer.intervals[0].start_s == 4.0
    assert said == ["wrong.srt has changed, and is read again"]
    wrong.unlink()
    assert find(road, "a castle by the sea")[0].intervals[0].start_s == 4.0
    find(road, "mind the gap", subtitles=str(right))
    assert files_read() == [right]


@pytest.mark.slow
def test_copies_of_a_video_keep_each_its_own_subtitles(road: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(road, tmp_path / "copy.mp4"))
    bare = Path(shutil.copy(road, tmp_path / "bare.mp4"))
    road.with_suffix(".srt").write_text(CUES)
    copy.with_suffix(".srt").write_text(CUES.replace("Mind the gap", "All aboard"))
    said_of = {road: "mind the gap", copy: "all aboard"}
    for video, words in said_of.items():
        answer, said = find(video, words)
        assert (answer.intervals[0].start_s, said) == (4.0, [])
    for video, other in {road: "all aboard", copy: "mind the gap", bare: "all aboard"}.items():
        answer, said = find(video, other)
        assert (answer.verdict, said) == ("not_found", [])
    assert len(files_read()) == 2
    copy.with_suffix(".srt").unlink()
    find(copy, "all aboard")
    assert find(road, "mind the gap")[0].intervals[0].start_s == 4.0


@pytest.mark.slow
def test_a_file_named_for_one_copy_is_not_read_for_another(road: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(road, tmp_path / "copy.mp4"))
    copy.with_suffix(".srt").write_text(CUES)
    named = tmp_path / "said.srt"
    named.write_text(CUES.replace("Mind the gap", "All aboard"))
    find(road, "all aboard", subtitles=str(named))
    assert find(copy, "mind the gap")[0].intervals[0].start_s == 4.0
    assert find(copy, "all aboard")[0].verdict == "not_found"
    assert find(road, "all aboard")[0].intervals[0].start_s == 4.0


@pytest.mark.slow
def test_a_video_that_moves_keeps_the_subtitles_that_were_named_for_it(
    road: Path, tmp_path: Path
) -> None:
    named = tmp_path / "said.srt"
    named.write_text(CUES)
    find(road, "mind the gap", subtitles=str(named))
    named.unlink()
    moved = road.rename(tmp_path / "moved.mp4")
    answer, said = find(moved, "mind the gap")
    assert (answer.intervals[0].start_s, said) == (4.0, [])
    assert files_read() == [named]


def test_what_an_earlier_version_read_of_a_file_is_of_no_known_copy() -> None:
    found = origin_of(Track("subtitles:0", "", "subtitles:road.srt"))
    assert found == Origin(Path("road.srt"), None, is_named=False)
    assert found.is_left_behind


@pytest.mark.slow
def test_subtitles_that_were_read_before_can_be_left_out_of_an_answer(road: Path) -> None:
    road.with_suffix(".srt").write_text(CUES)
    find(road, "the ferry leaves at noon")
    answer, _ = find(road, "the ferry leaves at noon", subtitles="off")
    assert all(one.source == "vision" for each in answer.intervals for one in each.evidence)
    assert find(road, "the ferry leaves at noon")[0].intervals[0].start_s == 1.0


def test_of_several_languages_it_is_said_which_is_read(road: Path) -> None:
    for language in ("de", "en", "fr"):
        road.with_suffix(f".{language}.srt").write_text(CUES)
    (told,) = find(road, "the ferry leaves at noon")[1]
    assert told.startswith("reads the subtitles road.en.srt, not road.de.srt, road.fr.srt; ")
    assert "--subtitles FILE" in told
    assert find(road, "the ferry leaves at noon")[1] == [], "once"


@pytest.mark.parametrize(
    ("variables", "read"),
    first_fast(
        ({"WHENABOUTS_LANGUAGE": "de", "LANG": "fr_FR.UTF-8"}, "road.de.srt"),
        ({"LANG": "fr_FR.UTF-8"}, "road.fr.srt"),
        ({"WHENABOUTS_LANGUAGE": "de"}, "road.de.srt"),
        ({"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, "road.en.srt"),
        ({"LANG": "nl_NL.UTF-8"}, "road.en.srt"),
        fast=2,
    ),
)
def test_subtitles_in_the_users_language_come_first(
    variables: dict[str, str], read: str, road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE", "WHENABOUTS_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for language in ("de", "en", "fr"):
        road.with_suffix(f".{language}.srt").write_text(CUES)
    (told,) = find(road, "the ferry leaves at noon")[1]
    assert told.startswith(f"reads the subtitles {read}, not ")
    assert files_read() == [road.with_name(read)]


@pytest.mark.slow
@pytest.mark.data
def test_subtitles_inside_a_video_that_cannot_be_read_are_named(shared_data: Path) -> None:
    _, said = find(shared_data / "cases" / "media" / "ttml_only.mp4", "mind the gap")
    (told,) = [line for line in said if "subtitles" in line]
    assert told.startswith("left out: subtitles of no known language (stream 2 of the video): ")
    assert "ttml cannot be read; convert it to SubRip or WebVTT" in told


def test_an_answer_says_where_a_player_counts_differently(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "late.mkv", even_times(48, 8.0), offset_s=1.5, sound_s=7.5)
    answer, _ = find(path, "gray 20")
    assert answer.video.file_start_s == pytest.approx(1.5, abs=0.03)
    assert "in a player, add 1.5 s" in answer.warning


@pytest.mark.slow
def test_people_who_speak_at_once_are_both_heard(road: Path) -> None:
    road.with_suffix(".vtt").write_text(
        "WEBVTT\n\n00:01.000 --> 00:04.000\nthe ferry leaves\n\n"
        "00:02.000 --> 00:03.000\nmind the gap\n\n00:03.500 --> 00:05.000\nall aboard\n"
    )
    assert find(road, "mind the gap")[0].intervals[0].start_s == 2.0
    assert find(road, "all aboard")[0].intervals[0].start_s == 3.5


def test_a_speech_model_that_is_not_here_is_an_error_with_advice(road: Path) -> None:
    with pytest.raises(CaptionerError, match="no/such/model"):
        find(road, "brightness 0", speech="/no/such/model")


@pytest.mark.parametrize(
    ("asked_for", "complaint"),
    [({"speech": "/no/such/model"}, "/no/such/model"), ({"subtitles": "no.srt"}, r"no\.srt")],
)
def test_what_cannot_be_had_is_said_before_a_frame_is_described(
    asked_for: dict[str, str], complaint: str, road: Path
) -> None:
    with pytest.raises((CaptionerError, CaptionError), match=complaint):
        find(road, "brightness 0", **asked_for)
    with Grounder() as grounder:
        assert grounder.records() == []


class Heard:
    """Hears a word in every tenth of a second."""

    model, mode = "parrot-1", "speech"

    def __init__(self, name: str) -> None:
        assert name

    def __call__(self, samples: NDArray[np.float32]) -> Iterator[Utterance]:
        for tenth in range(samples.size * 10 // SAMPLE_RATE_HZ):
            yield Utterance(tenth / 10, (tenth + 1) / 10, f"word {tenth}")


def budget_of(minutes: float) -> Budget:
    """One with these minutes left, however late it is."""
    now_s = 0.0
    budget = Budget(Limits(max_minutes=1.0), clock=lambda: now_s)
    now_s = 60 * (1 - minutes)
    return budget


def finished_beside() -> list[int]:
    with Grounder() as grounder:
        tracks = [one for one in grounder.records() if is_beside(one.track)]
        return [one.captions for one in tracks if one.complete]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minutes", "says"),
    [(0.0, "the screen of road.mp4 is not read"), (1e-9, "text on the screen: ")],
)
def test_the_screen_is_read_within_the_minutes(
    minutes: float, says: str, road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")
    find(road, "brightness 0")
    with monkeypatch.context() as used:
        used.setattr(Runs, "budget", lambda _: budget_of(minutes))
        answer, (told,) = find(road, "brightness 0", screen=True)
    assert answer.verdict == "found"
    assert says in told
    assert finished_beside() == []
    assert find(road, "brightness 0", screen=True)[1] == []
    assert len(finished_beside()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minutes", "says"),
    first_fast((0.0, "is not listened to"), (1e-9, "not listened to until its end")),
)
def test_it_is_listened_to_within_the_minutes(
    minutes: float, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.speech.whisper.Whisper", Heard)
    video = draw_video(tmp_path / "talk.mkv", even_times(24, 8.0), sound_s=3.0)
    find(video, "brightness 0")
    with monkeypatch.context() as used:
        used.setattr(Runs, "budget", lambda _: budget_of(minutes))
        answer, (told,) = find(video, "brightness 0", speech="small")
    assert answer.verdict == "found"
    assert says in told
    assert finished_beside() == []
    assert find(video, "brightness 0", speech="small")[1] == []
    assert finished_beside() == [30]


@pytest.mark.slow
def test_listening_that_was_broken_off_goes_on_with_the_piece_it_was_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces_s: list[float] = []
    broken_off = [False, True, False, False, False]

    class Interrupted(Heard):
        def __call__(self, samples: NDArray[np.float32]) -> Iterator[Utterance]:
            pieces_s.append(samples.size / SAMPLE_RATE_HZ)
            if broken_off.pop(0):
                raise KeyboardInterrupt
            return super().__call__(samples)

    monkeypatch.setattr("tools.speech.whisper.Whisper", Interrupted)
    monkeypatch.setattr("tools.video.sound.PIECE_S", 1.0)
    monkeypatch.setattr("tools.video.sound.CUT_WITHIN_S", 0.5)
    video = draw_video(tmp_path / "talk.mkv", even_times(24, 8.0), sound_s=3.0)
    with pytest.raises(KeyboardInterrupt):
        find(video, "brightness 0", speech="small")
    assert finished_beside() == []
    find(video, "brightness 0", speech="small")
    assert len(finished_beside()) == 1
    first, again, *others = pieces_s
    assert others[0] == again != first
    assert first + sum(others) == pytest.approx(3.0, abs=0.05)


@pytest.mark.slow
def test_captions_and_dollars_that_are_used_leave_the_screen_to_be_read(road: Path) -> None:
    pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")
    _, said = find(road, "brightness 0", screen=True, max_captions=2)
    assert said == []
    assert len(finished_beside()) == 1


@pytest.mark.slow
@pytest.mark.data
def test_subtitles_inside_a_video_are_read(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = shared_data / "odd_videos" / "exo_sample_with_srt.mkv"
    assert main(["index", str(video), "--captioner", "classical"]) == 0
    assert re.search(
        r"captions? by classical-5\S*, \d+ captions? by subtitles", capsys.readouterr().out
    )
    with Grounder() as grounder:
        beside = [record for record in grounder.records() if is_beside(record.track)]
    assert len(beside) == 1
    assert beside[0].captions > 0


@pytest.mark.parametrize(
    ("track", "beside"),
    [
        (Track("subtitles:abc", "", "subtitles"), True),
        (Track("whisper:small", "", "speech:de"), True),
        (Track(ScreenCaptioner(Titles(lambda _: "")).model, "", "frame@1/s"), True),
        (Track("openai:tiny", "v1", "frame@1/s"), False),
        (Track("file:abc", "", "file"), False),
    ],
)
def test_what_stands_beside_is_told_by_its_track(track: Track, beside: bool) -> None:
    assert is_beside(track) == beside
