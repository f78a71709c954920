"""The ranking of what is described, said or seen, by whichever reading a question asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tools.grounding.grounder import explain
from tools.grounding.lexical import terms_of
from tools.grounding.neighbours import next_to
from tools.retrieval.all_times import as_named, cut_to_told, told_named, told_unnamed, with_all
from tools.retrieval.contraries import number_said
from tools.retrieval.named_times import named_times, where_named
from tools.retrieval.negation import (
    is_negative,
    left_open,
    rank_rest,
    rank_without,
    read_negation,
    read_rest,
)
from tools.retrieval.open_question import rank_beside
from tools.retrieval.ordered import rank_in_order
from tools.retrieval.temporal_query import Single, split_query
from tools.retrieval.thing_words import read_thing
from tools.retrieval.told_there import at_moment
from tools.retrieval.two_things import joined, rank_two, read_two
from tools.timeline import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.ranking import Ranking, Window
    from tools.retrieval.question import Asked
    from tools.timeline import Caption

LEAST_NAMED = 1 / 3
"""How much of an answer by likeness has to be named, where few captions name what is asked for."""


@dataclass(frozen=True, slots=True)
class Described:
    """Captions of one kind, and the ways to ask them.

    Attributes:
        captions: In time order.
        vectors: Shape ``(n, d)``, their embeddings.
        ask: Ranks windows for some words, by likeness.
        occurrences: All the times of some words, by likeness; also told whether they are known to
            be several.
        names_things: Whether captions name what is seen, so that words can be counted in them.
    """

    captions: Sequence[Caption]
    vectors: NDArray[np.float32]
    ask: Callable[[str], Ranking]
    occurrences: Callable[[str, bool], Sequence[Window]]
    names_things: bool

    def named(self, text: str) -> tuple[Window, ...]:
        """The times at which captions name it; see ``named_times``."""
        return named_times(text, self.captions) if self.names_things else ()

    def times(self, text: str, is_repeated: bool) -> Sequence[Window]:
        """All the times, as captions name them or by likeness."""
        return self.named(text) or self.occurrences(text, is_repeated)

    def known(self, text: str) -> Ranking:
        """The ranking of a part of a question: by name where captions name it."""
        return as_named(self.ask(text), self.named(text))

    def placed_by(self, text: str) -> Ranking:
        """The ranking of what something else lies beside, which may have an order of its own."""
        part = split_query(text)
        if isinstance(part, Single):
            return self.known(text)
        return rank_in_order(text, part, self.known, self.times)

    def stretches(self, text: str) -> Ranking:
        """The ranking of something whose whole time is needed: by likeness and by name together.

        Captions of one scene name it at some times and not at others.
        """
        if not isinstance(split_query(text), Single):
            return self.placed_by(text)
        ranking = self.ask(text)
        named = self.named(text)
        if ranking.verdict != "found" or not named:
            return as_named(ranking, named)
        alike = [
            one
            for one in self._trimmed(text, ranking).events
            if any(one.span.overlap_s(time.span) > 0 for time in named)
        ]
        return as_named(ranking, joined((*alike, *named)))

    def says(self, text: str) -> bool:
        """Whether a caption says every word of it."""
        wanted = set(terms_of(text))
        return any(wanted <= set(terms_of(one.text)) for one in self.captions)

    def rank(
        self, asked: Asked, *, is_one_of_many: bool = False, every_time: bool = False
    ) -> Ranking:
        """The answer to a question, read as the event that it asks about.

        Args:
            asked: The question.
            is_one_of_many: As of ``tools.retrieval.ordered.rank_in_order``.
            every_time: Whether all the times that it happens are wanted.
        """
        if placed := self._by_others(asked):
            return placed
        if asked.at_s is not None:
            ranking = self._all_times(asked.text, self.ask(asked.text))
            named_in = self.captions if self.names_things else None
            return at_moment(ranking, asked.text, asked.at_s, named_in)
        if self.names_things and (negated := read_negation(asked.text)):
            return rank_without(negated, self.ask, self.named, self.captions)
        part = split_query(asked.text)
        ranking = rank_in_order(
            asked.text,
            part,
            self.ask if isinstance(part, Single) else self.known,
            self.times,
            is_one_of_many=is_one_of_many,
            is_presupposed=asked.is_presupposed,
        )
        return self._told(asked, ranking, every_time) if isinstance(part, Single) else ranking

    def _told(self, asked: Asked, ranking: Ranking, every_time: bool) -> Ranking:
        """The ranking of one sentence, with the times that captions name."""
        if self.names_things and (is_negative(asked.text) or _is_absent(asked.text)):
            return self._denied(asked.text, ranking, is_counted=asked.is_counted)
        if every_time or asked.every_time:
            return self._all_times(asked.text, ranking, is_counted=asked.is_counted)
        return self._as_named(asked.text, ranking)

    def _by_others(self, asked: Asked) -> Ranking | None:
        """The answer to what lies beside something, or is asked of two things; else None."""
        if asked.beside:
            with_half = not asked.is_next
            return rank_beside(
                asked,
                self.ask,
                lambda span: next_to(
                    span, asked.side, self.captions, self.vectors, with_half=with_half
                ),
                known_of=self.stretches if asked.is_next else self.placed_by,
            )
        if asked.at_s is None and (without := read_rest(asked.text)):
            return rank_rest(without, self.stretches(without), self.captions)
        if not self.captions or asked.at_s is not None or not (two := read_two(asked.text)):
            return None
        end_s = max(one.end_s for one in self.captions)
        return rank_two(two, self.stretches, Interval(self.captions[0].start_s, end_s))

    def rank_whole(self, query: str, *, every_time: bool) -> Ranking:
        """The answer to what is no sentence, such as a picture."""
        ranking = self.ask(query)
        return with_all(ranking, self.occurrences(query, False)) if every_time else ranking

    def _all_times(self, text: str, ranking: Ranking, *, is_counted: bool = False) -> Ranking:
        if named := self._few(text) or self.named(text):
            thing = read_thing(text) if is_counted else None
            said = number_said(thing.heads, self._texts(named)) if thing else ""
            return as_named(ranking, named, told=_told(text, len(named), is_counted, said))
        times = self.occurrences(text, False)
        return with_all(ranking, cut_to_told(times, text, self.captions))

    def _texts(self, times: Sequence[Window]) -> list[str]:
        """What captions say at these times."""
        spans = [one.span for one in times]
        return [
            one.text for one in self.captions if any(one.span.overlap_s(span) > 0 for span in spans)
        ]

    def _few(self, text: str) -> tuple[Window, ...]:
        return where_named(text, self.captions) if self.names_things else ()

    def _as_named(self, text: str, ranking: Ranking) -> Ranking:
        """Without times at which captions do not name it, and of what goes, its last moments.

        A short name that few captions write out is where they do, however alike others are.
        """
        if (few := self._few(text)) and not _answers(ranking, few):
            return as_named(ranking, few, told=told_named(len(few)))
        return self._trimmed(text, ranking)

    def _trimmed(self, text: str, ranking: Ranking) -> Ranking:
        """The events of a ranking at which captions name it; all of them where none is."""
        named, thing = self.named(text) if ranking.events else (), read_thing(text)
        does_go = thing is not None and thing.act == "goes"
        # The caption that shows it go may be trimmed off: it begins where the event then ends.
        slack_s = 1e-3 if does_go else 0.0
        pairs = [
            (event, time)
            for event in ranking.events
            for time in named
            if event.span.start_s < time.span.end_s
            and time.span.start_s < event.span.end_s + slack_s
        ]
        if not pairs:
            return ranking
        if does_go:
            moments = {time.span: replace(event, span=time.span) for event, time in pairs}
            kept = tuple(moments.values())
        else:
            kept = tuple(dict.fromkeys(event for event, _ in pairs))
        return replace(ranking, events=kept, reasoning=explain(kept))

    def _denied(self, text: str, ranking: Ranking, *, is_counted: bool) -> Ranking:
        """What is not so: where captions leave out what they name elsewhere, or say that."""
        if named := self.named(text):
            return as_named(ranking, named, told=_told(text, len(named), is_counted))
        return ranking if self.says(text) else left_open(ranking)


def _answers(ranking: Ranking, few: Sequence[Window]) -> bool:
    """Whether what was found by likeness holds all of these times, with little around them."""
    spans = [
        one.span for one in ranking.events if any(one.span.overlap_s(time.span) > 0 for time in few)
    ]
    held_s = [sum(span.overlap_s(time.span) for span in spans) for time in few]
    length_s = sum(span.end_s - span.start_s for span in spans)
    return all(held_s) and sum(held_s) >= LEAST_NAMED * length_s


def _is_absent(text: str) -> bool:
    thing = read_thing(text)
    return thing is not None and thing.is_absent


def _told(text: str, count: int, is_counted: bool, said: str = "") -> str:
    thing = read_thing(text)
    if thing is None or not thing.is_absent:
        return told_named(count, is_counted=is_counted, said=said)
    what = "anybody" if thing.is_nobody else f"“{thing.name}”"
    return told_unnamed(count, what, is_counted=is_counted)
