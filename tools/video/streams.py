"""Which streams of a media file are its video and the sound of that video."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from tools.errors import VideoError
from tools.video.boxes import lacks_index
from tools.video.playlist import check_playlist

if TYPE_CHECKING:
    from pathlib import Path

    from av import AudioStream, VideoStream
    from av.container import InputContainer
    from av.stream import Stream

# Demuxers that take any text or bytes with the right file name extension for a picture.
_NOT_VIDEO_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})

# What they show is in other files, which may change while the list stays as it is.
_LISTS = frozenset({"concat", "dash", "imf"})

# Brands of ISO 23008-12 and AVIF: of a picture, and of those with pictures in a row beside it.
_PICTURE_BRANDS = frozenset("avif heic heix heim heis mif1 miaf".split())
_SEQUENCE_BRANDS = frozenset("avis hevc hevx hevm hevs msf1".split())

# No more than these make a still, a title or the preview of a video.
_FEW_PICTURES = 4

# How far to read, and past how many failures, to tell such a track from one that goes on.
_PACKETS_TO_COUNT = 2000
_MAX_FAILURES = 32

_FOR_SOME = Disposition.visual_impaired | Disposition.hearing_impaired | Disposition.comment

MAX_PIXELS = 12_288 * 6_480
"""Of a frame: the largest that cameras record; a file of a few kilobytes can claim any size."""


def open_container(path: Path, *, with_edits: bool = True) -> InputContainer:
    """Open a media file for reading.

    Args:
        path: The file.
        with_edits: Whether the edit list of an MP4 counts; else times are those of its tracks.

    Raises:
        VideoError: If it is not a media file, or gone.
    """
    check_playlist(path)
    try:
        # "file:" keeps a name such as "-" or "concat:a" from meaning something else, and the
        # whitelist keeps a playlist from reaching the network.
        options = {"protocol_whitelist": "file"}
        if not with_edits:
            options["ignore_editlist"] = "1"
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        if isinstance(error, FileNotFoundError):
            raise VideoError(
                f"{path} is gone: it was deleted or moved meanwhile; put it back, or give its new "
                "path"
            ) from error
        if _is_animated_webp(path):
            raise _no_animated_webp(path) from error
        if lacks_index(path):
            raise VideoError(
                f"{path} has no index (moov): its recording was not finished, or is still going "
                "on; wait for its end, or repair it first"
            ) from error
        raise VideoError(
            f"{path} cannot be read as a video ({error.strerror}); "
            "check that it is complete, not encrypted, and really a video"
        ) from error
    if container.format.name in _LISTS:
        container.close()
        raise VideoError(f"{path} is a list of other files, not a video; give one of those")
    if container.format.name in _NOT_VIDEO_FORMATS:
        container.close()
        raise VideoError(f"{path} is text or data, not a video; give a video file")
    if container.format.name == "webp_pipe" and _is_animated_webp(path):
        container.close()
        raise _no_animated_webp(path)
    is_picture = container.format.name == "image2" or container.format.name.endswith("_pipe")
    if is_picture or _holds_one_picture(container):
        container.close()
        raise VideoError(f"{path} is a picture, not a video; give a video file")
    return container


def _holds_one_picture(container: InputContainer) -> bool:
    """Whether an MP4 is one of HEIF or AVIF with a picture, maybe in tiles, and nothing else."""
    brands = container.metadata.get("compatible_brands", "")
    major = container.metadata.get("major_brand", "")
    named = {brands[at : at + 4] for at in range(0, len(brands), 4)}
    return major in _PICTURE_BRANDS and not named & _SEQUENCE_BRANDS


def _is_animated_webp(path: Path) -> bool:
    """By the extended header of Google's WebP container: its flag 2 says animation."""
    try:
        with path.open("rb") as file:
            head = file.read(21)
    except OSError:
        return False
    is_extended = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
    return is_extended and len(head) == 21 and bool(head[20] & 2)


def _no_animated_webp(path: Path) -> VideoError:
    return VideoError(
        f"{path} is an animated WebP, which the decoder here cannot read; convert it to MP4 or GIF"
    )


def choose_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream that is read; see ``by_choice``.

    Raises:
        VideoError: As ``by_choice``.
    """
    return by_choice(container, path)[0]


def by_choice(container: InputContainer, path: Path) -> list[VideoStream]:
    """The videos in a file, first the one that is read, as a player would show it.

    That is the one marked as the default, then the larger one, then the first; but neither cover
    art nor a track of a few pictures wins over one that goes on, whatever it is marked as. The
    packets that are read for that are not given back.

    Raises:
        VideoError: If there is none, or its frames are too large.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        kinds = kinds.replace("video", "cover art")
        raise VideoError(f"{path} has no video in it, only {kinds}; give a video file")
    # Without a decoder there is no codec context, whatever the type says.
    decodable = [stream for stream in streams if getattr(stream, "codec_context", None)]
    if not decodable:
        raise VideoError(f"{path}: no decoder for its video; convert it to H.264 first")
    lasting = _lasting(container, decodable) if len(decodable) > 1 else decodable
    lasting.sort(key=lambda one: (not _is_default(one), -one.width * one.height, one.index))
    chosen = lasting[0]
    if chosen.width * chosen.height > MAX_PIXELS:
        raise VideoError(
            f"{path} has frames of {chosen.width} × {chosen.height} pixels, and at most "
            f"{MAX_PIXELS:,} pixels are decoded; make it smaller first"
        )
    return lasting


def told_choice(videos: list[VideoStream]) -> str:
    """Which of several videos is read, in a few words; empty where there is one.

    Args:
        videos: As ``by_choice`` gives them.
    """
    if len(videos) < 2:
        return ""
    chosen, *others = (f"stream {one.index} ({one.width} × {one.height})" for one in videos)
    is_marked = _is_default(videos[0]) and not _is_default(videos[1])
    why = ", marked as the default," if is_marked else ""
    return f"it holds {len(videos)} videos: {chosen}{why} is read, not {', '.join(others)}"


def _is_default(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _lasting(container: InputContainer, streams: list[VideoStream]) -> list[VideoStream]:
    """Those of the streams that have more than a few pictures; all of them where none has."""
    pictures = dict.fromkeys((stream.index for stream in streams), 0)
    failures = packets = 0
    demuxed = container.demux(streams)
    while failures < _MAX_FAILURES and packets < _PACKETS_TO_COUNT:
        if min(pictures.values()) > _FEW_PICTURES:
            break
        try:
            packet = next(demuxed, None)
        except av.FFmpegError:
            failures += 1
            continue
        if packet is None:
            break
        packets += 1
        pictures[packet.stream.index] += bool(packet.size)
    lasting = [stream for stream in streams if pictures[stream.index] > _FEW_PICTURES]
    return lasting or streams


def choose_sound(container: InputContainer, video: int) -> AudioStream | None:
    """The sound that a player would play with a video: of its programme, where a file has several.

    Of several, it is the one marked as the default, else the first one that is not for the blind,
    nor for the deaf, nor a comment.

    Args:
        container: The open file.
        video: Which of its streams is shown.

    Returns:
        None where no sound belongs to the video, or there is no decoder for it.
    """
    picture = container.streams[video]
    ours = [
        stream
        for stream in container.streams.audio
        if getattr(stream, "codec_context", None)
        and _first_picture(container, stream) == _first_picture(container, picture)
    ]
    return min(
        ours,
        key=lambda one: (
            # Announced, but there is nothing in it.
            not one.codec_context.sample_rate,
            bool(one.disposition & _FOR_SOME),
            not one.disposition & Disposition.default,
            one.index,
        ),
        default=None,
    )


def _first_picture(container: InputContainer, stream: Stream) -> int | None:
    """Which video leads the programme of a stream: all that can be told of programmes here."""
    found = container.streams.best("video", related=stream)
    return found.index if found else None


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a stored pixel over its height; 1 where the stream says nothing believable."""
    aspect = stream.sample_aspect_ratio
    return aspect if aspect and Fraction(1, 8) <= aspect <= 8 else Fraction(1)
