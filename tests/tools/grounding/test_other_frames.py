"""What the likeness of frames and words is counted from, and up to."""

import numpy as np
import pytest

from tools.grounding.other_frames import MATCH, MOST_BY_QUERY, OtherFrames

QUERY = np.array([1.0, 0, 0, 0], np.float32)


def at(*cosines: float) -> np.ndarray:
    """Unit vectors that are as like the query as that."""
    rest = [[0, 0, float(np.sqrt(1 - one**2))] for one in cosines]
    return np.array([[one, *more] for one, more in zip(cosines, rest, strict=True)], np.float32)


def texts(cosine: float) -> np.ndarray:
    """One text that is as like all frames of ``at(0)`` as that."""
    return np.array([[0, np.sqrt(1 - cosine**2), 0, cosine]], np.float32)


def worth(likeness: float, others: OtherFrames) -> float:
    usual = others.usual(QUERY, least_deviation=0.01)
    return float(usual.deviations(np.array([likeness]))[0])


@pytest.mark.parametrize("match", [0.3, 0.9])
def test_a_match_is_worth_the_same_whatever_the_scale_of_the_model(match: float) -> None:
    others = OtherFrames(at(*[0.0] * 40), texts(0.0), match)
    assert worth(match, others) == pytest.approx(MATCH + MOST_BY_QUERY)
    assert worth(0.0, others) == pytest.approx(0.0)


def test_what_fills_the_whole_of_an_only_video_stands_out_from_other_texts() -> None:
    own = OtherFrames(at(*[0.3] * 40), texts(0.0), 0.3)
    assert worth(0.3, own) == pytest.approx(MATCH)


def test_a_picture_is_compared_with_other_frames_alone() -> None:
    others = OtherFrames(at(0.1, 0.2, 0.3), texts(0.0)[:0], 0.3)
    assert worth(0.2, others) == pytest.approx(0.0, abs=1e-5)


def test_a_model_that_cannot_read_the_cards_does_not_find_everything() -> None:
    rng = np.random.default_rng(1)
    frames = rng.normal(size=(200, 4)).astype(np.float32)
    frames /= np.linalg.norm(frames, axis=1, keepdims=True)
    others = OtherFrames(frames, frames[:40], match=-1.0)
    assert worth(0.1, others) < MATCH / 2
