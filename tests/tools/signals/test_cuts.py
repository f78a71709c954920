"""A cut is a change at once and for good: what passes by, returns, or goes on changing is none."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.signals.cuts import CutFinder

Film = NDArray[np.float32]
FPS = 25
CUT = 30
"""Frame at which the second shot begins."""


def shot(seed: int) -> Film:
    """Thirty frames of something that moves a little."""
    coarse = np.random.default_rng(seed).integers(20, 235, (10, 16)).astype(np.float32)
    wide = np.asarray(cv2.resize(coarse, (128, 80), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.array([wide[20 : 20 + 36, n // 3 : n // 3 + 64] for n in range(CUT)])


def cuts(film: Film) -> list[int]:
    luma = np.clip(film, 0, 255).astype(np.uint8)
    found = CutFinder().find(luma, np.arange(len(luma)) / FPS)
    return [round(cut.start_s * FPS) for cut in found]


def between(first: Film, second: Film, frames: int, how: str) -> Film:
    """One shot that becomes the other in so many frames."""
    made = []
    for n in range(1, frames + 1):
        share = n / (frames + 1)
        edge = round(64 * share)
        one, other = first[-frames + n - 1], second[n - 1]
        if how == "dissolve":
            made.append(one * (1 - share) + other * share)
        elif how == "wipe":
            made.append(np.concatenate([other[:, :edge], one[:, edge:]], axis=1))
        else:
            made.append(np.concatenate([one[:, edge:], other[:, :edge]], axis=1))
    return np.concatenate([first[:-frames], np.array(made), second[frames:]])


@pytest.mark.parametrize("seed", range(5))
def test_a_cut_is_found_to_the_frame(seed: int) -> None:
    assert cuts(np.concatenate([shot(seed), shot(seed + 50)])) == [CUT]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("how", "frames"),
    [("dissolve", 8), ("dissolve", 25), ("wipe", 8), ("wipe", 20), ("slide", 8), ("slide", 12)],
)
def test_what_changes_over_many_frames_is_no_cut(seed: int, how: str, frames: int) -> None:
    assert cuts(between(shot(seed), shot(seed + 50), frames, how)) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_flash_of_a_few_frames_is_no_cut(seed: int, frames: int) -> None:
    film = np.concatenate([shot(seed), shot(seed)[::-1]])
    for n in range(frames):
        film[CUT + n] = film[CUT + n] * (1.6 - 0.2 * n) + 90 - 25 * n
    assert cuts(film) == []
