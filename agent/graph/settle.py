"""The verify step: a judge ranks windows, and looks closer where ways to an answer disagree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.graph.dependencies import Dependencies
from agent.graph.paths import (
    adopted,
    direct_of,
    same_place,
    spans_of,
    told_path,
    with_path,
)
from agent.graph.plain_values import AnswerState, JudgingState, WindowState, answer_state
from agent.graph.state import AfterCheck, Update, add_cost, cost_state
from agent.grounding import Cost
from agent.reasoning.answer import Answer, NumberedEvent
from agent.reasoning.brief import caption_numbers
from agent.reasoning.judge import (
    CLOSER_FRAMES,
    MOST_CALLS,
    SAME,
    Judge,
    JudgedSpan,
    apart,
    frames_for,
    ranked,
    shows,
    tells_apart,
    worth_judging,
)
from tools.ranking import Window
from tools.store.store import VideoRecord
from tools.timeline import Caption, Interval

OF_EACH = 3
"""How many events of each answer are judged beside the windows."""

CLOSER_LOOKS = 2
"""How many of the calls are kept for a closer look where ways disagree."""


def can_judge(state: AfterCheck, using: Dependencies) -> bool:
    """Whether there is a judge, something to choose from, and an answer that it could question."""
    if using.judge is None or not _is_open_to_judge(state) or len(_candidates(state)) < 2:
        return False
    return state["record"]["rate_hz"] is not None or using.judge.is_asked_for


def _is_open_to_judge(state: AfterCheck) -> bool:
    """Whether verdicts on windows bear on the answer.

    They never make "found" of what a model did not find, and know nothing of an order in the
    question; between two answers that were found they decide.
    """
    if _theirs(state):
        return True
    is_of_windows = bool(_mine(state)) or state["by"] in {"similarity", "fallback"}
    return is_of_windows and not state["ranking"]["parts"]


def settle(state: AfterCheck, using: Dependencies) -> Update:
    """Compare the ways to an answer; the new state.

    The judge ranks windows inside this video, and decides between two answers that were both found.
    It never says whether there is one at all.
    """
    court = _Court(using.judge if can_judge(state, using) else None, state)
    court.hear(_candidates(state)[: MOST_CALLS - CLOSER_LOOKS])
    windows = court.windows()
    mine, theirs = _mine(state), _theirs(state)
    champion = windows[0].span if court.ranks and windows else None
    rivals = [one[0] for one in (mine, theirs) if one]
    if champion and mine and not same_place(champion, mine):
        rivals.append(champion)
    elif not (mine and theirs) or same_place(theirs[0], mine):
        rivals = []
    if len(rivals) > 1:
        court.look_closer(rivals)
        windows = court.windows()
    update: Update = {
        "spent": add_cost(state["spent"], "judge", court.cost),
        "judging": court.judging(decided=False),
    }
    if court.ranks and windows:
        best = windows[0].span
        update["paths"] = with_path(state, told_path("judge", court.name, [best]))
        plain: list[Any] = [window.as_dict() for window in windows]
        update["ranking"] = {**state["ranking"], "windows": plain}
    if _direct_wins(state, court, mine, theirs):
        direct = direct_of(state)
        assert direct["accepted"] is not None
        return update | adopted(direct["accepted"], direct["frames"], state)
    chosen = _chosen_by_rank(state, court, windows)
    if chosen and chosen != state["accepted"]:
        update |= {"accepted": chosen, "judging": court.judging(decided=True)}
    return update


def _direct_wins(
    state: AfterCheck, court: "_Court", mine: Sequence[Interval], theirs: Sequence[Interval]
) -> bool:
    """Whether a video model's answer stands in place of the one from captions."""
    direct = direct_of(state)
    if direct["accepted"] is None or state["by"] == "direct":
        return False
    if not (direct["is_whole"] or theirs):
        return False
    if mine and theirs and not same_place(theirs[0], mine):
        own, other = court.shows(mine[0]), court.shows(theirs[0])
        if own is not None and other is not None and abs(own - other) > SAME:
            return other > own
    # On what it has seen as a whole, it is the better tool.
    return direct["is_whole"]


def _chosen_by_rank(
    state: AfterCheck, court: "_Court", windows: Sequence[Window]
) -> AnswerState | None:
    """The LLM-free grounder's answer as the judge ranks its windows; None where that stands.

    It answers with as many events as before. An order in the question, and a wish for all times,
    are not for a judge of single windows.
    """
    accepted = state["accepted"]
    is_free = state["by"] in {"similarity", "fallback"}
    is_one_of_all = state["ranking"]["parts"] or state["all_times"]
    if not (is_free and court.ranks and accepted and accepted["events"]) or is_one_of_all:
        return None
    captions = [Caption.from_dict(plain) for plain in state["evidence"][: state["opening"]]]
    numbers = [
        caption_numbers(window, captions) for window in apart(windows, len(accepted["events"]))
    ]
    events = tuple(NumberedEvent(first=first, last=last) for first, last in numbers)
    return answer_state(Answer(found=True, events=events))


def _mine(state: AfterCheck) -> list[Interval]:
    """The accepted answer in seconds."""
    return spans_of(state["accepted"], state["evidence"])


def _theirs(state: AfterCheck) -> list[Interval]:
    """A video model's answer in seconds, where it is not the accepted one."""
    direct = direct_of(state)
    return [] if state["by"] == "direct" else spans_of(direct["accepted"], direct["frames"])


def _candidates(state: AfterCheck) -> list[Interval]:
    """What is worth judging: the answers' events, then the windows, best first."""
    windows = [_span(window) for window in state["ranking"]["windows"]]
    return worth_judging([*_mine(state)[:OF_EACH], *_theirs(state)[:OF_EACH], *windows])


def _span(plain: WindowState | Mapping[str, Any]) -> Interval:
    return Interval(plain["start_s"], plain["end_s"])


@dataclass
class _Court:
    """The judge, and what it has said so far."""

    judge: Judge | None
    state: AfterCheck
    verdicts: list[JudgedSpan] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)
    kept: Cost = field(default_factory=Cost)
    note: str = ""

    @property
    def name(self) -> str:
        return self.judge.name if self.judge else ""

    def hear(self, spans: Sequence[Interval]) -> None:
        self._ask(spans, [frames_for(span) for span in spans])

    def look_closer(self, spans: Sequence[Interval]) -> None:
        if not self.note:
            some = worth_judging(spans, most=CLOSER_LOOKS)
            self._ask(some, [CLOSER_FRAMES] * len(some))

    def shows(self, span: Interval) -> float | None:
        return shows(span, self.verdicts)

    def windows(self) -> list[Window]:
        """The grounder's windows in the judge's order."""
        ranking = self.state["ranking"]
        windows = [Window.from_dict(plain) for plain in ranking["windows"]]
        return ranked(windows, self.verdicts) if self.ranks else windows

    @property
    def ranks(self) -> bool:
        """Whether the judge orders the windows.

        It has to say more of one than of another, and knows nothing of an order in the question.
        """
        return tells_apart(self.verdicts) and not self.state["ranking"]["parts"]

    def judging(self, *, decided: bool) -> JudgingState:
        return JudgingState(
            is_over=True,
            decided=decided,
            name=self.name if self.verdicts else "",
            prompts=self.judge.prompts if self.judge and self.verdicts else {},
            verdicts=[_plain(one) for one in self.verdicts],
            note="; ".join(filter(None, (self.note, self._says_the_same()))),
            kept=cost_state(self.kept),
        )

    def _says_the_same(self) -> str:
        if len(self.verdicts) < 2 or tells_apart(self.verdicts):
            return ""
        return (
            f"{self.name} says that all {len(self.verdicts)} stretches it was shown fit equally "
            "well, so that it prefers none"
        )

    def _ask(self, spans: Sequence[Interval], frames: Sequence[int]) -> None:
        if self.judge is None or not spans:
            return
        # In a question in parts, the windows are those of the part that is asked for.
        parts = self.state["ranking"]["parts"]
        query = next((part["text"] for part in parts), self.state["asked"])
        record = VideoRecord.from_dict(self.state["record"])
        judged = self.judge(record, query, spans, frames=frames)
        self.verdicts += judged.verdicts
        self.cost = self.cost.plus(judged.cost)
        self.kept = self.kept.plus(judged.kept)
        self.note = judged.note


def _plain(verdict: JudgedSpan) -> Any:
    return verdict.as_dict()
