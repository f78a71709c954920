"""The figures of a run: their names, what each says, and what is better.

Two things of a result are scored, and no figure mixes them up:

- **The answer**: ``intervals``, what a user is told. It is empty if the verdict is not "found",
  and then counts as a miss. ``mIoU``, ``R@1 IoU=…``, the edge errors and the risk are about it.
- **The ranked list**: ``candidates``, which a benchmark of ranked windows asks for whatever the
  verdict is. The figures whose names begin with ``QVHighlights`` are that benchmark's own.

So ``R@1 IoU=0.5`` asks whether the answer is right, and ``QVHighlights R1@0.5`` whether the head of
the list is: a grounder that says "not there" of something that it ranks rightly loses the first and
keeps the second. ``R@5 IoU=…`` asks whether one of the five best windows is right: the answer, then
the head of the list.
"""

from __future__ import annotations

from dataclasses import dataclass

BARS = (0.3, 0.5, 0.7)
"""The temporal IoU that counts as right, in the field's tables."""

LENGTHS = {"short": "10 s or less", "middle": "10 to 30 s", "long": "30 to 150 s"}
"""How long a true window is, as the benchmark divides them."""

MEANINGS = {
    "mIoU": "mean temporal IoU, in percent, of the answer's first interval with the true window it "
    "fits best; 0 where the answer is not 'found'",
    **{
        f"R@1 IoU={bar}": "share of queries whose answer's first interval has a temporal IoU of "
        f"{bar} or more with a true window"
        for bar in BARS
    },
    **{
        f"R@5 IoU={bar}": "share of queries where one of the five best windows (the answer, then "
        f"the ranked list) has a temporal IoU of {bar} or more with a true window"
        for bar in BARS
    },
    "QVHighlights R1@0.5": "the benchmark's recall: head of the ranked list, whatever the verdict",
    "QVHighlights R1@0.7": "the benchmark's recall: head of the ranked list, whatever the verdict",
    "QVHighlights mAP@0.5": "the benchmark's average precision of the ranked list at IoU 0.5",
    "QVHighlights mAP@0.75": "the benchmark's average precision of the ranked list at IoU 0.75",
    "QVHighlights mAP": "the benchmark's average precision, mean over IoU 0.5 to 0.95",
    **{
        f"QVHighlights mAP ({length})": f"the same for true windows of {seconds} alone, over the "
        "queries that have one; the ranked list stays whole"
        for length, seconds in LENGTHS.items()
    },
    "start error (s)": "median distance of the answer's start from the true one, over first "
    "intervals that overlap a true window",
    "end error (s)": "median distance of the answer's end from the true one",
    "cannot tell": "share of all questions that were answered 'cannot tell', which is not wrong",
    "answered": "share of all questions that were answered 'found'",
    "wrong answers": "share of the answers 'found' that are wrong: IoU below 0.5, or not there",
    "null precision": "share of the answers 'not found' or 'cannot tell' where it is not there",
    "null recall": "share of what is not there that was answered 'not found' or 'cannot tell'",
    "null recall (random)": "the same, asked of random other videos",
    "null recall (labelled)": "the same, asked of what a label says never happens",
    "null recall (hard)": "the same, asked of other segments of the same video; a few do show it",
    "null F1": "harmonic mean of null precision and null recall",
    "presence AUROC (random)": "probability that the presence estimate is higher where it is "
    "there than in a random other video, 0 to 1",
    "presence AUROC (hard)": "the same against other segments of the same video",
    "presence calibration error": "mean gap between presence estimate and truth, 0 to 1, over own "
    "and random other videos",
    "confidence calibration error": "mean gap between the best window's confidence and whether its "
    "IoU is 0.5 or more, 0 to 1, over own and random other videos",
}
"""Every figure's name, in the order of a table, with what it says; shares are in percent."""


LOWER_IS_BETTER = frozenset(
    {
        "start error (s)",
        "end error (s)",
        "wrong answers",
        "presence calibration error",
        "confidence calibration error",
    }
)

NEITHER_IS_BETTER = frozenset({"answered", "cannot tell"})
"""More answers are better only if they are right, which the other figures say."""


OF_ONE = frozenset(
    {
        "presence AUROC (random)",
        "presence AUROC (hard)",
        "presence calibration error",
        "confidence calibration error",
    }
)
"""Figures from 0 to 1, which want a third digit; all others are in percent or in seconds."""


FEWEST_FOR_INTERVAL = 10
"""From fewer results than this, a bootstrap's interval says nothing."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95% interval.

    Attributes:
        value: Over all results; in the unit that ``MEANINGS`` gives.
        low: 2.5th percentile of the bootstrap.
        high: 97.5th percentile.
        count: How many results it is over.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def has_interval(self) -> bool:
        """Whether it is over enough results for ``low`` and ``high`` to be told."""
        return self.count >= FEWEST_FOR_INTERVAL

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain values; no interval where there are too few results."""
        low, high = (self.low, self.high) if self.has_interval else (None, None)
        return {"value": self.value, "low": low, "high": high, "count": self.count}
