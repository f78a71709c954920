"""Which of several subtitles of a video are read: the whole talk, in a language understood."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tools.subtitles.embedded import SubtitleTrack, embedded_tracks
from tools.subtitles.files import find_sidecars
from tools.subtitles.languages import is_language, language_in_words, language_of, translated_from

ENGLISH = "en"
"""Second to the user's language: it is what the built-in embedder knows best."""

# Words in the names of files and tracks that leave out most of the talk, or are not the talk.
_PARTIAL = frozenset(
    """
    forced foreign signs sign songs song lyrics karaoke commentary comments comment
    forces forcés forzados forzado forzati erzwungen parts narrative
    commentaires commentaire comentarios kommentar commento
    """.split()
)

# Of what a machine heard, and of what is written for the deaf as well.
_AUTOMATIC = frozenset("auto asr automatic generated".split())
_FOR_THE_DEAF = frozenset("sdh cc hi".split())


class SubtitleChoice(NamedTuple):
    """The subtitles that could be read.

    Attributes:
        chosen: What is read; None where nothing can be.
        others: What else could be.
        unreadable: Tracks inside the video that cannot be read; not looked for where a file beside
            it has the whole talk in the language wanted.
    """

    chosen: Path | SubtitleTrack | None
    others: list[Path | SubtitleTrack]
    unreadable: list[SubtitleTrack]


def choose_subtitles(video: Path, *, language: str = ENGLISH) -> SubtitleChoice:
    """Choose among the files beside a video and the tracks inside it.

    Forced subtitles, signs and commentaries give way to the whole talk, then other languages to the
    one wanted, then translations to what was said, then what a machine heard to what a person
    wrote; then a file beside the video, which somebody put there, comes before a track in it.

    Args:
        video: The file.
        language: The user's, in two letters.

    Raises:
        VideoError: If the video has to be looked into and cannot be read.
    """
    files = sorted(find_sidecars(video), key=lambda one: _worth_of_file(one, video, language))
    if files and _worth_of_file(files[0], video, language)[:2] == (False, 0):
        return SubtitleChoice(files[0], list(files[1:]), [])
    tracks = embedded_tracks(video)
    readable = [one for one in tracks if one.is_readable]
    readable.sort(key=lambda one: _worth_of_track(one, language))
    ranked: list[tuple[tuple[bool, int, bool, bool, int], Path | SubtitleTrack]] = [
        *(((*_worth_of_file(one, video, language)[:4], 0), one) for one in files),
        *(((*_worth_of_track(one, language)[:4], 1), one) for one in readable),
    ]
    # Sorting keeps the order of what is worth the same.
    ranked.sort(key=lambda one: one[0])
    both = [one for _, one in ranked]
    unreadable = [one for one in tracks if not one.is_readable]
    return SubtitleChoice(both[0] if both else None, both[1:], unreadable)


def choose_file(video: Path, *, language: str = ENGLISH) -> Path | None:
    """The file beside a video that is read; None where there is none, or a track is better.

    Raises:
        VideoError: If the video has to be looked into and cannot be read.
    """
    if not find_sidecars(video):
        return None
    chosen = choose_subtitles(video, language=language).chosen
    return chosen if isinstance(chosen, Path) else None


def _worth_of_file(
    file: Path, video: Path, wanted: str
) -> tuple[bool, int, bool, bool, bool, bool, str]:
    """What comes first is worth most."""
    said = file.stem[len(video.stem) :].strip(".")
    language = language_of(said.split("."))
    # The plain name is what players show, in whatever language it is.
    far = 0 if not said else _distance(language, wanted)
    return (
        _says(said, _PARTIAL),
        far,
        bool(translated_from(language)),
        _says(said, _AUTOMATIC),
        not said,
        _says(said, _FOR_THE_DEAF),
        file.name,
    )


def _worth_of_track(
    track: SubtitleTrack, wanted: str
) -> tuple[bool, int, bool, bool, bool, bool, int]:
    title = track.title or ""
    language = track.language or language_in_words(title)
    return (
        track.is_partial or _says(title, _PARTIAL),
        _distance(language, wanted),
        bool(translated_from(language)),
        _says(title, _AUTOMATIC),
        not track.is_default,
        _says(title, _FOR_THE_DEAF),
        track.index,
    )


def _distance(language: str | None, wanted: str) -> int:
    """How far a language is from the one wanted: 0 is that, 1 unknown, 2 English, 3 another."""
    if language is None:
        return 1
    return 0 if is_language(language, wanted) else 2 if is_language(language, ENGLISH) else 3


def _says(said: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(re.findall(r"[^\W\d_]+", said.casefold()))
