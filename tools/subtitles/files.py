"""Subtitle files: SubRip, WebVTT, SBV and ASS, in whatever state and encoding they are."""

from __future__ import annotations

import re
from pathlib import Path

from tools.errors import CaptionError
from tools.subtitles.ass import looks_like_ass, read_ass
from tools.subtitles.cues import (
    Cue,
    Kind,
    Subtitles,
    holds_no_words,
    list_of,
    merge_repeats,
)
from tools.subtitles.encoding import NotTextError, decode_text
from tools.subtitles.languages import language_in_name
from tools.subtitles.timed_text import TimedText, dialect_of, read_timed_text

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa", ".sbv")

OTHER_SUFFIXES = frozenset(".dfxp .idx .lrc .mks .sami .sbt .smi .stl .sub .sup .ttml .usf".split())
"""Of subtitles that cannot be read; an ``.idx`` belongs to the pictures in a ``.sub``."""

FORMATS = "SubRip (.srt), WebVTT (.vtt), ASS (.ass, .ssa) or SBV (.sbv)"

MAX_BYTES = 16 << 20
"""A day of talk is a fifth of this."""

ANSWERS_HEADER = "WEBVTT - answers by whenabouts"
"""First line of an exported answer, which lies where subtitles lie and is no evidence: read as
such, it would prove itself."""

_VIDEO_SUFFIXES = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()
)

_SIGN_CHARS = 2000
_UNREAD = {
    "TTML": re.compile(r"<(?:\w+:)?tt\b"),
    "SAMI": re.compile(r"<SAMI\b", flags=re.IGNORECASE),
    "MicroDVD (times counted in frames)": re.compile(r"\A\{\d+\}\{\d*\}"),
    "MPL2": re.compile(r"\A\[\d+\]\[\d*\]"),
    "LRC (lyrics)": re.compile(r"^\[\d{1,3}:\d\d(?:[.:]\d+)?\]", flags=re.MULTILINE),
    "JSON": re.compile(r"\A[\[{]\s*[\"{\[]"),
}

_KINDS: dict[str, Kind] = {
    "captions": "subtitles",
    "subtitles": "subtitles",
    "chapters": "chapters",
    "descriptions": "descriptions",
    "metadata": "metadata",
}


def read_subtitles(path: Path) -> Subtitles:
    """Read a subtitle file: the good cues, and what of it could not be used.

    The format is told by the content; the end of the name only decides where that does not. Chapter
    titles come as ``Chapter: …``; text that a cue repeats of the one before is said once.

    Raises:
        CaptionError: If it cannot be read, is not a subtitle file, or has no cue that can be used;
            one line that names the file and says what to do.
    """
    if _holds_answers(path):
        raise CaptionError(
            f"{path} holds answers that whenabouts wrote, not what is said; give the subtitles"
        )
    text, encoding, is_guessed = _text(path)
    found = _parse(text, path)
    kind = _kind(path, found)
    cues = merge_repeats(found.cues)
    if kind == "metadata":
        raise CaptionError(
            f"{path} holds data for programs, not words; give the subtitles or captions instead"
        )
    if not cues:
        why = f" ({list_of(found.problems, str(path))})" if found.problems else ""
        raise CaptionError(f"{path} holds no subtitle that can be used{why}; expected {FORMATS}")
    if kind == "chapters":
        cues = tuple(Cue(one.start_s, one.end_s, (f"Chapter: {one.text}",)) for one in cues)
    return Subtitles(
        name=str(path),
        cues=cues,
        problems=tuple(found.problems),
        kind=kind,
        language=found.header.get("language") or language_in_name(path),
        encoding=encoding,
        encoding_is_guessed=is_guessed,
    )


def find_sidecars(video: Path) -> list[Path]:
    """Subtitle files beside a video: ``VIDEO.srt``, ``VIDEO.en.vtt``, the plain name first.

    Exported answers are left out.
    A file that is named after another, longer-named video there is that one's.
    """
    return [path for path in _beside(video, frozenset(SUFFIXES)) if not _holds_answers(path)]


def find_unreadable(video: Path) -> list[Path]:
    """Subtitle files beside a video whose format cannot be read, by the ends of their names."""
    return _beside(video, OTHER_SUFFIXES)


def unreadable_advice(file: Path) -> str:
    """What can be done about a file that cannot be read."""
    return f"{file.suffix.lower()} files cannot be read; convert it to SubRip or WebVTT"


def _beside(video: Path, suffixes: frozenset[str]) -> list[Path]:
    try:
        names = sorted(entry.name for entry in video.parent.iterdir() if entry.is_file())
    except OSError:
        return []
    longer = {
        Path(name).stem
        for name in names
        if Path(name).suffix.lower() in _VIDEO_SUFFIXES
        and Path(name).stem.startswith(f"{video.stem}.")
    }
    found = []
    for name in names:
        stem, suffix = Path(name).stem, Path(name).suffix.lower()
        is_ours = stem == video.stem or stem.startswith(f"{video.stem}.")
        is_theirs = any(stem == one or stem.startswith(f"{one}.") for one in longer)
        if suffix in suffixes and is_ours and not is_theirs:
            found.append(name)
    found.sort(key=lambda name: (Path(name).stem != video.stem, name))
    return [video.parent / name for name in found]


def _holds_answers(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(ANSWERS_HEADER)) == ANSWERS_HEADER.encode()
    except OSError:
        return False


def _text(path: Path) -> tuple[str, str, bool]:
    try:
        size = path.stat().st_size
        if size == 0:
            raise CaptionError(f"{path} is empty; copy or download it again")
        if size > MAX_BYTES:
            raise CaptionError(
                f"{path} has {size / 1e6:.0f} MB, far more than subtitles have; is it the video? "
                f"Give a file of {FORMATS}"
            )
        content = path.read_bytes()
    except OSError as exc:
        raise CaptionError(
            f"cannot read the subtitles {path}: {exc.strerror}; check the path"
        ) from exc
    try:
        return decode_text(content, language=language_in_name(path))
    except NotTextError as exc:
        if b"-->" in content or b"Dialogue:" in content:
            raise CaptionError(
                f"{path}: its words are in no encoding that is known here; save it as UTF-8"
            ) from exc
        raise CaptionError(
            f"{path} is not text; is it the video? Give a file of {FORMATS}"
        ) from exc


def _parse(text: str, path: Path) -> TimedText:
    dialect = dialect_of(text, path.suffix.lower())
    if looks_like_ass(text) and not text.startswith("WEBVTT"):
        cues, problems = read_ass(text)
        return TimedText(cues, problems)
    found = read_timed_text(text, dialect) if dialect else TimedText()
    if not found.cues and (format_name := _unread_format(text)):
        raise CaptionError(f"{path} holds {format_name}, which is not read; expected {FORMATS}")
    if dialect is None:
        raise CaptionError(f"{path} holds no subtitle times; expected {FORMATS}")
    return found


def _unread_format(text: str) -> str | None:
    """The format of subtitles that cannot be read, by how they begin; None for none that is known.

    What a file is called tells little: downloaders give any of them the name of another.
    """
    begin = text[:_SIGN_CHARS].lstrip("\ufeff \t\r\n")
    return next((name for name, sign in _UNREAD.items() if sign.search(begin)), None)


def _kind(path: Path, found: TimedText) -> Kind:
    if holds_no_words(found.cues):
        return "metadata"
    said = found.header.get("kind", "").casefold()
    if said in _KINDS:
        return _KINDS[said]
    in_name = (_KINDS[part] for part in re.split(r"[.]", path.stem.casefold()) if part in _KINDS)
    return next(in_name, "subtitles")
