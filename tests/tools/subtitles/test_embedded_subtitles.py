"""Subtitle tracks inside videos: text on the video's own clock, or what else to do."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from tests.beeps import join
from tests.drawing import HEIGHT_PX, WIDTH_PX, draw_video, even_times, gray
from tools.errors import CaptionError, VideoError
from tools.subtitles.captions import subtitle_captions, subtitle_track
from tools.subtitles.embedded import embedded_tracks, read_embedded
from tools.video.reader import measure_duration_s, probe

MILLISECONDS = Fraction(1, 1000)


def draw_with_events(path: Path, *events: tuple[int, int, str], codec: str = "ass") -> Path:
    """Two seconds from 5 s on, with packets of a subtitle stream at and for milliseconds."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        subtitles: Any = container.add_stream(codec)
        subtitles.metadata["language"] = "deu"
        for index in range(50):
            frame = av.VideoFrame.from_ndarray(gray(index), format="rgb24")
            frame.time_base, frame.pts = Fraction(1, 25), index + 5 * 25
            container.mux(stream.encode(frame))
        for start_ms, length_ms, text in events:
            packet: Any = av.Packet(text.encode())
            packet.stream, packet.time_base = subtitles, MILLISECONDS
            packet.pts = packet.dts = start_ms
            packet.duration = length_ms
            container.mux(packet)
        container.mux(stream.encode(None))
    return path


def test_times_count_from_the_first_frame_and_not_from_where_the_file_says(tmp_path: Path) -> None:
    path = draw_with_events(
        tmp_path / "a.mkv",
        (5500, 700, r"0,0,Default,Bob,0,0,0,,Hello {\i1}there{\i0},\Nyou"),
        (6300, 100, r"1,0,Default,,0,0,0,,Bye"),
    )
    (track,) = embedded_tracks(path)
    assert (track.language, track.is_readable, track.advice) == ("deu", True, "")
    read = read_embedded(probe(path), track.index)
    assert [(cue.start_s, cue.end_s, cue.text) for cue in read.cues] == [
        (0.5, 1.2, "Bob: Hello there, you"),
        (1.3, 1.4, "Bye"),
    ]
    assert (read.language, read.warning) == ("deu", None)


def test_an_event_that_does_not_say_when_it_ends_is_named_by_its_number(tmp_path: Path) -> None:
    path = draw_with_events(
        tmp_path / "a.mkv", (5100, 500, "0,0,,,0,0,0,,Hi"), (6000, 0, "1,0,,,0,0,0,,for ever")
    )
    read = read_embedded(probe(path), 1)
    assert [cue.text for cue in read.cues] == ["Hi"]
    assert "a.mkv#1:2 at 1 s does not say when it ends" in str(read.warning)


def test_pictures_of_subtitles_are_named_with_what_to_do_instead(tmp_path: Path) -> None:
    path = draw_with_events(tmp_path / "a.mkv", (5500, 700, "no picture"), codec="dvbsub")
    assert not embedded_tracks(path)[0].is_readable
    with pytest.raises(CaptionError, match=r"stream 1: .* pictures \(dvbsub\).*off the screen"):
        read_embedded(probe(path), 1)


def test_a_stream_that_is_none_and_a_track_without_words_are_refused(tmp_path: Path) -> None:
    path = draw_with_events(tmp_path / "a.mkv", (5500, 700, r"0,0,,,0,0,0,,{\p1}m 0 0{\p0}"))
    with pytest.raises(CaptionError, match="no subtitle stream 0; its subtitle streams: 1"):
        read_embedded(probe(path), 0)
    with pytest.raises(CaptionError, match="no subtitle in it can be used"):
        read_embedded(probe(path), 1)
    silent = draw_video(tmp_path / "b.mp4", even_times(5, 5))
    assert embedded_tracks(silent) == []
    with pytest.raises(CaptionError, match="its subtitle streams: none"):
        read_embedded(probe(silent), 1)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("x")
    with pytest.raises(VideoError, match="cannot be read"):
        embedded_tracks(path)


def test_subtitles_beside_a_video_count_from_where_its_sound_begins(tmp_path: Path) -> None:
    late = draw_video(tmp_path / "a.mkv", even_times(25, 25), offset_s=0.4, sound_s=1.0)
    assert probe(late).file_start_s == pytest.approx(0.4, abs=0.03)
    alone = draw_video(tmp_path / "b.mkv", even_times(25, 25), offset_s=7.0)
    assert probe(alone).file_start_s == 0.0


REAL_TRACKS = {
    # Stream, codec, cues, and the first of them.
    "exo_sample_with_srt.mkv": (2, "srt", 1, (0.0, 1.234, "This is the first subtitle.")),
    "exo_sample_with_vtt_subtitles.mkv": (
        *(2, "webvtt", 1),
        (0.0, 1.234, "This is the first subtitle."),
    ),
    # The first frame of this one is shown at 0.067 s.
    "exo_sample_with_ssa_subtitles.mkv": (
        *(2, "ssa", 1),
        (-0.067, 0.433, "Olly: This is the first subtitle."),
    ),
    "exo_ssasample.mkv": (
        *(2, "ssa", 461),
        (4.233, 6.903, "Serinuma: The prince should be with the princess."),
    ),
    "tc_nasa_13013.mp4": (
        *(2, "mov_text", 4),
        (0.21, 4.26, "NAR: This is the optical and science segment of the Webb"),
    ),
}


@pytest.mark.data
@pytest.mark.parametrize("name", REAL_TRACKS)
def test_real_tracks_are_read(shared_data: Path, name: str) -> None:
    index, codec, cues, first = REAL_TRACKS[name]
    video = probe(shared_data / "odd_videos" / name)
    track = next(one for one in embedded_tracks(video.path) if one.index == index)
    assert (track.codec, track.is_default) == (codec, True)
    read = read_embedded(video, index)
    assert len(read.cues) == cues
    assert (read.cues[0].start_s, read.cues[0].end_s, read.cues[0].text) == first


@pytest.mark.data
def test_of_a_file_that_ends_early_only_the_subtitles_of_what_is_there_are_taken(
    shared_data: Path,
) -> None:
    video = probe(shared_data / "odd_videos" / "exo_ssasample.mkv")
    (track,) = embedded_tracks(video.path)
    made = subtitle_captions(
        read_embedded(video, track.index).cues,
        video_id=video.id,
        duration_s=measure_duration_s(video),
        track=subtitle_track(track, video=video.path),
    )
    assert made.warning == "459 subtitles lie outside the video, and 2 in it"


@pytest.mark.data
def test_teletext_and_closed_captions_are_named(shared_data: Path) -> None:
    folder = shared_data / "odd_videos"
    (teletext,) = embedded_tracks(folder / "exo_sample_teletext_subtitle.ts")
    assert "kind teletext cannot be read" in teletext.advice
    video = probe(folder / "exo_apple_hevc.mp4")
    with pytest.raises(CaptionError, match="kind cc_dec cannot be read; convert it to SubRip"):
        read_embedded(video, 1)


def test_text_follows_the_pictures_of_recordings_that_were_joined(tmp_path: Path) -> None:
    one = draw_with_events(tmp_path / "one.mkv", (5500, 700, "0,0,,,0,0,0,,here"))
    both = join(tmp_path / "both.mkv", [one, one])
    read = read_embedded(probe(both), 1)
    assert [(cue.start_s, cue.text) for cue in read.cues] == [(0.5, "here"), (2.5, "here")]
