"""What counts as a new picture, and what does not: drawn scenes, and the real videos' bars."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.captioners.classical import ClassicalCaptioner
from tools.video.near_duplicates import MAX_KEPT_S, DistinctFrames, Signature, needs_every_frame
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


def kept(pictures: Sequence[Picture], *, rate_hz: float = 1.0) -> list[int]:
    distinct = DistinctFrames()
    return [n for n, one in enumerate(pictures) if distinct.keeps(one, n / rate_hz)]


def test_of_a_still_picture_with_grain_only_the_first_is_kept_until_the_limit() -> None:
    pictures = [room(grain=1 + n) for n in range(25)]
    assert kept(pictures) == [0, MAX_KEPT_S, 2 * MAX_KEPT_S]
    assert kept(pictures, rate_hz=4) == [0]


def test_another_picture_is_kept_at_once() -> None:
    assert kept([room(), room()[:, ::-1], room()]) == [0, 1, 2]


def test_who_comes_and_goes_is_kept_and_the_empty_room_after_them_too() -> None:
    pictures = [room()] * 3 + [room(0.5)] * 3 + [room()] * 3
    assert kept(pictures) == [0, 3, 6]


def test_light_that_changes_a_little_is_nothing_new_and_much_is() -> None:
    assert kept([room(), room(light=3), room(light=-3)]) == [0]
    assert kept([room(), room(light=30)]) == [0, 1]


def test_shapes_in_noise_are_no_shapes() -> None:
    """A wall without any: which side of it is brighter is chance."""
    walls = [np.random.default_rng(n).integers(124, 132, (64, 72, 3), np.uint8) for n in range(6)]
    assert max(Signature.of(walls[0]).bits_apart(Signature.of(one)) for one in walls) >= 8
    assert kept(walls) == [0]


def test_slow_drift_adds_up() -> None:
    drift = [room(light=2 * n) for n in range(9)]
    signatures = [Signature.of(one) for one in drift]
    assert max(one.difference(two) for one, two in pairwise(signatures)) < 0.01
    assert kept(drift) == [0, 8]


def test_a_small_change_counts_only_once_it_has_settled() -> None:
    """One who leaves by the door is not described in the doorway, but the door is then."""
    before, after = room(), room()
    after[60:140, 40:70] = 170
    between = room()
    between[60:140, 40:55] = 170
    bits = Signature.of(before).bits_apart(Signature.of(after))
    assert 4 <= bits < 8
    assert kept([before, between, after, after, after]) == [0, 3]


def test_pictures_of_any_size_compare() -> None:
    small, large = room(), np.ascontiguousarray(room().repeat(2, 0).repeat(2, 1))
    assert kept([small, large, np.full((1, 1, 3), 255, np.uint8)]) == [0, 2]


def test_only_who_says_so_is_shown_every_frame() -> None:
    class Plain:
        model = prompt_version = mode = ""

        def describe(self, frames: object, *, seen: object) -> None: ...

    assert needs_every_frame(ClassicalCaptioner(read_text=False))
    assert not needs_every_frame(Plain())  # type: ignore[arg-type]  # enough of one


# --- the real videos: how much is saved, and that every event is still there


def sampled(path: Path, rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    distinct = DistinctFrames()
    frames = FrameReader(probe(path), rate_hz=rate_hz)
    rows = [(frame.time_s, distinct.keeps(frame.image, frame.time_s)) for frame in frames]
    times_s, keeps = zip(*rows, strict=True)
    return np.array(times_s), np.array(keeps)


@pytest.mark.data
@pytest.mark.slow
def test_still_cameras_are_spared_and_every_event_is_described(shared_data: Path) -> None:
    videos = shared_data / "videos"
    saved = {}
    for name in ("one_by_one", "permissive_composite"):
        times_s, keeps = sampled(videos / f"{name}.mp4", 1)
        of_interest = np.ones(len(times_s), bool)
        if name == "permissive_composite":
            parts = json.loads((videos / "permissive_composite_segments.json").read_text())
            filler = [part for part in parts if part["query"] == "filler"]
            of_interest = np.array(
                [any(one["start"] <= t < one["end"] for one in filler) for t in times_s]
            )
        saved[name] = 1 - keeps[of_interest].mean()
        for line in (videos / "ground_truth.jsonl").read_text().splitlines():
            row = json.loads(line)
            for start_s, end_s in row["relevant_windows"] if row["vid"] == name else ():
                inside = (times_s[keeps] >= start_s - 0.05) & (times_s[keeps] < end_s)
                assert inside.any(), (row["query"], start_s, end_s)
    assert saved["one_by_one"] >= 0.6
    assert saved["permissive_composite"] >= 0.4
    twice = sampled(videos / "one_by_one.mp4", 2)[1]
    assert twice.sum() < 139
