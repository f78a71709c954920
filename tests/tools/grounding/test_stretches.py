"""Which stretches of a long video are looked at closely: likely ones, and not all of the same."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.grounding.background import Usual
from tools.grounding.presence import MINILM
from tools.grounding.segments import Cells
from tools.grounding.stretches import STRETCH_S, STRETCHES, Clues, promising

USUAL = Usual(0.05, 0.11, 0.24, 0.118)
UNALIKE = np.eye(64, dtype=np.float32)


def axis(count: int, step_s: float = 2.0) -> Cells:
    edges = np.arange(count + 1, dtype=np.float64) * step_s
    return Cells(edges[:-1], edges[1:], np.arange(count))


def clues(
    cosine: Sequence[float] | NDArray[np.float64], words: NDArray[np.bool_] | None = None
) -> Clues:
    n = len(cosine)
    said = np.zeros((n, 1), dtype=bool) if words is None else words
    return Clues(axis(n), np.array(cosine, dtype=np.float64), said, USUAL, MINILM, np.zeros(n))


def hour(**cosine_at: float) -> NDArray[np.float64]:
    """1,800 cells of cosine 0.1 but for ten from each cell named ``c123``."""
    cosine = np.full(1800, 0.1)
    for name, value in cosine_at.items():
        cosine[int(name[1:]) : int(name[1:]) + 10] = value
    return cosine


def chosen(of: Clues, vectors: NDArray[np.float32] | None = None) -> list[slice]:
    """Where what is said differs from one stretch to the next, unless vectors are given."""
    of_cell = UNALIKE[np.arange(len(of.cells)) // 75 % 64] if vectors is None else vectors
    return promising(of, of.cosine, lambda stretch: of_cell[stretch])


def test_a_short_video_is_one_stretch_and_words_move_no_odds_in_it() -> None:
    silent, saying = clues([0.3] * 90), clues([0.3] * 90, np.ones((90, 2), dtype=bool))
    assert chosen(silent) == chosen(saying) == [slice(0, 90)]
    assert silent.log_odds == pytest.approx(saying.log_odds)


def test_pieces_cover_a_long_video_and_overlap_by_half() -> None:
    pieces = clues(hour()).pieces
    assert pieces[0].start == 0
    assert pieces[-1].stop == 1800
    for here, there in pairwise(pieces):
        assert there.start < here.stop <= there.stop or there.stop == 1800
    assert len(pieces) == 3600 / (STRETCH_S / 2)


def test_pieces_of_a_gap_without_captions_are_left_out() -> None:
    edges = np.concatenate([np.arange(100) * 2.0, 9000 + np.arange(100) * 2.0])
    cells = Cells(edges, edges + 2.0, np.arange(200))
    sparse = Clues(
        cells, np.zeros(200), np.zeros((200, 1), dtype=bool), USUAL, MINILM, np.zeros(200)
    )
    assert all(piece.start < piece.stop for piece in sparse.pieces)
    assert len(sparse.pieces) <= 7  # of 122 with the gap


def test_ten_seconds_that_fit_well_come_before_two_that_fit_better() -> None:
    cosine = hour(c300=0.6)
    cosine[1500] = 0.9
    first, *_ = chosen(clues(cosine))
    assert first.start < 300
    assert first.stop > 310


def test_words_decide_between_stretches_that_mean_as_much() -> None:
    said = np.zeros((1800, 1), dtype=bool)
    said[1500:1505] = True
    first, second, *_ = chosen(clues(hour(c300=0.5, c1500=0.5), said))
    assert first.start < 1500 < first.stop
    assert second.start < 300 < second.stop


def test_a_word_that_every_stretch_says_decides_nothing() -> None:
    said = np.ones((1800, 1), dtype=bool)
    spread = clues(hour(c300=0.5), said).log_odds - clues(hour(c300=0.5)).log_odds
    assert spread == pytest.approx(0, abs=0.02)


def test_an_event_at_the_border_of_two_pieces_is_in_the_middle_of_one_stretch() -> None:
    border = clues(hour()).pieces[8].start
    first, *_ = chosen(clues(hour(**{f"c{border - 5}": 0.6})))
    assert first.start + 25 < border < first.stop - 25


def test_no_two_stretches_have_the_same_best_moment() -> None:
    stretches = chosen(clues(hour(c300=0.6, c900=0.5, c1500=0.4)))
    assert len(stretches) == STRETCHES
    for peak in (300, 900, 1500):
        assert sum(stretch.start <= peak < stretch.stop for stretch in stretches) == 1


def test_hours_of_the_same_leave_room_for_something_else() -> None:
    cosine = np.full(1800, 0.5)
    cosine[1500:1510] = 0.45
    vectors = np.tile(UNALIKE[0], (1800, 1))
    vectors[1450:1550] = UNALIKE[1]
    cosine[1450:1500] = cosine[1510:1550] = 0.1
    stretches = chosen(clues(cosine), vectors)
    assert len(stretches) <= STRETCHES
    assert any(stretch.start <= 1500 < stretch.stop for stretch in stretches)


def test_a_query_that_is_like_everything_has_to_be_more_like_its_event() -> None:
    event = hour(c300=0.6)
    plain = np.maximum(event, 0.3)
    assert max(clues(plain).log_odds) < max(clues(event).log_odds) - 1
    of_hits = replace(clues(plain), is_whole=False)
    assert max(of_hits.log_odds) == pytest.approx(
        max(replace(clues(event), is_whole=False).log_odds)
    )


def test_two_stretches_say_little_of_what_is_usual() -> None:
    short, long = np.full(150, 0.4), np.full(1800, 0.4)
    short[50:60] = long[50:60] = 0.6
    assert max(clues(short).log_odds) > max(clues(long).log_odds) + 1
