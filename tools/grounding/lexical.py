"""Words in common: BM25 over the captions of one video, weighted by how long each holds."""

from __future__ import annotations

import re
import sys
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

K1 = 1.2
"""How fast repeating a word stops to count."""

B = 0.5
"""How much a long caption is held against its words; captions vary little in length."""

# Words of letters and digits; each character by itself in scripts that are written without spaces
# (kana, CJK ideographs, Thai).
_LETTERS = r"[^\W_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+|[\u0e00-\u0e7f\u3040-\u9fff]"
_WORD = re.compile(_LETTERS)
# A "bird's-eye" view is one word, as it names no bird.
_WORD_OF_TWO = re.compile(rf"[a-z]+['’]s-[a-z]+|{_LETTERS}")

_STOP_WORDS = frozenset(
    _WORD.findall(
        "a about all also an and another are as at be been being both but by can could do does "
        "for from had has have he her him his i in into is it its itself more near of off on "
        "one onto or other our out over s several she so some such than that the their them "
        "there these they this those through to up very was we were what when where which while "
        "who whose will with would you your"
    )
)


def terms_of(text: str) -> list[str]:
    """The words of a text that carry meaning, in order, lower-cased and with suffixes cut off."""
    return [term for word in words_of(text) if (term := _term(word))]


def words_of(text: str) -> list[str]:
    """The words of a text in order, lower-cased, stop words and all."""
    return (_WORD_OF_TWO if "s-" in text else _WORD).findall(text.lower())


@lru_cache(maxsize=65_536)
def _term(word: str) -> str:
    """The stem of a word; empty for a stop word.

    A light stemmer: plural and verb endings alone, so that "cooked", "cooks" and "cooking" meet.
    """
    if word in _STOP_WORDS:
        return ""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix in ("ing", "ed"):
        if len(word) > len(suffix) + 2 and word.endswith(suffix):
            word = word[: -len(suffix)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


@lru_cache(maxsize=40_000)
def _known_terms(text: str) -> tuple[str, ...]:
    """The terms of a caption: the next question about the same video needs them again."""
    return tuple(map(sys.intern, terms_of(text)))


@dataclass(frozen=True, slots=True)
class Matches:
    """How often each text says each of a query's words.

    Attributes:
        counts: Shape ``(n, w)``, per text and distinct word of the query.
        lengths: Shape ``(n,)``, words that carry meaning in each text.
    """

    counts: NDArray[np.float64]
    lengths: NDArray[np.float64]

    @property
    def says_all(self) -> NDArray[np.bool_]:
        """Shape ``(n,)``: texts that say every word of the query; none if it has no words."""
        has_words = self.counts.shape[1] > 0
        return np.asarray((self.counts > 0).all(axis=1) & has_words)


class Lexicon:
    """Which of some texts say which word; made once, it is asked in no time.

    Args:
        texts: In the order that matches are wanted in.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._lengths = np.zeros(len(texts))
        rows: defaultdict[str, array[int]] = defaultdict(lambda: array("i"))
        for row, text in enumerate(texts):
            terms = _known_terms(text)
            self._lengths[row] = len(terms)
            for term in terms:
                rows[term].append(row)
        self._rows = dict(rows)

    def match(self, query: str) -> Matches:
        """Count a query's words in each of the texts."""
        wanted = dict.fromkeys(terms_of(query))
        counts = np.zeros((len(self._lengths), len(wanted)))
        for column, term in enumerate(wanted):
            if term in self._rows:
                counts[:, column] = np.bincount(self._rows[term], minlength=len(counts))
        return Matches(counts, self._lengths)


def bm25(matches: Matches, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score texts by a query's words: words that are rare among these texts count for more.

    BM25 with idf = ln(1 + (T - df + 0.5) / (df + 0.5)) (Robertson and Zaragoza, "The Probabilistic
    Relevance Framework", 2009). T, df and the mean length are weighted: with weights proportional
    to duration, a caption said once for 30 s counts as much as one repeated for 30 s.

    Args:
        matches: Of the query with ``n`` texts.
        weights: Shape ``(n,)``, positive: how many texts each stands for.

    Returns:
        Shape ``(n,)``, at least 0; all 0 where no word is in common.
    """
    counts = matches.counts
    if not counts.any():
        return np.zeros(len(counts))
    total = weights.sum()
    frequency = weights @ (counts > 0)
    idf = np.log1p((total - frequency + 0.5) / (frequency + 0.5))
    relative_length = matches.lengths / (weights @ matches.lengths / total)
    saturation = counts + (K1 * (1 - B + B * relative_length))[:, None]
    scores: NDArray[np.float64] = (idf * counts * (K1 + 1) / saturation).sum(axis=1)
    return scores
