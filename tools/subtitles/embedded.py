"""Subtitle tracks inside a video, with their times on the video's own clock."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import av
from av.stream import Disposition
from av.subtitles.subtitle import AssSubtitle

from tools.errors import CaptionError
from tools.subtitles.ass import PACKET_FIELDS, event_lines
from tools.subtitles.cues import Cue, Problem, Subtitles, list_of, merge_repeats, plain_lines
from tools.video.hearing import all_behind_s
from tools.video.joined import joined_at
from tools.video.streams import open_container

if TYPE_CHECKING:
    from pathlib import Path

    from av import Packet
    from av.container import InputContainer
    from av.subtitles.stream import SubtitleStream

    from tools.video.reader import Video

# FFmpeg's decoders that give text with times. Of television's closed captions (`cc_dec`) the text
# comes a packet late, and the last one without its end.
TEXT_CODECS = frozenset({"ass", "mov_text", "srt", "ssa", "subrip", "text", "webvtt"})

PICTURE_CODECS = frozenset({"dvbsub", "dvdsub", "pgssub", "xsub"})

# Of a codec that FFmpeg has no decoder for, PyAV does not even tell the name; these are known.
TELETEXT = "teletext"
WEBVTT = "webvtt"
TTML = "ttml"
UNKNOWN = "unknown"

PARTIAL = Disposition.forced | Disposition.comment | Disposition.lyrics | Disposition.karaoke

# EN 300 472: the first byte of teletext in a transport stream.
_TELETEXT_FIRST_BYTES = range(0x10, 0x20)

_PACKETS_TO_TELL_A_CODEC = 2000

# A track that cannot be read on after this many attempts has ended.
_MAX_FAILURES = 32


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """One subtitle stream of a video file.

    Attributes:
        index: Number of the stream in the file.
        codec: FFmpeg's name, for example ``subrip``; ``unknown`` where it has none.
        language: As the file says it, for example ``eng``; None where it does not.
        title: As the file says it; None where it does not.
        is_default: Whether players show it unasked.
        is_partial: Whether the file marks it as forced, as a commentary, or as lyrics, so that it
            does not hold the whole talk.
        is_readable: Whether its text can be read here; ``advice`` says what else to do.
    """

    index: int
    codec: str
    language: str | None
    title: str | None
    is_default: bool
    is_readable: bool
    is_partial: bool = False

    @property
    def advice(self) -> str:
        """Why it cannot be read, and what can be done; empty where it can."""
        if self.is_readable:
            return ""
        if self.codec in PICTURE_CODECS:
            return (
                f"its subtitles are pictures ({self.codec}), not text; read text off the screen "
                "instead, or convert them to SubRip with a program for that"
            )
        return (
            f"text of the kind {self.codec} cannot be read; convert it to SubRip or WebVTT, and "
            "give that file"
        )


def embedded_tracks(path: Path) -> list[SubtitleTrack]:
    """The subtitle streams of a media file, in its own order; empty where it has none.

    Raises:
        VideoError: If it is not a media file.
    """
    with open_container(path) as container:
        return [_track(container, stream, path) for stream in container.streams.subtitles]


def read_embedded(video: Video, index: int) -> Subtitles:
    """Read one subtitle stream; times are seconds after the video's first presented frame.

    Raises:
        CaptionError: If there is no such stream, its text cannot be read, or it has none.
        VideoError: If the file cannot be opened any more.
    """
    name = f"{video.path}#{index}"
    with open_container(video.path) as container:
        streams = {stream.index: stream for stream in container.streams.subtitles}
        if index not in streams:
            there = ", ".join(str(one) for one in streams) or "none"
            raise CaptionError(
                f"{video.path} has no subtitle stream {index}; its subtitle streams: {there}"
            )
        track = _track(container, streams[index], video.path)
    if not track.is_readable:
        raise CaptionError(f"{video.path}, stream {index}: {track.advice}")
    with open_container(video.path) as container:
        parts = _Parts(joined_at(container), video)
        cues, problems = _read(container, index, _first_frame(container, video), parts)
    if not cues:
        why = f" ({list_of(problems, name)})" if problems else ""
        raise CaptionError(f"{video.path}, stream {index}: no subtitle in it can be used{why}")
    return Subtitles(
        name=name,
        cues=merge_repeats(cues),
        problems=tuple(problems),
        kind="subtitles",
        language=track.language,
        encoding="utf-8",
    )


def _track(container: InputContainer, stream: SubtitleStream, path: Path) -> SubtitleTrack:
    # Without a decoder there is no codec context, whatever the type says.
    context = getattr(stream, "codec_context", None)
    codec = context.name if context else _codec_by_content(path, container, stream.index)
    return SubtitleTrack(
        index=stream.index,
        codec=codec,
        language=_language(stream.metadata.get("language")),
        title=stream.metadata.get("title"),
        is_default=bool(stream.disposition & Disposition.default),
        is_readable=codec in TEXT_CODECS,
        is_partial=bool(stream.disposition & PARTIAL),
    )


def _language(said: str | None) -> str | None:
    return None if said in {None, "", "und"} else said


def _codec_by_content(path: Path, container: InputContainer, index: int) -> str:
    """Tell a codec that FFmpeg cannot name, by the first packet of it."""
    with open_container(path) as again:
        packets = islice(again.demux(), _PACKETS_TO_TELL_A_CODEC)
        first = next((bytes(one) for one in packets if one.stream_index == index and one.size), b"")
    if "mpegts" in container.format.name and first[:1] and first[0] in _TELETEXT_FIRST_BYTES:
        return TELETEXT
    if b"<tt" in first[:1000] and first.lstrip(b"\xef\xbb\xbf \r\n")[:1] == b"<":
        return TTML
    # Matroska's name for WebVTT (S_TEXT/WEBVTT) is not known to FFmpeg; its packets are plain text.
    if "matroska" in container.format.name and first and b"\0" not in first:
        try:
            first.decode("utf-8")
        except UnicodeDecodeError:
            return UNKNOWN
        return WEBVTT
    return UNKNOWN


def _first_frame(container: InputContainer, video: Video) -> Fraction:
    """Seconds on the file's clock at which the first frame is shown."""
    time_base = container.streams[video.stream_index].time_base
    return (video.first_pts or 0) * time_base if time_base else Fraction(0)


class _Parts:
    """Where a file goes on with another recording, whose clock begins anew, and when."""

    def __init__(self, places: tuple[int, ...], video: Video) -> None:
        self._places = places
        self._behind_s = all_behind_s(video) if places else [0.0]

    def behind_s(self, packet: Packet[SubtitleStream]) -> float:
        """What to add to a packet's seconds, so that they are the picture's."""
        part = bisect(self._places, packet.pos or 0)
        return self._behind_s[min(part, len(self._behind_s) - 1)]


def _read(
    container: InputContainer, index: int, first_frame: Fraction, parts: _Parts
) -> tuple[list[Cue], list[Problem]]:
    cues: list[Cue] = []
    problems: list[Problem] = []
    stream = next(one for one in container.streams.subtitles if one.index == index)
    packets = container.demux(stream)
    number = failures = 0
    while failures < _MAX_FAILURES:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            if not packet.size or packet.pts is None or not packet.time_base:
                continue
            number += 1
            lines = _lines(packet)
        except (av.FFmpegError, UnicodeDecodeError):
            failures += 1
            problems.append(Problem(number, "cannot be decoded"))
            continue
        begin = packet.pts * packet.time_base - first_frame
        behind_s = parts.behind_s(packet)
        begin_s = float(begin) + behind_s
        end_s = float(begin + (packet.duration or 0) * packet.time_base) + behind_s
        if lines and end_s <= begin_s:
            problems.append(Problem(number, f"at {begin_s:g} s does not say when it ends"))
        elif lines:
            cues.append(Cue(begin_s, end_s, lines))
    return cues, problems


def _lines(packet: Packet[SubtitleStream]) -> tuple[str, ...]:
    if getattr(packet.stream, "codec_context", None) is None:
        return plain_lines(bytes(packet).decode("utf-8"))
    lines: list[str] = []
    for part in packet.decode():
        # Every text decoder of FFmpeg gives events of ASS.
        event = part.ass.decode("utf-8", "replace") if isinstance(part, AssSubtitle) else ""
        lines += event_lines(event, PACKET_FIELDS) or ()
    return tuple(lines)
