"""Shots go from cut to cut to the frame, however short they are, and meet there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from agent.graph.dependencies import Dependencies
from agent.graph.graph import build_graph
from agent.grounding import Cost, Grounding
from agent.reasoning.brief import SimilarityReasoner
from tests.fakes import WordEmbedder
from tests.road import QUESTION, RECORD, ask
from tools.captioners.classical import VERSION
from tools.signals.claims import Claim, write_claims
from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval, Track

AnswerTo = Callable[[str], Grounding]
TRACK = Track(VERSION, "", "frame@1/s")
CUTS_S = (4.62, 4.9, 7.3)
LENGTH_S = 12.0


def said(start_s: float, end_s: float, claim: Claim) -> Caption:
    return Caption("video1", Interval(start_s, end_s), write_claims([claim]), "signal", TRACK)


@pytest.fixture
def answer_to(tmp_path: Path) -> Iterator[AnswerTo]:
    captions = [said(at_s, at_s + 1.0, Claim("medium")) for at_s in range(int(LENGTH_S))]
    captions += [said(at_s, at_s + 0.04, Claim("cut", at_s=at_s)) for at_s in CUTS_S]
    record = replace(RECORD, duration_s=LENGTH_S, track=TRACK, rate_hz=1.0, captions=len(captions))
    with CaptionStore.open(tmp_path, embedder=WordEmbedder.name) as store:
        store.put_record(record)
        store.add(captions, WordEmbedder().embed([one.text for one in captions]))
        parts = Dependencies(
            lambda *_, **__: (record, Cost()), store, WordEmbedder(), SimilarityReasoner()
        )
        graph = build_graph(parts)
        yield lambda query: ask(graph, QUESTION.model_copy(update={"query": query}))


def spans(answer: Grounding) -> list[tuple[float, float]]:
    return [(one.start_s, one.end_s) for one in answer.intervals]


def test_all_shots_meet_at_the_cuts(answer_to: AnswerTo) -> None:
    edges = [0.0, *CUTS_S, LENGTH_S]
    answer = answer_to("how many scenes are there?")
    assert spans(answer) == list(pairwise(edges))
    assert [(one.start_s, one.end_s) for one in answer.candidates] == spans(answer)
    assert {one.confidence for one in answer.intervals} == {0.96}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("the first shot", (0, 4.62)),
        ("the second shot", (4.62, 4.9)),
        ("the third scene", (4.9, 7.3)),
        ("the last shot", (7.3, LENGTH_S)),
    ],
)
def test_a_shot_ends_with_the_cut_that_tells_of_the_next_one(
    answer_to: AnswerTo, query: str, expected: tuple[float, float]
) -> None:
    answer = answer_to(query)
    assert spans(answer) == [expected]
    last = answer.intervals[0].evidence[-1]
    is_to_the_end = expected[1] == LENGTH_S
    assert last.role == ("end" if is_to_the_end else "after")
    assert answer.intervals[0].end_precision_s == pytest.approx(0.0 if is_to_the_end else 0.04)


def test_a_cut_is_no_shot(answer_to: AnswerTo) -> None:
    assert spans(answer_to("the second cut")) == [(4.9, 4.94)]
