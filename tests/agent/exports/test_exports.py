"""What ``ask`` writes for editors and players, read back by readers that are not ours."""

import csv
import json
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import opentimelineio as otio
import pytest
import webvtt

from agent.cli.main import main
from agent.errors import QueryError
from agent.exports.timecode import FrameClock, timeline_from
from agent.exports.video_rate import read_rate
from tests import drawing
from tests.beeps import draw_beeps
from tests.drawing import even_times
from tests.edited import edit
from tools.video.reader import probe

NTSC_30 = Fraction(30000, 1001)

TEXTS = [
    "an empty road",
    "an empty road",
    "a brown dog jumps over <b>a & b</b> --> fence",
    "a brown dog jumps high",
    "an empty road",
    "an empty road",
]
LINES = [{"start_s": at, "end_s": at + 1, "caption": text} for at, text in enumerate(TEXTS)]


def draw_video(path: Path, times_s: Sequence[float]) -> Path:
    return drawing.draw_video(path, times_s, picture=lambda index: drawing.gray(index // 4))


def one_gray(shade: int, _: int) -> drawing.Picture:
    return drawing.gray(shade)


@pytest.fixture(autouse=True)
def _quick(word_embedder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "road.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    return path


def export(
    video: Path, captions: Path, form: str, *options: str, query: str = "a brown dog jumps"
) -> Path:
    out = video.parent / f"out.{form}"
    words = ["ask", str(video), query, "--captions", str(captions), "--export", form, str(out)]
    assert main([*words, *options]) == 0
    return out


@pytest.mark.parametrize("rate", [NTSC_30, Fraction(60000, 1001), Fraction(24), Fraction(25)])
def test_timecodes_are_those_that_opentimelineio_reads(rate: Fraction) -> None:
    timeline = FrameClock(rate)
    for frame in (0, 1799, 1800, 3597, 3598, 17981, 17982, 17983, 107_891, 107_892, 250_001):
        read = otio.opentime.from_timecode(timeline.timecode(frame), float(rate))
        assert read.to_frames() == frame
        assert timeline_from(rate, timeline.timecode(frame)).start_frame == frame


@pytest.mark.parametrize("text", ["00:01:00:00", "01:00:00:30", "24:00:00:00", "1:0:0:0", "", "x"])
def test_a_timecode_that_no_frame_has_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="--start-timecode"):
        timeline_from(NTSC_30, text)


def test_every_frame_of_a_drop_frame_video_lies_on_itself(tmp_path: Path) -> None:
    times_s = even_times(90, float(NTSC_30))
    rate = read_rate(probe(draw_video(tmp_path / "ntsc.mkv", times_s)))
    assert (rate.timeline_hz, rate.note) == (NTSC_30, "")
    # Matroska keeps milliseconds.
    assert [FrameClock(NTSC_30).frame_at(round(time_s, 3)) for time_s in times_s] == list(range(90))


def test_a_varying_rate_is_said(tmp_path: Path) -> None:
    rate = read_rate(probe(draw_video(tmp_path / "v.mp4", [0, 0.1, 0.15, 0.5, 0.9, 1.0, 1.02])))
    assert "varies" in rate.note


def test_a_slow_video_lies_on_a_timeline_that_each_of_its_frames_begins_on(tmp_path: Path) -> None:
    rate = read_rate(probe(draw_video(tmp_path / "slow.mp4", even_times(20, 8.0))))
    assert rate.timeline_hz == 24
    assert "each of its frames is 3" in rate.note


def test_a_slow_video_whose_mean_is_a_little_off_lies_on_such_a_timeline_too(
    tmp_path: Path,
) -> None:
    times_s = [*even_times(60, 12.0), 4.97]
    rate = read_rate(probe(draw_video(tmp_path / "off.mkv", times_s)))
    assert rate.timeline_hz == 24
    assert "each of its frames is 2" in rate.note


def test_a_varying_slow_rate_takes_a_timeline_near_one_of_its_multiples(tmp_path: Path) -> None:
    times_s = [*even_times(12, 12.0), 1.4, 1.5, 1.53, 1.6]
    rate = read_rate(probe(draw_video(tmp_path / "v.mkv", times_s)))
    assert "varies" in rate.note
    assert rate.timeline_hz != Fraction(24000, 1001)


def test_a_video_that_was_cut_between_two_frames_keeps_its_rate(tmp_path: Path) -> None:
    whole = draw_beeps(tmp_path / "whole.mp4", range(4))
    rate = read_rate(probe(edit(tmp_path / "cut.mp4", whole, [(1.27, 4.0)])))
    assert (rate.timeline_hz, rate.note) == (Fraction(25), "")


def test_an_edl_is_read_by_opentimelineio_to_the_frame(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(150, 25.0))
    out = export(video, captions, "edl", "--start-timecode", "01:00:00:00")
    (clip,) = otio.adapters.read_from_file(str(out), rate=25).find_clips()
    assert clip.name == "road.mp4"
    assert clip.source_range.start_time.to_frames() == 50
    assert clip.source_range.duration.to_frames() == 50
    assert clip.markers[0].name == "a brown dog jumps"
    assert "01:00:02:00 01:00:04:00" in out.read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_edl_of_a_drop_frame_video_says_so(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(180, float(NTSC_30)))
    text = export(video, captions, "edl").read_text(encoding="utf-8")
    assert "FCM: DROP FRAME" in text
    assert "00:00:02;00 00:00:04;00" in text


def test_fcpxml_is_read_by_opentimelineio_to_the_frame(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road & <co>.mp4", even_times(150, 25.0))
    out = export(video, captions, "fcpxml", "--start-timecode", "01:00:00:00")
    (clip,) = otio.adapters.read_from_file(str(out)).find_clips()
    (marker,) = clip.markers
    assert clip.name == "road & <co>.mp4"
    assert marker.name == "a brown dog jumps"
    assert marker.marked_range.start_time.to_seconds() == 2
    assert marker.marked_range.duration.to_seconds() == 2


def test_a_vtt_is_read_by_webvtt_with_markup_as_text(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(150, 25.0))
    (cue,) = webvtt.read(str(export(video, captions, "vtt"))).captions
    assert (cue.start, cue.end) == ("00:00:02.000", "00:00:04.000")
    assert "&lt;b&gt;a &amp; b&lt;/b&gt; --&gt; fence" in cue.raw_text


@pytest.mark.slow
def test_an_exported_answer_is_no_evidence_for_the_next_one(
    tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(24, 4.0))
    words = ["ask", str(video), "a brown dog jumps", "--captions", str(captions), "--json"]
    beside = tmp_path / "road.vtt"
    assert main([*words, "--export", "vtt", str(beside)]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(words) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["intervals"] == first["intervals"]
    assert main([*words, "--subtitles", str(beside)]) == 2
    assert "holds answers that whenabouts wrote" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--captions", "--subtitles"])
def test_what_a_question_is_answered_from_is_not_written_over(
    option: str, tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(24, 4.0))
    before = captions.read_bytes()
    out = tmp_path / "also.vtt"
    out.symlink_to(captions)
    words = ["ask", str(video), "a dog", option, str(captions), "--export", "vtt", str(out)]
    assert main([*words, "--overwrite"]) == 2
    assert f"which {option} reads" in capsys.readouterr().err
    assert captions.read_bytes() == before


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(24, 4.0))
    out = tmp_path / ("n" * 251 + ".csv")
    words = ["ask", str(video), "a brown dog jumps", "--captions", str(captions)]
    assert main([*words, "--export", "csv", str(out)]) == 0
    assert out.stat().st_size


def test_chapters_are_read_by_ffmpeg(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(150, 25.0))
    out = export(video, captions, "chapters", query="a brown dog jumps;#=\\")
    with av.open(str(out), format="ffmetadata") as read:
        (chapter,) = read.chapters()
    base = chapter["time_base"]
    assert base
    assert [float(chapter["start"] * base), float(chapter["end"] * base)] == [2, 4]
    assert chapter["metadata"]["title"].rstrip() == "a brown dog jumps;#=\\"


def test_a_table_keeps_seconds_and_starts_no_formula(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(150, 25.0))
    with export(video, captions, "csv", query="=a brown dog jumps").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["start_s"], row["start_frame"], row["end_frame"]) == ("2.0", "50", "100")
    assert row["query"] == "'=a brown dog jumps"


def test_a_table_starts_no_formula_where_cells_end_with_a_semicolon(
    tmp_path: Path, captions: Path
) -> None:
    video = draw_video(tmp_path / "a; =x;@y.mp4", even_times(150, 25.0))
    out = export(video, captions, "csv", query="a brown dog jumps")
    with out.open(encoding="utf-8") as file:
        cells = [cell.strip('" ') for row in csv.reader(file, delimiter=";") for cell in row]
    assert len(cells) > 3
    assert not [cell for cell in cells if cell[:1] in set("=+-@")]


@pytest.mark.slow
def test_a_second_file_is_not_written_over_the_first_unless_told(
    tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(150, 25.0))
    out = export(video, captions, "json", query="a brown dog\u202e jumps\x9b")
    kept = out.read_bytes()
    # It may be looked at in a terminal, like what ask --json prints.
    assert b"dog\\u202e jumps\\u009b" in kept
    words = ["ask", str(video), "a brown dog jumps", "--export", "csv", str(out)]
    assert main(words) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_bytes() == kept
    assert main([*words, "--overwrite"]) == 0
    assert out.read_bytes() != kept
    seen = video.read_bytes()
    assert main([*words[:-1], str(video), "--overwrite"]) == 2
    assert video.read_bytes() == seen


def test_the_frames_of_the_evidence_are_written(tmp_path: Path, captions: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(150, 25.0))
    folder = tmp_path / "frames"
    words = ["ask", str(video), "a brown dog jumps", "--captions", str(captions)]
    assert main([*words, "--thumbnails", str(folder)]) == 0
    starts = list(folder.glob("*-start-2.000s.jpg"))
    assert len(starts) == 1
    with av.open(str(starts[0])) as picture:
        frame = next(picture.decode(video=0)).to_ndarray(format="rgb24")
    assert round(float(frame.mean()) / 5) == 12
    assert main([*words, "--thumbnails", str(folder)]) == 2


@pytest.mark.slow
def test_two_videos_lie_one_after_another(tmp_path: Path, captions: Path) -> None:
    videos = [
        drawing.draw_video(path, even_times(150, 25.0), picture=partial(one_gray, to))
        for to, path in ((10, tmp_path / "one.mp4"), (20, tmp_path / "two.mp4"))
    ]
    for video in videos:
        assert main(["index", str(video), "--captions", str(captions)]) == 0
    words = ["ask", *map(str, videos), "a brown dog jumps", "--export"]
    assert main([*words, "edl", str(tmp_path / "both.edl")]) == 0
    text = (tmp_path / "both.edl").read_text(encoding="utf-8")
    assert "00:00:02:00 00:00:04:00 00:00:02:00 00:00:04:00" in text
    assert "00:00:02:00 00:00:04:00 00:00:08:00 00:00:10:00" in text
    assert main([*words, "vtt", str(tmp_path / "both.vtt")]) == 2


@pytest.mark.parametrize(("start", "is_said"), [("23:59:58:00", True), ("23:59:50:00", False)])
def test_timecode_that_begins_again_after_a_day_is_said_to(
    tmp_path: Path,
    captions: Path,
    capsys: pytest.CaptureFixture[str],
    start: str,
    is_said: bool,
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 8.0))
    export(video, captions, "edl", "--start-timecode", start)
    assert ("timecode begins again at 00:00:00:00" in capsys.readouterr().err) == is_said


def test_a_dash_is_standard_output_which_holds_nothing_else(
    tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 6.0))
    asked = ["ask", str(video), "a brown dog jumps", "--captions", str(captions)]
    assert main([*asked, "--export", "csv", "-"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("video,query,start_s")
    assert "found" not in told.out
    assert "found  “a brown dog jumps”" in told.err
    assert main([*asked, "--export", "csv", "-", "--json"]) == 2
    assert "both print on standard output" in capsys.readouterr().err
    assert not Path("-").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "a.mp4", "a dog", "--clip", "-"],
        ["ask", "a.mp4", "a dog", "--plot=-"],
        ["ask", "a.mp4", "a dog", "--thumbnails", "-"],
        ["ask", "a.mp4", "a dog", "--trace", "-"],
        ["reel", "a dog", "--in", "a.mp4", "--out", "-"],
        ["eval", "own", "--out", "-"],
        ["tune", "train", "--out", "-"],
        ["demo", "--keep", "-"],
    ],
)
def test_no_other_option_writes_to_standard_output(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "would be standard output" in capsys.readouterr().err
