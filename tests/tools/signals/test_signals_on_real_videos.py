"""The classical describer on real videos with verified truth: nothing below what was measured."""

import json
from pathlib import Path

import pytest

from tools.captioners.classical import ClassicalCaptioner
from tools.signals.claims import Claim, read_claims, read_screen_text
from tools.signals.frame_claims import with_cuts
from tools.signals.ocr import load_text_reader
from tools.signals.screen_reader import ScreenReader
from tools.video.reader import FrameReader, probe

pytestmark = [pytest.mark.data, pytest.mark.slow]

RATE_HZ = 2.0
CUT_TOLERANCE_S = 0.15

Told = list[tuple[float, list[Claim]]]


def watch(path: Path) -> Told:
    frames = FrameReader(probe(path), rate_hz=RATE_HZ)
    found = ClassicalCaptioner(read_text=False).describe(frames, seen=())
    return [(one.time_s, read_claims(one.text)) for one in found]


def cuts_of(told: Told) -> list[float]:
    return [claim.at_s for _, some in told for claim in some if claim.at_s and claim.kind == "cut"]


@pytest.fixture(scope="module")
def visits(shared_data: Path) -> Told:
    return watch(shared_data / "videos" / "one_by_one.mp4")


@pytest.fixture(scope="module")
def empty_windows(shared_data: Path) -> list[tuple[float, float]]:
    lines = (shared_data / "videos" / "ground_truth.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    (row,) = (row for row in rows if row["query"] == "Nobody is in the room.")
    return [(start_s, end_s) for start_s, end_s in row["relevant_windows"]]


def test_the_cuts_of_a_joined_video_are_found_to_the_frame(shared_data: Path) -> None:
    told = watch(shared_data / "videos" / "sam2_gallery_concat.mp4")
    assert cuts_of(told) == pytest.approx([9.63, 19.63, 29.38, 38.96], abs=0.05)


@pytest.mark.parametrize("rate_hz", [1.0, 2.0, 4.0])
def test_all_of_46_joins_are_found_and_no_cut_that_is_none(
    shared_data: Path, rate_hz: float
) -> None:
    """Many lie between pictures of one table, filmed by hand; one part has a cut of its own."""
    videos = shared_data / "videos"
    segments = json.loads((videos / "permissive_composite_segments.json").read_text())
    true_s = [segment["start"] for segment in segments[1:]]
    frames = FrameReader(probe(videos / "permissive_composite.mp4"), rate_hz=rate_hz)
    found_s = [cut.start_s for _, cuts in with_cuts(frames) for cut in cuts]
    assert found_s == pytest.approx(sorted([*true_s, 348.92]), abs=CUT_TOLERANCE_S)


@pytest.mark.parametrize("asked", ["present", "empty"])
def test_presence_before_a_fixed_camera_agrees_with_the_visits(
    asked: str, visits: Told, empty_windows: list[tuple[float, float]]
) -> None:
    kinds = {"appears", "present"} if asked == "present" else {"empty"}
    both = claimed = true = 0
    for time_s, claims in visits:
        middle_s = time_s + 0.5 / RATE_HZ
        is_empty = any(start_s <= middle_s < end_s for start_s, end_s in empty_windows)
        is_true = is_empty == (asked == "empty")
        is_claimed = any(claim.kind in kinds for claim in claims)
        both += is_true and is_claimed
        claimed += is_claimed
        true += is_true
    assert both / claimed >= 0.95
    assert both / true >= (0.99 if asked == "present" else 0.8)


def test_each_of_six_visitors_appears_once_and_leaves_once(visits: Told) -> None:
    for kind in ("appears", "gone"):
        assert sum(any(claim.kind == kind for claim in claims) for _, claims in visits) == 6


def test_a_fixed_camera_is_never_said_to_move(visits: Told) -> None:
    kinds = {claim.kind for _, claims in visits for claim in claims}
    assert not {kind for kind in kinds if kind.startswith(("pans", "tilts", "zooms", "cut"))}


def test_a_burnt_in_timecode_is_read_to_the_frame(shared_data: Path) -> None:
    pytest.importorskip("rapidocr")
    path = shared_data / "videos" / "permissive_composite.mp4"
    frames = FrameReader(probe(path), rate_hz=0.5, start_s=600.0)
    found = ClassicalCaptioner(read_text=True).describe(frames, seen=())
    read = [read_screen_text(one.text) for one in found if one.source == "screen"]
    seconds = [int(text.rsplit(":", 2)[1]) for text in read]
    assert len(read) == 8
    assert all("Photo JPEG" in text for text in read)
    assert seconds == list(range(0, 16, 2))


def test_an_empty_room_has_no_text(shared_data: Path) -> None:
    pytest.importorskip("rapidocr")
    read = load_text_reader()
    path = shared_data / "videos" / "one_by_one.mp4"
    frames = FrameReader(probe(path), rate_hz=0.05, native=True)
    screen = ScreenReader(lambda: read)
    assert [screen.lines(frame) for frame in frames] == [()] * 7
