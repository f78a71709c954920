"""Whether a query's event is in the video at all, and how sure a window is: calibrated odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.lexical import terms_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST_CELLS = 5.0
"""Ten seconds: how much of the most similar time speaks for presence."""

LEAST_RARITY = 0.6
"""Of the plainest twentieth of the queries that presence was fitted on."""

LOOK_ALIKES = 0.003
"""How many stretches of other videos look like what a query asks for. Calibrates presence in videos
of an hour (expected calibration error 0.05 in place of 0.08) and of ten (0.11 for 0.18)."""

LITERAL_PRESENCE = 0.9
"""If a caption says every word: on QVHighlights val 33 queries of their own video, 1 of another."""

FOUND_PRESENCE = 0.25
"""From here on, "found". Presence is estimated as if half of all queries were about something in
the video; of what people ask, three in four are taken to be, which turns 0.25 into even odds."""

EVERYDAY_WORDS = """
woman man standing sitting shirt front holding wearing black white looking blue camera
car person hand smiling people two walking red down hair background table young next
couch phone group pink large something glasses jacket street green room top face chair
building hat dress long around sunglasses driving cell including trees girl outside food
bed cup seat window side blonde back women suit wall bottle road screen yellow sweater
water gray brown floor men mirror backpack pointing counter mask sign bowl cap kitchen
tank behind each computer parked boy microphone store view piece directly says desk
spoon hoodie playing truck
"""
"""The hundred commonest words of image captions, commonest first
(``evaluation/experiments/calibrate.py``)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns similarities and scores into probabilities, for one embedding model.

    Two logistic models, fitted by ``evaluation/experiments/calibrate.py`` on QVHighlights val:
    presence on
    every query asked of its own video and of another one, window on the best window of the first.

    Attributes:
        presence_bias: Log-odds of presence at similarity 0 and rarity 0.
        presence_similarity: Per unit of cosine.
        presence_rarity: Per unit of ``rarity``.
        window_bias: Log-odds that a window of score 0 has an IoU of 0.5 with a true one.
        window_score: Per unit of ``tools.grounding.windows.score_windows``.
    """

    presence_bias: float
    presence_similarity: float
    presence_rarity: float
    window_bias: float
    window_score: float


MINILM = Calibration(
    presence_bias=-15.01,
    presence_similarity=21.15,
    presence_rarity=8.57,
    window_bias=-4.25,
    window_score=4.73,
)
"""For all-MiniLM-L6-v2, whose cosine is about 0.5 where the event is there and 0.25 elsewhere."""


def best_similarity(
    cosine: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean cosine of the ten most similar seconds, in [-1, 1].

    Ten seconds are no fewer in an hour than in a minute, so it hardly grows with the video; the
    maximum would.

    Args:
        cosine: Shape ``(…, n)``, query and caption, per cell.
        weight: Shape ``(…, n)``, duration of each cell; not all 0.

    Returns:
        Shape ``(…,)``.
    """
    best = np.argsort(-cosine, axis=-1, kind="stable")
    by_rank = np.take_along_axis(weight, best, axis=-1)
    before = np.cumsum(by_rank, axis=-1) - by_rank
    share = np.clip(BEST_CELLS - before, 0, by_rank)
    ranked = np.take_along_axis(cosine, best, axis=-1)
    return np.asarray((ranked * share).sum(axis=-1) / share.sum(axis=-1))


def rarity(query: str) -> float:
    """How far a query's words are from what every caption says, in [``LEAST_RARITY``, 1].

    "A man in a blue shirt" is similar to half of all captions, "a woman shears a sheep" to few, so
    that the same cosine means more for the second. Word frequencies follow Zipf's law: the
    logarithm of a word's rank stands for its rarity, and words beyond the list count 1.
    """
    terms = dict.fromkeys(terms_of(query))
    mean = float(np.mean([_RARITY.get(term, 1.0) for term in terms])) if terms else 1.0
    return max(mean, LEAST_RARITY)


def presence_log_odds(
    similarity: NDArray[np.float64], rarity_: float, calibration: Calibration
) -> NDArray[np.float64]:
    """Log-odds that the event is in a stretch of video, if half of all queries' are.

    Args:
        similarity: Of each stretch, any shape; see ``best_similarity``.
        rarity_: See ``rarity``.
        calibration: Of the embedding model.
    """
    return np.asarray(
        calibration.presence_bias
        + calibration.presence_similarity * np.asarray(similarity)
        + calibration.presence_rarity * rarity_
    )


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
    """Probability that the event is anywhere in a video, were that so for half of all queries.

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
        weight: Likewise.
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


def _zipf(words: list[str]) -> dict[str, float]:
    return {word: float(np.log1p(rank) / np.log1p(len(words))) for rank, word in enumerate(words)}


_RARITY = _zipf(terms_of(EVERYDAY_WORDS))
