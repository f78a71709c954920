"""A clip beeps when it flashes, whatever the file and its clock do."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.beeps import Measured, draw_beeps, join, tone_hz, two_programmes
from tests.drawing import draw_video, even_times
from tools.errors import VideoError
from tools.timeline import Interval
from tools.video.clip import write_clip
from tools.video.hearing import hear
from tools.video.reader import probe
from tools.video.sound import read_sound

BAR_S = 0.02


def check_clip(path: Path, span: Interval, seconds: list[int], *, out: str = "clip.mp4") -> None:
    """Each second of the clip flashes and beeps at once, with the tone of its second."""
    clip = path.with_name(out)
    write_clip(probe(path), span, clip)
    measured = Measured(clip)
    assert len(measured.flashes_s) == len(seconds)
    for flash_s, second in zip(measured.flashes_s, seconds, strict=True):
        assert abs(measured.beep_after_flash_s(flash_s)) < BAR_S
        assert measured.hz_at(flash_s) == pytest.approx(tone_hz(second), abs=6)


@pytest.mark.parametrize(
    ("suffix", "video_codec", "sound_codec"),
    [
        (".mp4", "libx264", "aac"),
        pytest.param(".mov", "libx264", "pcm_s16le", marks=pytest.mark.slow),
        pytest.param(".mkv", "libx264", "libopus", marks=pytest.mark.slow),
        pytest.param(".webm", "libvpx", "libopus", marks=pytest.mark.slow),
        pytest.param(".ts", "libx264", "aac", marks=pytest.mark.slow),
        pytest.param(".ts", "mpeg2video", "ac3", marks=pytest.mark.slow),
        pytest.param(".mpg", "mpeg2video", "mp2", marks=pytest.mark.slow),
        pytest.param(".avi", "mpeg4", "libmp3lame", marks=pytest.mark.slow),
        pytest.param(".flv", "libx264", "aac", marks=pytest.mark.slow),
        pytest.param(".wmv", "wmv2", "wmav2", marks=pytest.mark.slow),
        pytest.param(".3gp", "libx264", "aac", marks=pytest.mark.slow),
    ],
)
def test_every_container_beeps_when_it_flashes(
    tmp_path: Path, suffix: str, video_codec: str, sound_codec: str
) -> None:
    path = draw_beeps(
        tmp_path / f"a{suffix}", range(6), video_codec=video_codec, sound_codec=sound_codec
    )
    check_clip(path, Interval(2.0, 5.0), [2, 3, 4])
    check_clip(path, Interval(0.0, 2.0), [0, 1], out="clip.mkv")


def parts(tmp_path: Path, suffix: str, *clocks_s: float, **how: Any) -> list[Path]:
    """Files of three seconds each, on clocks of their own."""
    return [
        draw_beeps(
            tmp_path / f"{index}{suffix}",
            range(3 * index, 3 * index + 3),
            clock_s=clock_s,
            **{name: value[index] for name, value in how.items()},
        )
        for index, clock_s in enumerate(clocks_s)
    ]


@pytest.mark.parametrize(
    "clocks_s",
    [
        (10.0, 10.0, 10.0),
        pytest.param((100.0, 5.0), marks=pytest.mark.slow),
        pytest.param((8.0, 9.6), marks=pytest.mark.slow),
        pytest.param((8.0, 10.2), marks=pytest.mark.slow),
        pytest.param((5.0, 4000.0, 20.0), marks=pytest.mark.slow),
        pytest.param((0.0, 100.0), marks=pytest.mark.slow),
        pytest.param((3.0, 1000.0), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_sound_follows_a_clock_that_is_set_anew(
    tmp_path: Path, clocks_s: tuple[float, ...]
) -> None:
    path = join(tmp_path / "joined.ts", parts(tmp_path, ".ts", *clocks_s))
    seconds = list(range(3 * len(clocks_s)))
    if clocks_s == (8.0, 10.2):
        # Set back by less than recordings are: what overlaps is shown once.
        seconds.remove(3)
    check_clip(path, Interval(2.0, len(seconds)), seconds[2:])
    pieces = list(read_sound(probe(path)))
    assert len(seconds) - 0.1 < pieces[-1].end_s < len(seconds) + 0.3
    assert all(before.end_s <= after.start_s for before, after in pairwise(pieces))


@pytest.mark.slow
def test_sound_follows_a_clock_in_a_programme_stream(tmp_path: Path) -> None:
    # Its pictures stand far before the sound of the same time.
    how = {"video_codec": ["mpeg2video"] * 3, "sound_codec": ["mp2"] * 3}
    path = join(tmp_path / "joined.mpg", parts(tmp_path, ".mpg", 10.0, 10.0, 2.0, **how))
    check_clip(path, Interval(0.0, 9.0), list(range(9)))


@pytest.mark.slow
def test_sound_follows_where_a_part_has_none(tmp_path: Path) -> None:
    joined = parts(tmp_path, ".ts", 10.0, 10.0, 10.0, sound_from_s=[0.0, 2.9, 0.0])
    path = join(tmp_path / "joined.ts", joined)
    check_clip(path, Interval(6.0, 9.0), [6, 7, 8])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sound_codec", "layouts", "rates_hz"),
    [
        ("ac3", ["stereo", "5.1"], [48_000, 48_000]),
        pytest.param("ac3", ["5.1", "mono"], [48_000, 48_000], marks=pytest.mark.slow),
        pytest.param("aac", ["stereo", "stereo"], [48_000, 44_100], marks=pytest.mark.slow),
        ("aac", ["mono", "5.1"], [32_000, 48_000]),
        pytest.param("mp2", ["stereo", "mono"], [44_100, 48_000], marks=pytest.mark.slow),
    ],
)
def test_sound_goes_on_where_its_form_changes(
    tmp_path: Path, sound_codec: str, layouts: list[str], rates_hz: list[int]
) -> None:
    joined = parts(
        tmp_path, ".ts", 1.0, 4.0, layout=layouts, rate_hz=rates_hz, sound_codec=[sound_codec] * 2
    )
    path = join(tmp_path / "joined.ts", joined)
    check_clip(path, Interval(1.0, 6.0), [1, 2, 3, 4, 5])
    pieces = list(read_sound(probe(path)))
    assert sum(one.length_s for one in pieces) == pytest.approx(6.0, abs=0.15)


@pytest.fixture
def programmes(tmp_path: Path) -> tuple[Path, Path]:
    """Two transport streams that can lie in one file; the second one beeps at 3 kHz."""
    numbers = {"mpegts_start_pid": "0x200", "mpegts_pmt_start_pid": "0x1100"}
    first = draw_beeps(tmp_path / "first.ts", range(4), sound_codec="mp2")
    second = draw_beeps(
        tmp_path / "second.ts",
        range(4),
        options=numbers | {"mpegts_service_id": "2"},
        tone=3000.0,
        sound_codec="mp2",
    )
    return first, second


@pytest.mark.slow
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_clip_has_the_sound_of_its_own_programme(
    tmp_path: Path, programmes: tuple[Path, Path], order: tuple[int, int]
) -> None:
    path = tmp_path / "both.ts"
    two_programmes(path, programmes[order[0]], programmes[order[1]])
    video = probe(path)
    write_clip(video, Interval(1.0, 3.0), tmp_path / "clip.mp4")
    measured = Measured(tmp_path / "clip.mp4")
    # Streams of the first programme have the numbers from 0x100 on.
    is_first = order[0] == 0
    for flash_s, second in zip(measured.flashes_s, [1, 2], strict=True):
        hz = tone_hz(second) if is_first else 3000
        assert measured.hz_at(flash_s) == pytest.approx(hz, abs=6)


@pytest.mark.slow
@pytest.mark.data
def test_reported_files_sound_as_they_look(shared_data: Path, tmp_path: Path) -> None:
    cases = shared_data / "cases" / "media"
    write_clip(probe(cases / "stereo_then_5.1.ts"), Interval(1.0, 4.0), tmp_path / "a.mp4")
    assert Measured(tmp_path / "a.mp4").wave.size == pytest.approx(3 * 48_000, abs=1024)
    joined = probe(cases / "joined_clock_reset.ts")
    write_clip(joined, Interval(1.0, 8.0), tmp_path / "b.mp4")
    assert Measured(tmp_path / "b.mp4").wave.size == pytest.approx(7 * 48_000, abs=1024)


def test_a_video_without_sound_of_its_own_has_none(
    tmp_path: Path, programmes: tuple[Path, Path]
) -> None:
    silent = draw_video(tmp_path / "silent.ts", even_times(50, 12.5))
    path = two_programmes(tmp_path / "both.ts", silent, programmes[1])
    video = replace(probe(path), stream_index=0)
    assert list(hear(video, rate_hz=16_000)) == []
    with pytest.raises(VideoError, match="its sound belongs to another programme"):
        next(read_sound(video))
