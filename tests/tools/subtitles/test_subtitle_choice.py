"""Of several subtitles the whole talk is read, in the language wanted; what cannot be is named."""

from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

from tests.drawing import draw_video, even_times
from tools.subtitles.choice import choose_file, choose_subtitles
from tools.subtitles.embedded import TTML, SubtitleTrack
from tools.subtitles.languages import translated_from

CUE = "1\n00:00:00,500 --> 00:00:01,500\nwords\n"


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "movie.mp4", even_times(20, 10))


@pytest.mark.parametrize(
    "names",
    [
        # The first one is to win over all others.
        ["movie.en.srt", "movie.en.forced.srt", "movie.de.srt"],
        ["movie.en.srt", "movie.forced.en.srt", "movie.de.forced.srt"],
        ["movie.en.srt", "movie.en-de.vtt"],
        ["movie.en.srt", "movie.srt"],
        ["movie.srt", "movie.forced.srt", "movie.fr.srt"],
        ["movie.eng.srt", "movie.eng (forced).srt", "movie.en.signs.srt"],
        ["movie.en.sdh.srt", "movie.en.signs & songs.srt", "movie.es.srt"],
        ["movie.English.srt", "movie.Dutch.srt", "movie.English.commentary.srt"],
        ["movie.en-US.vtt", "movie.de-en.vtt", "movie.de.vtt"],
        ["movie.en-de.vtt", "movie.de.vtt", "movie.en.forced.vtt"],
        ["movie.de.srt", "movie.en.forced.srt"],
        ["movie.en.srt", "movie.en.sdh.srt", "movie.en.cc.vtt"],
        ["movie.en.srt", "movie.en.auto.srt"],
        ["movie.[en].srt", "movie.(de).srt"],
        ["movie.de.srt", "movie.narrative.en.srt"],
    ],
)
def test_the_whole_talk_in_the_language_wanted_is_chosen(movie: Path, names: list[str]) -> None:
    for name in names:
        movie.with_name(name).write_text(CUE)
    chosen, others, _ = choose_subtitles(movie)
    assert isinstance(chosen, Path)
    assert chosen.name == names[0]
    assert choose_file(movie) == chosen
    assert len(others) == len(names) - 1


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("nb", "movie.no.srt"),
        ("no", "movie.nb.srt"),
        ("nn", "movie.nor.srt"),
        ("no", "movie.nob.srt"),
        ("he", "movie.iw.srt"),
        ("pt", "movie.pt-BR.srt"),
        ("zh", "movie.zh-Hant.srt"),
    ],
)
def test_a_language_is_known_by_any_of_its_signs(movie: Path, wanted: str, name: str) -> None:
    for one in (name, "movie.en.srt"):
        movie.with_name(one).write_text(CUE)
    assert choose_file(movie, language=wanted) == movie.with_name(name)


@pytest.mark.parametrize(
    ("language", "origin"),
    [
        ("en-de", "de"),
        ("de-en", "en"),
        ("en-DE", None),
        ("pt-br", None),
        ("en-us", None),
        ("es-es", None),
        ("zh-Hans", None),
        ("en", None),
        (None, None),
    ],
)
def test_a_translation_is_told_from_a_country(language: str | None, origin: str | None) -> None:
    assert translated_from(language) == origin


def test_a_name_that_looks_like_a_language_is_the_videos_own(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "read.de.mp4", even_times(10, 10))
    (tmp_path / "read.de.srt").write_text(CUE)
    (tmp_path / "read.de.fr.srt").write_text(CUE)
    assert choose_file(video) == tmp_path / "read.de.srt"


def draw_tracks(path: Path, tracks: list[dict[str, Any]]) -> Path:
    """A second of video with subtitle tracks of these marks in it."""
    source = path.with_suffix(".srt")
    source.write_text(CUE)
    picture = draw_video(path.with_name("picture.mp4"), even_times(20, 10))
    with av.open(str(picture)) as pictures, av.open(str(path), "w") as out:
        template = pictures.streams.video[0]
        video = out.add_stream_from_template(template)
        texts = [av.open(str(source)) for _ in tracks]
        streams = []
        for text, marks in zip(texts, tracks, strict=True):
            stream: Any = out.add_stream_from_template(text.streams.subtitles[0])
            stream.metadata.update({k: v for k, v in marks.items() if k != "disposition"})
            stream.disposition = marks.get("disposition", Disposition(0))
            streams.append(stream)
        for packet in pictures.demux(template):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
        for text, stream in zip(texts, streams, strict=True):
            for words in text.demux():
                if words.dts is not None:
                    words.stream = stream
                    out.mux(words)
            text.close()
    source.unlink()
    return path


FORCED, DEFAULT = Disposition.forced, Disposition.default


@pytest.mark.parametrize(
    "tracks",
    [
        # The last one is to win over all others.
        [{"language": "eng", "disposition": FORCED | DEFAULT}, {"language": "eng"}],
        [
            {"language": "eng", "title": "Signs & Songs", "disposition": DEFAULT},
            {"language": "eng"},
        ],
        [{"language": "ger", "disposition": DEFAULT}, {"language": "en-US"}],
        [{"language": "ger", "disposition": DEFAULT}, {}],
        [{"language": "eng", "disposition": Disposition.comment}, {"language": "ger"}],
        # Of no language but that of its title, and marked wrongly.
        [{"title": "Deutsch", "disposition": DEFAULT}, {"title": "English [SDH]"}],
        [{"language": "eng", "title": "Non-English parts only"}, {"language": "eng"}],
        [{"language": "eng", "title": "English SDH"}, {"language": "eng", "title": "English"}],
    ],
)
def test_tracks_inside_a_video_are_chosen_in_the_same_way(
    tmp_path: Path, tracks: list[dict[str, Any]]
) -> None:
    path = draw_tracks(tmp_path / "a.mkv", tracks)
    chosen, others, unreadable = choose_subtitles(path)
    assert isinstance(chosen, SubtitleTrack)
    assert chosen.index == len(tracks)
    assert (len(others), unreadable) == (len(tracks) - 1, [])


def test_a_whole_track_inside_wins_over_a_forced_or_foreign_file(tmp_path: Path) -> None:
    path = draw_tracks(tmp_path / "a.mkv", [{"language": "eng"}])
    for name in ("a.en.forced.srt", "a.de.srt"):
        path.with_name(name).write_text(CUE)
        assert isinstance(choose_subtitles(path).chosen, SubtitleTrack)
        assert choose_file(path) is None
    path.with_name("a.srt").write_text(CUE)
    assert choose_file(path) == path.with_name("a.srt")


@pytest.mark.data
def test_reported_videos_are_read_from_the_right_subtitles(shared_data: Path) -> None:
    cases = shared_data / "cases" / "media"
    chosen, others, _ = choose_subtitles(cases / "forced" / "movie.mp4")
    assert isinstance(chosen, Path)
    assert [chosen.name, *(one.name for one in others if isinstance(one, Path))] == [
        "movie.en.srt",
        "movie.en.forced.srt",
    ]
    inside, _, _ = choose_subtitles(cases / "forced_track.mkv")
    assert isinstance(inside, SubtitleTrack)
    assert inside.index == 2
    nothing, _, (ttml,) = choose_subtitles(cases / "ttml_only.mp4")
    assert nothing is None
    assert ttml.codec == TTML
    assert "text of the kind ttml cannot be read; convert it" in ttml.advice
