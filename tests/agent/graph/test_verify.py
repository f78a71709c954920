"""The graph with a judge and a video model: who decides, who agrees, and nothing is invalid."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.errors import UnansweredError
from agent.graph.state import Options
from agent.grounding import Cost, Grounding
from agent.reasoning.brief import SimilarityReasoner, Turn
from agent.reasoning.direct import DirectReply
from agent.reasoning.judge import MOST_CALLS, Judged, JudgedSpan
from tests.road import GOOD_REPLY, QUESTION, RECORD, ScriptedReasoner, ask, graph_with, stored
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

WATCHED = replace(RECORD, rate_hz=0.5)
DOG = Interval(8, 14)
TEXTS = (
    ["an empty grey road"] * 2
    + ["a dog jumps"] * 2
    + ["an empty grey road"] * 3
    + ["a brown dog jumps over a fence"] * 3
    + ["an empty grey road"] * 2
)
FOUND = '{"found": true, "events": [{"start_s": 8.0, "end_s": 14.0}]}'
NONE = '{"why": "nobody jumps", "found": false, "events": []}'


@dataclass
class ScriptedJudge:
    """Says how far a span shows it by a function of the span; keeps what it was asked."""

    shows: Callable[[Interval], float | None]
    is_asked_for: bool = False
    name: str = "openai:eye"
    prompts: dict[str, str] = field(default_factory=lambda: {"judge": "v1"})
    asked: list[tuple[Interval, int]] = field(default_factory=list)

    def __call__(
        self, record: VideoRecord, query: str, spans: Sequence[Interval], *, frames: Sequence[int]
    ) -> Judged:
        assert record.video_id == "video1"
        self.asked += zip(spans, frames, strict=True)
        verdicts = [
            JudgedSpan(span, shown, "yes", "odds", count)
            for span, count in zip(spans, frames, strict=True)
            if (shown := self.shows(span)) is not None
        ]
        cost = Cost(calls=len(spans), frames=sum(frames), tokens_in=10 * len(spans))
        note = "" if len(verdicts) == len(spans) else "some were not judged"
        return Judged(tuple(verdicts), cost, note)


@dataclass
class ScriptedDirect:
    """Says these replies in turn, of a frame a second; an error is raised."""

    replies: list[str | Exception]
    name: str = "openai:video"
    prompts: dict[str, str] = field(default_factory=lambda: {"direct": "v1"})
    asked: list[tuple[list[Interval], list[Turn]]] = field(default_factory=list)

    def is_wanted(self, record: VideoRecord) -> bool:
        assert record.video_id == "video1"
        return True

    def __call__(
        self,
        record: VideoRecord,
        query: str,
        stretches: Sequence[Interval],
        *,
        turns: Sequence[Turn],
        paid: Cost,
    ) -> DirectReply:
        reply = self.replies[min(len(self.asked), len(self.replies) - 1)]
        self.asked.append((list(stretches), list(turns)))
        if isinstance(reply, Exception):
            raise reply
        track = Track("openai:video", "v1", "direct")
        frames = [
            Caption("video1", Interval(at_s, at_s + 1), "(a frame)", "vision", track)
            for stretch in stretches
            for at_s in range(int(stretch.start_s), int(stretch.end_s))
        ]
        return DirectReply(reply, tuple(frames), cost=Cost(calls=1, frames=len(frames)))


def graph_of(store: CaptionStore, reasoner: Any = None, **parts: Any) -> Any:
    given: dict[str, Any] = {"watch": lambda *_, **__: (WATCHED, Cost())}
    return graph_with(store, reasoner or SimilarityReasoner(), **(given | parts))


@pytest.fixture
def two_dogs(tmp_path: Path) -> Any:
    with stored(tmp_path / "two", list(TEXTS)) as store:
        yield store


def says_of(preferred: Interval) -> Callable[[Interval], float]:
    return lambda span: 0.9 if span.iou(preferred) > 0.3 else 0.1


def paths_of(answer: Grounding) -> dict[str, bool | None]:
    return {one.path: one.agrees for one in answer.paths}


def test_without_a_text_model_the_judge_chooses_among_the_windows(two_dogs: CaptionStore) -> None:
    question = QUESTION.model_copy(update={"query": "a brown dog jumps over a fence"})
    plain = ask(graph_of(two_dogs), question)
    (interval,) = plain.intervals
    own = interval.span
    other = next(one.span for one in plain.candidates if one.span.overlap_s(own) == 0)
    judge = ScriptedJudge(says_of(other))
    answer = ask(graph_of(two_dogs, judge=judge), question)
    assert answer.by == "similarity"
    assert answer.intervals[0].span.iou(other) > 0.3
    assert answer.candidates[0].span.iou(other) > 0.3
    assert answer.candidates[0].judged == 0.9
    assert "openai:eye says that this shows it best" in answer.reasoning
    assert (answer.models.judge, answer.models.prompts["judge"]) == ("openai:eye", "v1")
    assert paths_of(answer) == {"similarity": False, "judge": True}
    assert len(judge.asked) <= MOST_CALLS
    assert [frames for _, frames in judge.asked[-2:]] == [6, 6], "a closer look at both"
    assert answer.usage.stages["judge"].calls == len(judge.asked)


def test_where_the_judge_agrees_nothing_changes_and_nobody_looks_closer(
    two_dogs: CaptionStore,
) -> None:
    plain = ask(graph_of(two_dogs))
    judge = ScriptedJudge(says_of(plain.intervals[0].span))
    answer = ask(graph_of(two_dogs, judge=judge))
    assert answer.intervals[0].span == plain.intervals[0].span
    assert paths_of(answer) == {"similarity": True, "judge": True}
    assert all(frames < 6 for _, frames in judge.asked)


def test_a_no_to_everything_is_no_threshold(two_dogs: CaptionStore) -> None:
    answer = ask(graph_of(two_dogs, judge=ScriptedJudge(lambda _: 0.0)))
    assert answer.verdict == "found"
    assert answer.intervals[0].span == ask(graph_of(two_dogs)).intervals[0].span


@pytest.mark.parametrize("shown", [0.0, 0.5, 1.0])
def test_a_judge_that_says_the_same_of_all_ranks_none_and_that_is_told(
    two_dogs: CaptionStore, shown: float
) -> None:
    plain = ask(graph_of(two_dogs))
    answer = ask(graph_of(two_dogs, judge=ScriptedJudge(lambda _: shown)))
    assert answer.intervals == plain.intervals
    assert [one.span for one in answer.candidates] == [one.span for one in plain.candidates]
    assert "judge" not in paths_of(answer), "it prefers none"
    assert "so that it prefers none" in answer.warning


def test_a_judge_that_fails_in_the_middle_prefers_none_of_those_it_did_not_see(
    two_dogs: CaptionStore,
) -> None:
    own = ask(graph_of(two_dogs)).intervals[0].span
    judge = ScriptedJudge(lambda span: 0.3 if span == own else None)
    answer = ask(graph_of(two_dogs, judge=judge))
    assert answer.intervals[0].span == own
    assert "judge" not in paths_of(answer)


def test_nobody_judges_windows_of_what_a_model_did_not_find(two_dogs: CaptionStore) -> None:
    """A yes does not make "found" of it, and would be paid for."""
    reasoner = ScriptedReasoner('{"steps": [], "found": false}')
    judge = ScriptedJudge(lambda one: 1 - one.start_s / 100)
    answer = ask(graph_of(two_dogs, reasoner, judge=judge))
    assert answer.verdict == "not_found"
    assert "judge" not in paths_of(answer)
    assert judge.asked == []


def test_a_judge_who_prefers_another_window_than_a_text_model_is_told(
    two_dogs: CaptionStore,
) -> None:
    reply = '{"steps": [], "found": true, "events": [{"first": 3, "last": 4}]}'
    judge = ScriptedJudge(says_of(Interval(14, 20)))
    answer = ask(graph_of(two_dogs, ScriptedReasoner(reply), judge=judge))
    assert (answer.by, answer.intervals[0].span) == ("llm", Interval(4, 8))
    assert (paths_of(answer)["captions"], paths_of(answer)["judge"]) == (True, False)
    assert len(judge.asked) <= MOST_CALLS


def test_captions_from_elsewhere_are_judged_only_if_that_is_asked_for(
    two_dogs: CaptionStore,
) -> None:
    elsewhere = {"watch": lambda *_, **__: (RECORD, Cost())}
    judge = ScriptedJudge(lambda _: 0.5)
    ask(graph_of(two_dogs, judge=judge, **elsewhere))
    assert judge.asked == []
    ask(graph_of(two_dogs, judge=replace(judge, is_asked_for=True), **elsewhere))
    assert judge.asked != []
    asked = len(judge.asked)
    graph_of(two_dogs, judge=judge).invoke(QUESTION, context=Options(verify=False))
    assert len(judge.asked) == asked


def test_what_each_way_prefers_has_its_edges_where_an_answer_has_them(tmp_path: Path) -> None:
    """Half a look before those of captions that are each of one frame."""
    frames = Track("openai:eye", "v1", "frame@0.5/s")
    record = replace(WATCHED, track=frames)
    reply = '{"steps": [], "found": true, "events": [{"first": 3, "last": 3}]}'
    parts: Any = {"watch": lambda *_, **__: (record, Cost())}
    with stored(tmp_path / "frames", list(TEXTS), frames) as store:
        plain = ask(graph_of(store, **parts))
        answer = ask(graph_of(store, ScriptedReasoner(reply), **parts))
    by = {one.path: one for one in answer.paths}
    assert by["captions"].best == (3.0, 5.0) == (answer.intervals[0].start_s, 5.0)
    assert by["similarity"].best in {(one.start_s, one.end_s) for one in plain.intervals}


def test_an_order_in_the_question_is_not_for_a_judge_of_windows(two_dogs: CaptionStore) -> None:
    last = QUESTION.model_copy(update={"query": "the last time a dog jumps"})
    plain = ask(graph_of(two_dogs), last)
    judge = ScriptedJudge(says_of(Interval(4, 8)))
    answer = ask(graph_of(two_dogs, judge=judge), last)
    assert answer.intervals[0].span == plain.intervals[0].span
    assert "judge" not in paths_of(answer), "it knows nothing of the order"
    assert judge.asked == []


def test_a_video_model_decides_on_a_short_clip(store: CaptionStore) -> None:
    direct = ScriptedDirect([FOUND])
    answer = ask(graph_of(store, ScriptedReasoner(), direct=direct))
    assert (answer.by, answer.intervals[0].span) == ("direct", DOG)
    assert direct.asked == [([Interval(0, 24)], [])]
    assert (answer.models.direct, answer.attempts) == ("openai:video", 1)
    assert answer.usage.stages["direct"] == Cost(calls=1, frames=24)
    assert answer.intervals[0].start_precision_s == 1.0
    assert paths_of(answer) == {"similarity": True, "direct": True}
    nowhere = ask(graph_of(store, ScriptedReasoner(), direct=ScriptedDirect([NONE])))
    assert nowhere.presence is None
    assert (nowhere.verdict, nowhere.reasoning) == ("not_found", "nobody jumps")
    assert paths_of(nowhere) == {"similarity": False, "direct": True}


def test_a_refused_direct_reply_is_told_and_tried_again(store: CaptionStore) -> None:
    direct = ScriptedDirect(["somewhere", FOUND])
    answer = ask(graph_of(store, ScriptedReasoner(), direct=direct))
    assert (answer.by, answer.attempts) == ("direct", 2)
    assert [one.kind for one in answer.refusals] == ["no_json"]
    (turn,) = direct.asked[1][1]
    assert (turn.said, turn.refusal) == ("somewhere", answer.refusals[0])


@pytest.mark.parametrize("reply", ["nonsense", UnansweredError("openai:video: no answer")])
def test_captions_answer_where_a_video_model_does_not(
    store: CaptionStore, reply: str | Exception
) -> None:
    direct = ScriptedDirect([reply])
    answer = ask(graph_of(store, ScriptedReasoner(GOOD_REPLY), direct=direct))
    assert (answer.by, answer.intervals[0].span) == ("llm", DOG)
    assert "openai:video" in answer.warning
    assert len(answer.refusals) == (3 if isinstance(reply, str) else 0)
    assert len(answer.intervals[0].evidence) == 4, "no frame of the failed attempt"


def test_of_a_long_video_none_in_the_windows_is_no_answer(store: CaptionStore) -> None:
    long = replace(WATCHED, duration_s=1000.0)
    parts = {"watch": lambda *_, **__: (long, Cost()), "direct": ScriptedDirect([NONE])}
    answer = ask(graph_of(store, ScriptedReasoner(GOOD_REPLY), **parts))
    assert (answer.by, answer.verdict) == ("llm", "found")
    assert paths_of(answer)["direct"] is False
    parts["direct"] = ScriptedDirect([FOUND])
    assert ask(graph_of(store, ScriptedReasoner(), **parts)).by == "direct"


def test_with_every_path_a_judge_decides_between_captions_and_video(
    two_dogs: CaptionStore,
) -> None:
    said = '{"found": true, "events": [{"start_s": 14.0, "end_s": 20.0}]}'
    reply = '{"steps": [], "found": true, "events": [{"first": 3, "last": 4}]}'
    by = {}
    for name, preferred in (("llm", Interval(4, 8)), ("direct", Interval(14, 20))):
        judge = ScriptedJudge(says_of(preferred))
        parts: dict[str, Any] = {"direct": ScriptedDirect([said]), "every_path": True}
        graph = graph_of(two_dogs, ScriptedReasoner(reply), judge=judge, **parts)
        answer = ask(graph)
        by[name] = (answer.by, answer.intervals[0].span)
        assert set(paths_of(answer)) == {"captions", "similarity", "judge", "direct"}
        assert len(judge.asked) <= MOST_CALLS
    assert by == {"llm": ("llm", Interval(4, 8)), "direct": ("direct", Interval(14, 20))}
    alone = graph_of(two_dogs, ScriptedReasoner(reply), **parts)
    assert ask(alone).by == "direct", "without a judge, who saw the whole clip"


def test_who_names_a_reasoner_for_a_run_has_that_one_decide(store: CaptionStore) -> None:
    direct = ScriptedDirect([FOUND])
    graph = graph_of(store, direct=direct, open_reasoner=lambda _: SimilarityReasoner())
    graph.invoke(QUESTION, context=Options(reasoner="similarity"))
    assert direct.asked == []
    graph.invoke(QUESTION, context=Options(reasoner="similarity", direct=True))
    assert len(direct.asked) == 1


def test_the_state_stays_plain_and_a_second_question_starts_clean(store: CaptionStore) -> None:
    direct = ScriptedDirect(["nonsense", FOUND])
    judge = ScriptedJudge(lambda span: span.start_s / 100)
    graph = graph_of(store, direct=direct, judge=judge, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one"}}
    assert len(ask(graph, config=config).refusals) == 1
    json.dumps(graph.get_state(config).values)
    assert ask(graph, config=config).refusals == ()


@pytest.mark.slow
def test_two_hundred_disagreements_end_in_valid_answers_that_tell_of_them(tmp_path: Path) -> None:
    rng = random.Random(20261127)
    by: Counter[str] = Counter()
    told: Counter[str] = Counter()
    with stored(tmp_path, list(TEXTS)) as store:
        for _ in range(200):
            first, last = sorted(rng.sample(range(1, 13), 2))
            start_s, end_s = sorted(rng.sample(range(25), 2))
            captions = f'{{"found": true, "events": [{{"first": {first}, "last": {last}}}]}}'
            video = f"{start_s} - {end_s} seconds"
            judge = ScriptedJudge(lambda _: rng.choice([None, rng.random()]))
            graph = graph_of(
                store,
                rng.choice([ScriptedReasoner(captions), SimilarityReasoner()]),
                judge=rng.choice([judge, None]),
                direct=ScriptedDirect([rng.choice([video, NONE])]),
                every_path=rng.random() < 0.8,
            )
            answer = Grounding.model_validate_json(ask(graph).to_json())
            for one in answer.intervals:
                assert 0 <= one.start_s < one.end_s <= 24
            assert len(judge.asked) <= MOST_CALLS
            by[answer.by] += 1
            told.update(one.path for one in answer.paths if one.agrees is False)
            assert any(one.agrees for one in answer.paths), "somebody's answer it is"
    assert set(by) == {"llm", "similarity", "direct"}
    assert set(told) == {"captions", "similarity", "judge", "direct"}
