"""Whether a query's event is in the video at all, and how sure a window is: calibrated odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.similarity import BEST_CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.background import Usual

LOOK_ALIKES = 0.003
"""How many stretches of other videos look like what a query asks for. Calibrates presence in videos
of an hour (expected calibration error 0.05 in place of 0.08) and of ten (0.11 for 0.18)."""

LITERAL_PRESENCE = 0.9
"""If a caption says every word: on QVHighlights val 33 queries of their own video, 1 of another."""

FOUND_PRESENCE = 0.25
"""From here on, "found". Presence is estimated as if half of all queries were about something in
the video; of what people ask, three in four are taken to be, which turns 0.25 into even odds."""


OPEN_PRESENCE = 0.1
"""Below, "not found"; from here to ``FOUND_PRESENCE``, captions tell neither. What another thing is
placed by ("after the goal") is taken to be there from here on: of such things nine in ten are."""

GRANTED_PRESENCE = 0.2
"""From here on, what a question takes for granted ("why did he jump") is believed: even odds if
four in five such questions are asked of the right video."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns similarities and scores into probabilities, for one embedding model.

    Two logistic models, fitted by ``evaluation/experiments/calibrate.py`` on QVHighlights val:
    presence on every query asked of its own video and of another one, window on the best window of
    the first.

    Attributes:
        presence_bias: Log-odds of presence where similarity is as usual.
        presence_fit: Per standard deviation; see ``tools.grounding.background.Usual.deviations``.
        window_bias: Log-odds that a window of score 0 has an IoU of 0.5 with a true one.
        window_score: Per unit of ``tools.grounding.windows.score_windows``.
        least_deviation: Of embeddings that hardly differ, no small step may mean much; half of what
            is usual.
        says_words: Whether what is compared is text, so that words in common count.
        smoothing_s: Over how long a single slip is averaged out, as a standard deviation.
        sharpness: How many times less a moment counts (as a power of e) for each standard deviation
            that it fits worse than the best one; 0 where relevance is spread to what is alike.
        usual_log_odds: Of presence, in stretches that have nothing to do with a query.
        best_cells: How much of the most similar time speaks for presence; see
            ``tools.grounding.similarity``.
    """

    presence_bias: float
    presence_fit: float
    window_bias: float
    window_score: float
    least_deviation: float = 0.05
    says_words: bool = True
    smoothing_s: float = 2.0
    sharpness: float = 0.0
    usual_log_odds: float = -2.5
    best_cells: float = BEST_CELLS


MINILM = Calibration(
    presence_bias=-4.83,
    presence_fit=1.18,
    window_bias=-3.7,
    window_score=4.31,
)
"""For all-MiniLM-L6-v2, whose cosine is about 0.5 where the event is there and 0.25 elsewhere."""

SIMILARITY_SHARE = 22.0
"""Log-odds for a unit of cosine, where deviations are as usual among short captions."""


def presence_log_odds(
    similarity: NDArray[np.float64], usual: Usual, calibration: Calibration
) -> NDArray[np.float64]:
    """Log-odds that the event is in a stretch of video, if half of all queries' are.

    Args:
        similarity: Of each stretch, any shape; see ``tools.grounding.similarity``.
        usual: Of the query and the track.
        calibration: Of the embedding model.
    """
    deviations = usual.deviations(np.asarray(similarity))
    return np.asarray(calibration.presence_bias + calibration.presence_fit * deviations)


def presence_odds(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the odds of stretches are worth as evidence: no more than look-alikes leave of them.

    If something else looks just like what is asked for in ``LOOK_ALIKES`` of all stretches, the
    likelihood ratio r of event and no event becomes r / (1 - a + a r). It matters where many
    stretches are compared: the best of hundreds fits well, and may still be another one.
    """
    odds = np.exp(np.clip(log_odds, -50, 50))
    return np.asarray(odds / (1 - LOOK_ALIKES + LOOK_ALIKES * odds))


def presence_probability(
    odds: NDArray[np.float64], weight: NDArray[np.float64], *, share: float = 1.0
) -> float:
    """Probability that the event is anywhere in a video, if that were so for half of all queries.

    Before looking, it is as likely in one second as in another, so that the odds of the whole are
    the mean of its stretches' (Bayes' rule): the best of many has to fit better, as it does by
    chance.

    Args:
        odds: Shape ``(s,)``, of stretches that cover the video evenly; see ``presence_odds``.
        weight: Shape ``(s,)``, how much video each has.
        share: How much of the whole they cover; the rest does not fit at all.
    """
    mean = share * float(np.average(odds, weights=weight))
    return mean / (1 + mean)


def share_of_best(
    odds: NDArray[np.float64], weight: NDArray[np.float64], *, stretches: float
) -> float:
    """Probability, if the event is in the video, that it is where the odds are best.

    Args:
        odds: As of ``presence_probability``; they may overlap.
        weight: As of ``presence_probability``.
        stretches: How many of them there are without overlap.
    """
    mean = float(np.average(odds, weights=weight))
    return float(min(1.0, odds.max() / (max(1.0, stretches) * mean)))


def window_probability(
    scores: NDArray[np.float64], calibration: Calibration
) -> NDArray[np.float64]:
    """Probability, if the event is in the stretch, that a window has an IoU of 0.5 with it."""
    return _logistic(calibration.window_bias + calibration.window_score * scores)


def _logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))
