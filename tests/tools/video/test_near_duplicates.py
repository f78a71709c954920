"""What counts as a new picture, and what does not: drawn scenes, and the real videos' bars."""

import json
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.drawn_events import CLIP_S, CONDITIONS, draw_clip
from tools.captioners.classical import ClassicalCaptioner
from tools.timeline import Frame, Interval
from tools.video.near_duplicates import (
    MAX_SKIPPED_S,
    DistinctFrames,
    Signature,
    needs_every_frame,
)
from tools.video.reader import FrameReader, probe

Picture = NDArray[np.uint8]


def room(person_at: float | None = None, *, light: int = 0, grain: int = 0) -> Picture:
    """A bright room with furniture; a dark person of a fifth of its width, 0 left to 1 right."""
    picture = np.full((180, 320, 3), 170, np.int16)
    picture[120:] = 120
    picture[60:140, 40:70] = 60
    picture[90:120, 200:280] = 220
    if person_at is not None:
        left = round(person_at * 260)
        picture[30:170, left : left + 60] = 30
    noise = np.random.default_rng(grain).integers(-6, 7, picture.shape) if grain else 0
    return np.asarray(np.clip(picture + light + noise, 0, 255), np.uint8)


def chosen_s(frames: Iterable[Frame]) -> list[float]:
    distinct = DistinctFrames()
    return [one.time_s for frame in frames for one in distinct.choose(frame)]


def frame_at(time_s: float, picture: Picture) -> Frame:
    return Frame(time_s, picture, None, None, np.zeros((1, 36, 64), np.uint8), np.array([time_s]))


def kept(pictures: Sequence[Picture], *, rate_hz: float = 1.0) -> list[int]:
    frames = [frame_at(n / rate_hz, picture) for n, picture in enumerate(pictures)]
    return [round(time_s * rate_hz) for time_s in chosen_s(frames)]


@pytest.mark.parametrize(
    ("rate_hz", "every"), [(4, 9), (2, 5), (1, 3), (0.5, 2), (0.4, 1), (0.1, 1)]
)
def test_a_still_picture_with_grain_is_never_skipped_for_more_than_two_seconds(
    rate_hz: float, every: int
) -> None:
    pictures = [room(grain=1 + n) for n in range(25)]
    assert kept(pictures, rate_hz=rate_hz) == list(range(0, 25, every))
    assert (every - 1) / rate_hz <= MAX_SKIPPED_S


def test_frames_that_come_a_moment_late_skip_no_more() -> None:
    times_s = [0.0, 1.04, 2.0, 3.07, 4.02, 5.0, 6.09]
    assert chosen_s(frame_at(time_s, room()) for time_s in times_s) == [0.0, 3.07, 6.09]


def test_another_picture_is_kept_at_once() -> None:
    assert kept([room(), room()[:, ::-1], room()]) == [0, 1, 2]


def test_both_sides_of_a_change_are_kept() -> None:
    pictures = [room()] * 3 + [room(0.5)] * 3 + [room()] * 3
    assert kept(pictures) == [0, 2, 3, 5, 6]


def test_light_that_changes_a_little_is_nothing_new_and_much_is() -> None:
    assert kept([room(), room(light=3), room(light=-3)]) == [0]
    assert kept([room(), room(light=30)]) == [0, 1]


def test_slow_drift_adds_up() -> None:
    drift = [room(light=2 * n) for n in range(12)]
    signatures = [Signature.of(one) for one in drift]
    assert max(one.change(two) for one, two in pairwise(signatures)) < 0.2
    assert kept(drift, rate_hz=8) == [0, 10, 11]


def test_a_colour_that_is_as_bright_as_what_was_there_is_something_new() -> None:
    green = np.full((180, 320, 3), (60, 120, 60), np.uint8)
    marked = green.copy()
    marked[80:100, 100:120] = (160, 70, 60)
    means = [float(one @ np.array([0.299, 0.587, 0.114])) for one in (green[0, 0], marked[90, 110])]
    assert means[0] == pytest.approx(means[1], abs=1)
    assert kept([green, marked, green]) == [0, 1, 2]


# --- drawn events: small, short, and each with a frame of its own


def event_clip(
    share: float, *, at: tuple[float, float], ratio: float, levels: int, shake_px: int, seed: int
) -> list[Picture]:
    """Ten sampled frames of a room; in two of them stands a patch with so much of the picture.

    Args:
        share: Of the picture.
        at: Its corner, as shares of what is left beside it.
        ratio: Of its width to its height.
        levels: By which it is darker than what it covers.
        shake_px: How far the camera moves between frames.
        seed: Of grain and shaking.
    """
    random = np.random.default_rng(seed)
    high = round((share * 320 * 180 / ratio) ** 0.5)
    wide = round(high * ratio)
    left, top = round(at[0] * (320 - wide)), round(at[1] * (180 - high))
    frames = []
    for n in range(10):
        picture = room(grain=seed * 10 + n + 1).astype(np.int16)
        if n in {4, 5}:
            picture[top : top + high, left : left + wide] -= levels
        shaken = np.roll(picture, random.integers(-shake_px, shake_px + 1, 2), axis=(0, 1))
        frames.append(np.asarray(np.clip(shaken, 0, 255), np.uint8))
    return frames


@pytest.mark.slow
@given(
    share=st.floats(0.01, 0.05),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    ratio=st.sampled_from([0.4, 1.0, 2.5]),
    levels=st.integers(30, 55),
    shake_px=st.sampled_from([0, 0, 2]),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_an_event_of_a_hundredth_of_the_picture_begins_and_ends_with_a_frame_of_its_own(
    *,
    share: float,
    at: tuple[float, float],
    ratio: float,
    levels: int,
    shake_px: int,
    seed: int,
) -> None:
    frames = event_clip(share, at=at, ratio=ratio, levels=levels, shake_px=shake_px, seed=seed)
    found = kept(frames)
    if shake_px:
        assert set(found) & {4, 5}
    else:
        assert {3, 4, 5, 6} <= set(found)


@pytest.mark.slow
@pytest.mark.parametrize("condition", CONDITIONS)
def test_small_events_have_frames_of_their_own_however_a_room_is_filmed(condition: str) -> None:
    random = np.random.default_rng(7)
    lost_iou = []
    for _ in range(15):
        clip = draw_clip(random, condition, rate_hz=1.0)
        frames = list(clip.frames)
        found_s = chosen_s(frames)
        assert any(clip.event.start_s <= one < clip.event.end_s for one in found_s)
        every, few = (
            best_iou([*times_s, CLIP_S], clip.event)
            for times_s in ([one.time_s for one in frames], found_s)
        )
        lost_iou.append(every - few)
    assert np.mean(lost_iou) <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "saved"), [("grain", 0.5), ("mains", 0.45), ("exposure", 0.5)]
)
def test_grain_and_flicker_are_no_events(condition: str, saved: float) -> None:
    random = np.random.default_rng(7)
    clips = [list(draw_clip(random, condition, rate_hz=1.0).frames) for _ in range(10)]
    # A clip without any event is spared two frames of three; each edge of one costs two frames.
    kept_share = np.mean([len(chosen_s(frames)) / len(frames) for frames in clips])
    assert 1 - kept_share >= saved


@pytest.mark.parametrize("lines", [slice(100, 103), slice(20, 26)])
def test_a_line_that_is_thinner_than_a_block_is_something_new(lines: slice) -> None:
    captioned = room(grain=1)
    captioned[lines, 20:300] //= 2
    assert kept([room(grain=2), captioned, room(grain=3)]) == [0, 1, 2]


def test_somebody_who_sways_is_nothing_new_and_who_steps_aside_is() -> None:
    assert kept([room(0.5), room(0.508), room(0.492)]) == [0]
    assert kept([room(0.5), room(0.6)]) == [0, 1]


def test_heavy_grain_and_light_that_flickers_are_nothing_new() -> None:
    random = np.random.default_rng(3)
    dark = [
        np.asarray(np.clip(room() // 3 + random.normal(light, 25, (180, 320, 3)), 0, 255), np.uint8)
        for light in (0, 6, -6)
    ]
    assert kept(dark) == [0]


def test_pictures_of_any_size_compare() -> None:
    small, large = room(), np.ascontiguousarray(room().repeat(2, 0).repeat(2, 1))
    assert kept([small, large, np.full((1, 1, 3), 255, np.uint8)]) == [0, 1, 2]
    assert kept([small, large, small]) == [0]


def test_only_who_says_so_is_shown_every_frame() -> None:
    class Plain:
        model = prompt_version = mode = ""

        def describe(self, frames: object, *, seen: object) -> None: ...

    assert needs_every_frame(ClassicalCaptioner(read_text=False))
    assert not needs_every_frame(Plain())  # type: ignore[arg-type]  # enough of one


# --- the real videos: how much is saved, and that every event is still there


def sampled(path: Path, rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    frames = list(FrameReader(probe(path), rate_hz=rate_hz))
    times_s = [frame.time_s for frame in frames]
    return np.array(times_s), np.isin(times_s, chosen_s(frames))


def best_iou(edges_s: Sequence[float], window: Interval) -> float:
    """Of all spans between two of the edges, the best IoU with the window."""
    spans = [Interval(*pair) for pair in combinations(edges_s, 2)]
    return max(span.iou(window) for span in spans)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [1, 2])
def test_still_cameras_are_spared_and_no_event_is_told_worse_than_by_every_frame(
    shared_data: Path, rate_hz: int
) -> None:
    videos = shared_data / "videos"
    rows = [
        json.loads(line)
        for name in ("ground_truth.jsonl", "ground_truth_kitchen.jsonl")
        for line in (videos / name).read_text().splitlines()
    ]
    lost_iou = []
    for name in ("one_by_one", "kitchen_ego", "sam2_gallery_concat"):
        times_s, keeps = sampled(videos / f"{name}.mp4", rate_hz)
        for row in rows:
            for start_s, end_s in row["relevant_windows"] if row["vid"] == name else ():
                inside = (times_s[keeps] >= start_s - 0.05) & (times_s[keeps] < end_s)
                assert inside.any(), (row["query"], start_s, end_s)
                window = Interval(start_s, end_s)
                every, few = (
                    best_iou([*at_s.tolist(), row["duration"]], window)
                    for at_s in (times_s, times_s[keeps])
                )
                lost_iou.append(every - few)
        if name == "one_by_one":
            # People come and go in it; a room that stays empty is spared two frames of three.
            assert 1 - keeps.mean() >= {1: 0.35, 2: 0.5}[rate_hz]
    assert max(lost_iou) <= 0.02
