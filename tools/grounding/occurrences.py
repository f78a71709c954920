"""Every time that something happens in a video, apart from each other: what ordinals count.

Windows are what a question may mean, best first, and lie within each other; here each stretch of a
video in which the thing seems to be is divided into the times that it goes on and the times
between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.partition import part_times
from tools.grounding.presence import (
    FOUND_PRESENCE,
    MINILM,
    OPEN_PRESENCE,
    Calibration,
    presence_odds,
    window_probability,
)
from tools.grounding.query_fit import read_track
from tools.grounding.relevance import refine
from tools.grounding.windows import runs_of, score_windows, spans_of
from tools.ranking import Window
from tools.timeline import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.other_frames import OtherFrames
    from tools.grounding.segments import Cells
    from tools.timeline import Caption


def find_occurrences(
    query: str,
    query_vector: NDArray[np.floating],
    captions: Sequence[Caption],
    vectors: NDArray[np.floating],
    *,
    duration_s: float,
    background: NDArray[np.floating],
    is_repeated: bool = False,
    calibration: Calibration = MINILM,
    others: OtherFrames | None = None,
) -> tuple[Window, ...]:
    """All the times that a query's event is taken to happen, in time order.

    One exact programme parts each stretch in which the event is as probable as it has to be in a
    whole video; see ``tools.grounding.partition``. Of the queries of QVHighlights val, the number
    is right for 51%; of the 530 whose event happens several times, where that is known, for
    52% (``benchmarks/count_times.py``).

    Arguments and errors are those of ``tools.grounding.grounder.ground``; ``is_repeated`` says that
    the question takes it for granted that it happens more than once, as "the second time" does.

    Returns:
        Windows that do not overlap, whose edges are edges of captions; none where there is none.
    """
    if not captions:
        return ()
    read = read_track(
        query,
        query_vector,
        captions,
        vectors,
        duration_s=duration_s,
        background=background,
        calibration=calibration,
        others=others,
    )
    cells, pieces = read.track.cells, read.clues.pieces
    odds = presence_odds(read.clues.log_odds)
    presence = odds / (1 + odds)
    # Stretches overlap by half: each says of its middle what goes on there.
    responsible = _nearest(cells, pieces)
    inside = np.zeros(len(cells), dtype=bool)
    confidence = np.zeros(len(cells))
    there = np.flatnonzero(presence >= (OPEN_PRESENCE if is_repeated else FOUND_PRESENCE)).tolist()
    for index in there:
        part = read.track.take(pieces[index])
        (curve,) = refine(
            [part.guess], part.cell_vectors, part.cells, sharpness=calibration.sharpness
        )
        goes_on = part_times(curve, part.cells, is_repeated=is_repeated and len(there) == 1)
        runs = runs_of(goes_on, part.cells)
        scores = score_windows(runs, runs, curve, part.cells)
        sure = np.zeros(len(curve))
        for (first, after), probability in zip(
            runs.tolist(), window_probability(scores, calibration).tolist(), strict=True
        ):
            sure[first:after] = presence[index] * probability
        its_own = responsible[pieces[index]] == index
        inside[pieces[index]] |= goes_on & its_own
        confidence[pieces[index]] = np.where(its_own, sure, confidence[pieces[index]])
    runs = runs_of(_whole_moments(inside, cells), cells)
    return tuple(
        Window(Interval(start_s, end_s), sure, sure)
        for (first, after), (start_s, end_s) in zip(
            runs.tolist(), spans_of(runs, cells).tolist(), strict=True
        )
        for sure in [float(confidence[first:after].max())]
    )


def _nearest(cells: Cells, pieces: Sequence[slice]) -> NDArray[np.intp]:
    """Shape ``(n,)``: of the stretches, in time order, the one whose middle is nearest."""
    middle_s = np.array(
        [(cells.start_s[piece.start] + cells.end_s[piece.stop - 1]) / 2 for piece in pieces]
    )
    borders_s = (middle_s[1:] + middle_s[:-1]) / 2
    return np.searchsorted(borders_s, cells.middle_s, side="right")


def _whole_moments(inside: NDArray[np.bool_], cells: Cells) -> NDArray[np.bool_]:
    """Moments of which most is inside: no edge may cut a caption."""
    share = np.bincount(cells.moment, inside * cells.weight)
    return np.asarray((share > np.bincount(cells.moment, cells.weight) / 2)[cells.moment])
