"""How the captions of one track fit one query, along a time axis: what grounding starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import CaptionError, EmbedderError
from tools.grounding.background import likeness_of_track, measure_usual
from tools.grounding.lexical import Lexicon, Matches, bm25
from tools.grounding.place import Place, nearness
from tools.grounding.presence import Calibration
from tools.grounding.relevance import first_guess, standardise
from tools.grounding.segments import (
    CELL_S,
    Cells,
    Moments,
    cut,
    group_captions,
    group_frames,
    name_caption,
)
from tools.grounding.stretches import Clues, pieces_of
from tools.half_numbers import lengths, products, widened
from tools.kept_captions import once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.other_frames import OtherFrames
    from tools.timeline import Caption

    Floats = NDArray[np.float64]


USUAL_PIECES = 4
"""How many stretches of a long video are enough to learn how its captions are written."""


@dataclass(frozen=True, slots=True)
class FittedTrack:
    """What the captions of one track say about one query.

    Attributes:
        cells: The time axis.
        vectors: Shape ``(n_captions, d)``, embeddings.
        first: Shape ``(m,)``, the first caption of each moment.
        cosine: Shape ``(m,)``, of the query and the moment's most similar caption.
        lexical: Shape ``(m,)``, BM25 of query and moment.
        bonus: Shape ``(n_cells,)``, what the place that a question names adds to relevance.
        smoothing_s: Over how long a single slip is averaged out.
    """

    cells: Cells
    vectors: NDArray[np.floating]
    first: NDArray[np.intp]
    cosine: Floats
    lexical: Floats
    bonus: Floats
    smoothing_s: float

    def take(self, kept: slice) -> FittedTrack:
        """The same for some of the cells."""
        return replace(self, cells=self.cells.take(kept), bonus=self.bonus[kept])

    @property
    def guess(self) -> Floats:
        """The first guess at relevance, per cell."""
        return self.guess_over(self.smoothing_s)

    def guess_over(self, smoothing_s: float) -> Floats:
        """The first guess, averaged over this long (a standard deviation)."""
        moment = self.cells.moment
        first = first_guess(
            self.cosine[moment], self.lexical[moment], self.cells, smoothing_s=smoothing_s
        )
        return standardise(first + self.bonus, self.cells.weight) if self.bonus.any() else first

    @property
    def cell_vectors(self) -> NDArray[np.float32]:
        """Shape ``(n_cells, d)``: unit mean of what is said in each cell; 0 where that is 0."""
        low, high = int(self.cells.moment[0]), int(self.cells.moment[-1]) + 1
        edges = np.append(self.first, len(self.vectors))[low : high + 1]
        said = unit(widened(self.vectors[edges[0] : edges[-1]]))
        # A sum of one is itself, and frames are moments of their own.
        is_each = len(said) == len(edges) - 1
        summed = said if is_each else np.add.reduceat(said, edges[:-1] - edges[0], axis=0)
        return unit(summed)[self.cells.moment - low]


@dataclass(frozen=True, slots=True)
class QueryFit:
    """A track that was read for a query.

    Attributes:
        track: What is said, and how well it fits.
        clues: What speaks for each stretch of it.
        moments: Which captions say one thing together.
        is_literal: Whether a moment says every word of the query.
    """

    track: FittedTrack
    clues: Clues
    moments: Moments
    is_literal: bool


def read_track(
    query: str,
    query_vector: NDArray[np.floating],
    captions: Sequence[Caption],
    vectors: NDArray[np.floating],
    *,
    duration_s: float,
    background: NDArray[np.floating],
    calibration: Calibration,
    place: Place | None = None,
    is_whole: bool = True,
    others: OtherFrames | None = None,
) -> QueryFit:
    """Compare a query with every caption; arguments and errors are those of ``grounder.ground``.

    Args:
        query: What to look for, not blank.
        query_vector: Shape ``(d,)``.
        captions: At least one.
        vectors: Shape ``(n, d)``.
        duration_s: Length of the video.
        background: Shape ``(b, d)``; see ``tools.grounding.background.background_of``.
        calibration: Of the embedding model.
        place: Where in the video it is said to be.
        is_whole: Whether these are all captions that there are.
        others: Compares with them, where it is frames and not words that are given.
    """
    if not (np.isfinite(duration_s) and duration_s > 0):
        raise ValueError(f"duration_s must be positive and finite, not {duration_s}")
    group = group_captions if others is None else group_frames
    moments, cells = once(
        captions,
        (group.__name__, duration_s),
        lambda: _axis(group(captions, duration_s=duration_s)),
    )
    vectors = np.asarray(vectors)
    cosine = _cosine(np.asarray(query_vector), captions, vectors)
    words = (
        once(captions, ("words", duration_s), lambda: Lexicon(moments.texts)).match(query)
        if calibration.says_words
        else Matches(np.zeros((len(moments.texts), 0)), np.zeros(len(moments.texts)))
    )
    near = nearness(place, cells, duration_s=duration_s) if place else np.zeros(len(cells))
    track = FittedTrack(
        cells=cells,
        vectors=vectors,
        first=moments.first,
        cosine=np.maximum.reduceat(cosine, moments.first),
        lexical=bm25(words, (moments.end_s - moments.start_s) / CELL_S),
        bonus=near,
        smoothing_s=calibration.smoothing_s,
    )
    clues = Clues(
        track.cells,
        track.cosine[track.cells.moment],
        (words.counts > 0)[track.cells.moment],
        measure_usual(
            np.asarray(query_vector),
            background,
            # With the background itself: as long as it is kept, no other has its number.
            once(
                captions,
                ("background", id(background), duration_s),
                lambda: (background, _likeness(background, track)),
            )[1],
            least_deviation=calibration.least_deviation,
        )
        if others is None
        else others.usual(np.asarray(query_vector), least_deviation=calibration.least_deviation),
        calibration,
        near,
        is_whole=is_whole,
    )
    return QueryFit(track, clues, moments, is_literal=bool(words.says_all.any()))


def _axis(moments: Moments) -> tuple[Moments, Cells]:
    return moments, cut(moments)


def _likeness(background: NDArray[np.floating], track: FittedTrack) -> Floats:
    pieces = pieces_of(track.cells)
    some = map(track.take, pieces[:: -(-len(pieces) // USUAL_PIECES)])
    return likeness_of_track(background, [(part.cell_vectors, part.cells.weight) for part in some])


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a row of zeros stays one."""
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norm > 0, norm, 1), dtype=np.float32)


def _cosine(
    query_vector: NDArray[np.floating],
    captions: Sequence[Caption],
    vectors: NDArray[np.floating],
) -> Floats:
    """Cosine of query and each caption; 0 where an embedding is zero."""
    if vectors.ndim != 2:
        raise CaptionError(f"caption embeddings must be one row a caption, not {vectors.shape}")
    if len(vectors) < len(captions):
        missing = name_caption(captions[len(vectors)], len(vectors))
        raise CaptionError(f"{missing} has no embedding; index the video again")
    if len(vectors) > len(captions):
        last = name_caption(captions[-1], len(captions) - 1)
        raise CaptionError(
            f"there are {len(vectors)} embeddings, but the last of {len(captions)} captions is "
            f"{last}; index the video again"
        )
    if query_vector.shape != vectors.shape[1:]:
        raise EmbedderError(
            f"the query's embedding has shape {query_vector.shape}, the captions' "
            f"{vectors.shape[1:]}; index the video again with the embedder in use"
        )
    if not np.isfinite(query_vector).all():
        raise EmbedderError("the query's embedding is not finite; check the embedder in use")
    # The vectors of captions that are kept are kept beside them.
    which = ("lengths", vectors.__array_interface__["data"][0], vectors.shape)
    norm = once(captions, which, lambda: lengths(vectors))
    if not np.isfinite(norm).all():
        index = int(np.argmin(np.isfinite(norm)))
        raise CaptionError(
            f"the embedding of {name_caption(captions[index], index)} is not finite; "
            "index the video again"
        )
    product = products(vectors, query_vector)
    norms = norm.astype(np.float64) * float(np.linalg.norm(query_vector))
    return np.asarray(np.divide(product, norms, out=np.zeros(len(vectors)), where=norms > 0))
