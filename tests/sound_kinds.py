"""How far sound and picture are apart, over kinds of files: ``python -m tests.sound_kinds``.

Each file flashes and beeps once a second. Measured are clips, by their own decoded timestamps, and
the sound that is transcribed beside the frames that are described.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from tests.beeps import (
    Measured,
    cut_without_decoding,
    draw_beeps,
    join,
    tone_hz,
    two_programmes,
)
from tests.edited import edit
from tools.terminal import put
from tools.timeline import Interval
from tools.video.clip import write_clip
from tools.video.reader import FrameReader, Video, measure_duration_s, probe
from tools.video.sound import SAMPLE_RATE_HZ, read_sound

WRAP_S = 2**33 / 90_000
"""Where the clock of a transport stream begins again at 0."""


class Apart(NamedTuple):
    """How far a file's beeps are from its flashes, at most.

    Attributes:
        clip_s: In clips of the whole and of parts.
        speech_s: In what is transcribed and described.
        seconds: Which seconds the clip of the whole shows, by their tones; -1 where it is silent.
    """

    clip_s: float
    speech_s: float
    seconds: list[int]


def _parts(folder: Path, suffix: str, *clocks_s: float, **how: list[Any]) -> Path:
    parts = []
    for index, clock_s in enumerate(clocks_s):
        options = {name: values[index] for name, values in how.items()}
        span = range(3 * index, 3 * index + 3)
        parts.append(draw_beeps(folder / f"{index}{suffix}", span, clock_s=clock_s, **options))
    return join(folder / f"joined{suffix}", parts)


def _one(suffix: str, **how: Any) -> Callable[[Path], Path]:
    return lambda folder: draw_beeps(folder / f"a{suffix}", range(6), **how)


def _joined(*clocks_s: float, suffix: str = ".ts", **how: list[Any]) -> Callable[[Path], Path]:
    return lambda folder: _parts(folder, suffix, *clocks_s, **how)


def _cut(suffix: str, from_s: float) -> Callable[[Path], Path]:
    return lambda folder: cut_without_decoding(
        folder / f"cut{suffix}", draw_beeps(folder / "whole.mp4", range(6)), from_s
    )


def _edited(*pieces_s: tuple[float, float]) -> Callable[[Path], Path]:
    return lambda folder: edit(
        folder / "edited.mp4", draw_beeps(folder / "whole.mp4", range(6)), pieces_s
    )


def _programmes(folder: Path) -> Path:
    numbers = {"mpegts_start_pid": "0x200", "mpegts_pmt_start_pid": "0x1100"}
    numbers["mpegts_service_id"] = "2"
    first = draw_beeps(folder / "1.ts", range(6), sound_codec="mp2")
    second = draw_beeps(folder / "2.ts", range(6), sound_codec="mp2", options=numbers, tone=3000.0)
    return two_programmes(folder / "both.ts", first, second)


_MPEG = {"video_codec": "mpeg2video", "sound_codec": "mp2"}
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

ALL, LATER, FEWER = list(range(6)), [-1, 1, 2, 3, 4, 5], [0, 1, 2, -1, -1, -1]

KINDS: dict[str, tuple[Callable[[Path], Path], list[int]]] = {
    "clock set back": (_joined(50.0, 10.0), ALL),
    "clock set back by a little": (_joined(10.0, 11.52), ALL),
    "clock set ahead": (_joined(10.0, 500.0), ALL),
    "clock set ahead, then back": (_joined(5.0, 4000.0, 20.0), list(range(9))),
    "gap of 5 s": (_joined(10.0, 18.0), ALL),
    "clock set back, programme stream": (
        _joined(50.0, 10.0, suffix=".mpg", video_codec=["mpeg2video"] * 2, sound_codec=["mp2"] * 2),
        ALL,
    ),
    "joined, then sound late": (_joined(10.0, 10.0, sound_from_s=[0.0, 1.23]), [0, 1, 2, -1, 4, 5]),
    "joined, sound early": (_joined(50.0, 10.0, pictures_from_s=[0.0, 1.2]), [0, 1, 2, 4, 5]),
    "clock runs over": (_one(".ts", clock_s=WRAP_S // 1 - 3), ALL),
    "clock runs over, MPEG-2": (_one(".ts", clock_s=WRAP_S // 1 - 3, **_MPEG), ALL),
    "clock runs over, programme stream": (_one(".mpg", clock_s=WRAP_S // 1 - 3, **_MPEG), ALL),
    "clock set ahead, then runs over": (_joined(10.0, WRAP_S // 1 - 1), ALL),
    "clock runs over, then set back": (_joined(WRAP_S // 1 - 1, 10.0), ALL),
    "joined AVI": (
        _joined(0.0, 0.0, suffix=".avi", video_codec=["mpeg4"] * 2, sound_codec=["mp2"] * 2),
        ALL,
    ),
    "joined Matroska": (_joined(0.0, 0.0, suffix=".mkv"), ALL),
    "joined fragments": (_joined(0.0, 0.0, suffix=".mp4", options=[_FRAGMENTS] * 2), ALL),
    "two programmes": (_programmes, ALL),
    "three sounds": (_one(".ts", sounds=3), ALL),
    "three sounds in MP4": (_one(".mp4", sounds=3), ALL),
    "stereo, then 5.1": (
        _joined(1.0, 4.0, layout=["stereo", "5.1"], sound_codec=["ac3"] * 2),
        ALL,
    ),
    "stereo, then mono": (_joined(1.0, 4.0, layout=["stereo", "mono"]), ALL),
    "48, then 44.1 kHz": (_joined(1.0, 4.0, rate_hz=[48_000, 44_100]), ALL),
    "sound late": (_one(".mp4", sound_from_s=1.23), LATER),
    "sound late in Matroska": (_one(".mkv", sound_from_s=1.23), LATER),
    "sound early": (_one(".mp4", pictures_from_s=1.2), ALL[1:]),
    "sound early in Matroska": (_one(".mkv", pictures_from_s=1.2), ALL[1:]),
    "sound longer": (_one(".mp4", sound_until_s=8.0), ALL),
    "sound shorter": (_one(".mp4", sound_until_s=3.1), FEWER),
    "begins at 7 s": (_one(".mp4", clock_s=7.0), ALL),
    "begins at 7 s in Matroska": (_one(".mkv", clock_s=7.0), ALL),
    "begins at 7 s in fragments": (_one(".mp4", clock_s=7.0, options=_FRAGMENTS), ALL),
    "begins before 0": (_one(".mp4", clock_s=-1.0), ALL[1:]),
    "begins before 0 in Matroska": (_one(".mkv", clock_s=-1.0), ALL),
    "cut between two pictures": (_cut(".mp4", 1.3), ALL[1:]),
    "cut between two pictures, MOV": (_cut(".mov", 2.77), ALL[3:]),
    "edited": (_edited((1.25, 6.0)), ALL[1:]),
    "edited, pieces from pictures on": (_edited((0.0, 1.2), (3.0, 6.0)), [0, 3, 4, 5]),
    "edited, pieces between pictures": (
        _edited((0.1, 1.1), (2.05, 3.05), (4.07, 6.0)),
        [0, 2, 4, 5],
    ),
    "edited, another order": (_edited((2.97, 6.0), (0.0, 3.0)), [3, 4, 5, 0, 1, 2]),
    "edited, a piece twice": (_edited((1.05, 3.0), (1.05, 3.0)), [1, 2, 1, 2]),
    "cut, Matroska": (_cut(".mkv", 1.3), ALL[1:]),
}
"""How each kind is drawn, and which seconds are shown with sound."""


def measure(path: Path) -> Apart:
    """How far sound and picture of a file are apart."""
    video = probe(path)
    until_s = measure_duration_s(video)
    worst_s, seconds = 0.0, list[int]()
    for index, from_s in enumerate((0.0, 1.3, 2.7)):
        out = path.with_name(f"clip{index}.mp4")
        write_clip(video, Interval(from_s, until_s), out)
        clip = Measured(out)
        for flash_s in clip.flashes_s:
            second = -1
            if clip.beeps_at(flash_s):
                worst_s = max(worst_s, abs(clip.beep_after_flash_s(flash_s)))
                second = round((clip.hz_at(flash_s) - tone_hz(0)) / (tone_hz(1) - tone_hz(0)))
            if index == 0:
                seconds.append(second)
    return Apart(worst_s, max(_speech_apart_s(video)), seconds)


def _speech_apart_s(video: Video) -> Iterator[float]:
    pieces = list(read_sound(video))
    wave = np.zeros(round((max(one.end_s for one in pieces) + 1) * SAMPLE_RATE_HZ), np.float32)
    for one in pieces:
        at = round(one.start_s * SAMPLE_RATE_HZ)
        samples = one.samples[max(0, -at) :]
        wave[max(0, at) : max(0, at) + samples.size] = samples
    frames = [(one.time_s, float(one.image.mean())) for one in FrameReader(video, rate_hz=50)]
    heard = Measured.of(frames, wave, SAMPLE_RATE_HZ)
    yield 0.0
    for flash_s in heard.flashes_s:
        if heard.beeps_at(flash_s):
            yield abs(heard.beep_after_flash_s(flash_s))


def main() -> None:
    """Draw, measure and print every kind."""
    put("kind                                 clip ms   speech ms   seconds shown")
    for name, (draw, seconds) in KINDS.items():
        with TemporaryDirectory() as folder:
            apart = measure(draw(Path(folder)))
        note = "" if apart.seconds == seconds else f"   EXPECTED {seconds}"
        ms = f"{1000 * apart.clip_s:7.1f}   {1000 * apart.speech_s:9.1f}"
        put(f"{name:36} {ms}   {apart.seconds}{note}")


if __name__ == "__main__":
    main()
