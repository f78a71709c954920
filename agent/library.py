"""One query to many videos: searched together, then answered each by the graph."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.events import Event
from agent.graph import Parts, build_graph, run_graph
from agent.grounding import Cost, Grounding
from agent.state import Question
from agent.tracks import is_beside
from tools.library import LibraryAnswer, search_library
from tools.retrieval import Retrieved, take_evidence
from tools.store import VideoRecord


def ask_library(
    query: str,
    records: Sequence[VideoRecord],
    parts: Parts,
    *,
    limit: int,
    on_event: Callable[[Event], None],
) -> list[Grounding]:
    """Answers of the likeliest videos, those found first, then by confidence.

    Args:
        query: What to look for.
        records: The track of each video that it is answered from; what is said in these videos, or
            written on the screen, is searched too.
        parts: Of the graph that answers for each of them.
        limit: Most answers wanted.
        on_event: Receives what happens on the way.
    """
    primary = {record.video_id: record for record in records}
    beside = [
        record
        for record in parts.store.records()
        if record.complete and is_beside(record.track) and record.video_id in primary
    ]
    likeliest = search_library(
        query, [*records, *beside], store=parts.store, embedder=parts.embedder
    )[:limit]
    found = {answer.record.video_id: _evidence(answer, parts) for answer in likeliest}
    graph = build_graph(
        replace(
            parts,
            watch=lambda question, *, report: (primary[question.video], Cost()),  # noqa: ARG005
            retrieve=lambda record: found[record.video_id],
        )
    )
    answers = [
        run_graph(graph, Question(video=video_id, query=query), on_event) for video_id in found
    ]
    return sorted(answers, key=_rank)


def _evidence(answer: LibraryAnswer, parts: Parts) -> Retrieved:
    order = sorted(range(len(answer.captions)), key=lambda index: answer.captions[index].span)
    captions = [answer.captions[index] for index in order]
    ranking = replace(answer.ranking, relevance=answer.ranking.relevance[order])
    return take_evidence(captions, ranking, limit_tokens=parts.evidence_tokens)


def _rank(answer: Grounding) -> tuple[bool, float]:
    surest = answer.intervals or answer.candidates
    return answer.verdict != "found", -max((one.confidence for one in surest), default=0.0)
