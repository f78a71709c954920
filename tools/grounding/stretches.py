"""Which stretches of a long video are looked at closely, and what speaks for each of them.

Coarse to fine: every stretch is judged by its six most similar seconds and by the query's words it
says, which costs next to nothing; the few best are then searched for windows. A short video is one
stretch, and nothing here changes what is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.background import Usual
from tools.grounding.lexical import K1
from tools.grounding.presence import Calibration, presence_log_odds
from tools.grounding.segments import CELL_S, Cells
from tools.grounding.similarity import best_similarity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STRETCH_S = 150.0
"""What is looked at closely at once: the length of the videos that all constants were chosen on.

One curve over a longer video finds whole scenes and not the event in them: 12 to 28 points of
R1@0.5 fewer on videos of 5 to 60 minutes put together from QVHighlights val.
"""

WHOLE_S = 180.0
"""A video with up to this much captioned time is one stretch."""

STRETCHES = 6
"""Most stretches of a long video that are looked at closely."""

STRETCH_CELLS = 1000
"""Most cells in a stretch, for captions denser than seven a second; keeps matrices below 8 MB."""

WORDS_SHARE = 0.25
"""Log-odds for a unit of BM25. On QVHighlights val the right one of 24 stretches comes first for
0.78 of the queries with it and for 0.755 without, of 240 for 0.50 and 0.47; the same from 0.2 to
0.4. Reciprocal-rank fusion of the two rankings gives 0.77 and 0.49."""

LEVEL_SHARE = 0.7
LEVEL_STRETCHES = 5.0
"""Some queries are like most of what is said, whatever it is, and some like nothing. The mean over
a video of many stretches shows which, and log-odds are shifted by most of the difference from what
is usual (``Calibration.usual_log_odds``); the less, the fewer stretches there are. In videos of an
hour the expected calibration error of presence falls from 0.07 to 0.04, and wrong "found" from 0.58
to 0.55 with more right ones."""

ALIKE = 0.95
"""Two stretches whose best captions are this close in meaning show the same thing, as hours before
a still camera do."""

ALIKE_SHARE = 0.5
"""Of the stretches looked at closely, how many may show the same as a better one."""


def pieces_of(cells: Cells) -> list[slice]:
    """A track in stretches that overlap by half; all of it where it is short."""
    if cells.weight.sum() * CELL_S <= WHOLE_S and len(cells) <= STRETCH_CELLS:
        return [slice(0, len(cells))]
    middle_s = cells.middle_s
    starts_s = np.arange(cells.start_s[0], cells.end_s[-1], STRETCH_S / 2)
    first, after = np.searchsorted(middle_s, [starts_s, starts_s + STRETCH_S])
    edges = np.unique(np.stack([first, after], axis=1)[first < after], axis=0)
    return [slice(*pair) for pair in edges.tolist()]


@dataclass(frozen=True)
class Clues:
    """What the captions of a track say about a query, for judging stretches of it.

    Attributes:
        cells: The time axis.
        cosine: Shape ``(n,)``, of the query and what is said in each cell.
        words: Shape ``(n, w)``, whether each distinct word of the query is said in each cell.
        usual: How similar the query and the track are to anything else.
        calibration: Of the embedding model.
        bonus: Shape ``(n,)``, what the place that a question names adds to relevance.
        is_whole: Whether these are all captions there are, and not those that fit best.
    """

    cells: Cells
    cosine: Floats
    words: NDArray[np.bool_]
    usual: Usual
    calibration: Calibration
    bonus: Floats
    is_whole: bool = True

    @cached_property
    def pieces(self) -> list[slice]:
        """The whole track in stretches that overlap by half; all of it where it is short."""
        return pieces_of(self.cells)

    @cached_property
    def log_odds(self) -> Floats:
        """Shape ``(len(pieces),)``: that what is asked for is in each piece."""
        return self._plain_log_odds - self._level

    @property
    def weight(self) -> Floats:
        """Shape ``(len(pieces),)``: how much is captioned in each piece."""
        total = np.concatenate([[0.0], np.cumsum(self.cells.weight)])
        return np.array([total[piece.stop] - total[piece.start] for piece in self.pieces])

    def judge(self, stretch: slice) -> float:
        """Log-odds that what is asked for is in a stretch."""
        return float(self._judge([stretch])[0] - self._level)

    @cached_property
    def _plain_log_odds(self) -> Floats:
        return self._judge(self.pieces)

    @cached_property
    def _level(self) -> float:
        """How much higher than usual the query's log-odds are all over this track."""
        if not self.is_whole:
            return 0.0
        more = max(0.0, float(self.cells.weight.sum()) * CELL_S / STRETCH_S - 1)
        trust = more / (more + LEVEL_STRETCHES)
        mean = float(np.average(self._plain_log_odds, weights=self.weight))
        return LEVEL_SHARE * trust * (mean - self.calibration.usual_log_odds)

    def _judge(self, stretches: list[slice]) -> Floats:
        similar = _best_similarities(
            self.cosine, self.cells.weight, stretches, self.calibration.best_cells
        )
        log_odds = presence_log_odds(similar, self.usual, self.calibration)
        return log_odds + self._hints(stretches) - self._usual_hints

    def _hints(self, stretches: list[slice]) -> Floats:
        """Words and the place: what moves odds from one stretch to another."""
        placed: Floats = np.array([self.bonus[stretch].max() for stretch in stretches])
        return self._words(stretches) + placed

    def _words(self, stretches: list[slice]) -> Floats:
        """BM25 of each stretch as one document; how long a word is said is how often it is."""
        said = self._said(stretches)
        return np.asarray(WORDS_SHARE * (said * (K1 + 1) / (said + K1)) @ self._worth)

    def _said(self, stretches: list[slice]) -> Floats:
        edges = np.array([(stretch.start, stretch.stop) for stretch in stretches])
        return np.asarray(self._said_until[edges[:, 1]] - self._said_until[edges[:, 0]])

    @cached_property
    def _said_until(self) -> Floats:
        said = np.cumsum(self.words * self.cells.weight[:, None], axis=0)
        return np.concatenate([np.zeros((1, said.shape[1])), said])

    @cached_property
    def _worth(self) -> Floats:
        """Shape ``(w,)``: inverse document frequency of each word; one stretch alone has none."""
        if len(self.pieces) == 1:
            return np.zeros(self.words.shape[1])
        # Half a cell and not more than nothing: differences of sums are not exactly 0.
        frequency = (self._said(self.pieces) > 1e-6).sum(axis=0)
        return np.asarray(np.log1p((len(self.pieces) - frequency + 0.5) / (frequency + 0.5)))

    @cached_property
    def _usual_hints(self) -> float:
        """What hints are worth by chance, so that they move odds between stretches and add none."""
        return float(np.log(np.mean(np.exp(self._hints(self.pieces)))))


def promising(
    clues: Clues, guess: Floats, vectors_of: Callable[[slice], NDArray[np.float32]]
) -> list[slice]:
    """The stretches to look at closely, best first: all of a short video, or those most likely.

    Each lies around its best moment, which no other one chosen contains: an event at the border of
    two pieces is inside a stretch.

    Args:
        clues: What speaks for each piece.
        guess: Shape ``(n,)``, the first guess at relevance, per cell.
        vectors_of: Gives shape ``(n, d)``: unit vectors of what is said in each cell of a stretch.
    """
    if len(clues.pieces) == 1:
        return clues.pieces
    chosen: list[slice] = []
    meanings: list[NDArray[np.float32]] = []
    repeats = 0
    for index in np.argsort(-clues.log_odds, kind="stable").tolist():
        piece = clues.pieces[index]
        peak = piece.start + int(np.argmax(guess[piece]))
        if any(stretch.start <= peak < stretch.stop for stretch in chosen):
            continue
        stretch = _around(peak, clues.cells)
        meaning = _meaning(clues.cosine[stretch], vectors_of(stretch))
        is_repeat = any(float(meaning @ other) >= ALIKE for other in meanings)
        if is_repeat and repeats >= ALIKE_SHARE * STRETCHES:
            continue
        repeats += is_repeat
        chosen.append(stretch)
        meanings.append(meaning)
        if len(chosen) == STRETCHES:
            break
    return chosen


def _around(peak: int, cells: Cells) -> slice:
    """The stretch with a cell in its middle, in whole moments: no window may cut a caption."""
    middle_s = cells.middle_s
    edges_s = middle_s[peak] + np.array([-STRETCH_S, STRETCH_S]) / 2
    first, after = np.searchsorted(middle_s, edges_s).tolist()
    first = max(first, peak - STRETCH_CELLS // 2)
    after = min(after, peak + STRETCH_CELLS // 2)
    inside = cells.moment[[first, after - 1]]
    return slice(
        int(np.searchsorted(cells.moment, inside[0])),
        int(np.searchsorted(cells.moment, inside[1], side="right")),
    )


def _best_similarities(
    cosine: Floats, weight: Floats, stretches: list[slice], cells: float
) -> Floats:
    """``best_similarity`` of each stretch; padding has no weight."""
    longest = max(stretch.stop - stretch.start for stretch in stretches)
    padded = np.full((2, len(stretches), longest), -2.0)
    padded[1] = 0.0
    for row, stretch in enumerate(stretches):
        length = stretch.stop - stretch.start
        padded[0, row, :length] = cosine[stretch]
        padded[1, row, :length] = weight[stretch]
    return best_similarity(padded[0], padded[1], cells=cells)


def _meaning(cosine: Floats, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit mean of what is said in a stretch's five most similar cells; 0 where that is 0."""
    mean = vectors[np.argsort(-cosine, kind="stable")[:5]].mean(axis=0)
    norm = np.linalg.norm(mean)
    return np.asarray(mean / norm if norm > 0 else mean, dtype=np.float32)
