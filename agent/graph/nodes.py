"""What the nodes of the graph do. Each takes the narrowest state, and returns only what it owns."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, cast

from langgraph.runtime import Runtime

from agent.errors import (
    AnswerError,
    CaptionerError,
    UnansweredError,
    VideoError,
    WithheldError,
)
from agent.graph.compose import compose_grounding
from agent.graph.dependencies import Dependencies
from agent.graph.events import announce
from agent.graph.paths import (
    adopted,
    direct_of,
    is_settled,
    spans_of,
    told_path,
    with_path,
)
from agent.graph.plain_values import (
    AskedState,
    CaptionState,
    DirectState,
    ReplyState,
    RequestState,
    TurnState,
    answer_state,
)
from agent.graph.refine import refine_edges
from agent.graph.retrieving import Layers, retrieve_by, searched_part, watched
from agent.graph.settle import can_judge, settle
from agent.graph.state import (
    AfterCheck,
    AfterReason,
    AfterRetrieve,
    AfterWatch,
    Options,
    Question,
    State,
    Update,
    add_cost,
    cost_state,
)
from agent.grounding import Cost, LookUp, Refusal
from agent.reasoning.answer import Answer, parse_answer
from agent.reasoning.brief import Brief, SimilarityReasoner, Turn
from agent.reasoning.direct import parse_direct, stretches_to_show, why_of
from agent.reasoning.look_ups import MAX_REQUESTS, LookUpTools, look_up, tame_request
from agent.reasoning.ordered_answers import parse_parts
from agent.reasoning.reply import Reply, Request
from tools.indexing.indexer import Progress
from tools.ranking import PartFound, Window
from tools.retrieval.misspelt import mended
from tools.retrieval.question import parts_of
from tools.retrieval.retrieval import Retrieved, retrieve
from tools.retrieval.sight_evidence import SightEvidence
from tools.retrieval.tracks import is_measured
from tools.signals.claims import is_moment
from tools.store.store import VideoRecord
from tools.text import whole_unicode
from tools.timeline import Caption, Interval


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes, and what chooses the next one.

    Attributes:
        dependencies: What they work with; one run may replace some of it.
    """

    dependencies: Dependencies

    def watch(self, question: Question, runtime: Runtime[Options]) -> Update:
        """Make the captions that are missing."""

        def report(progress: Progress) -> None:
            announce(progress, node="watch", stream=runtime.stream_writer)

        record, cost = self.dependencies.watch(question, report=report)
        return watched(question, record, cost)

    def retrieve(self, state: AfterWatch) -> Update:
        """Rank the captions, and choose those to be read."""
        using = self.dependencies.now()

        def search(
            layers: Layers, *, limit_tokens: int, beside_scenes: bool, sight: SightEvidence | None
        ) -> Retrieved:
            asked, note = _mended(state["asked"], layers)
            found = retrieve(
                asked,
                layers,
                embedder=using.embedder,
                duration_s=state["record"]["duration_s"],
                # Where scenes stand in, only the captions at the windows' edges are shown.
                limit_tokens=1 if beside_scenes else limit_tokens,
                evenly=using.context == "all",
                every_time=state["all_times"],
                sight=sight,
                within=searched_part(state),
            )
            told = f"{found.ranking.reasoning} {note}".strip()
            return replace(found, ranking=replace(found.ranking, reasoning=told))

        return retrieve_by(search, state, using)

    def asks_directly(self, state: AfterRetrieve) -> bool:
        """Whether a video model should be shown frames now."""
        direct = self.dependencies.now().direct
        if direct is None or direct_of(state)["status"] or not _stretches(state):
            return False
        return direct.is_wanted(VideoRecord.from_dict(state["record"]))

    def direct(self, state: AfterRetrieve) -> Update:
        """Show a video model frames, and ask it when it happens."""
        asker = self.dependencies.now().direct
        assert asker is not None
        record, before, stretches = (
            VideoRecord.from_dict(state["record"]),
            direct_of(state),
            _stretches(state),
        )
        turns = [Turn.model_validate(plain) for plain in before["turns"]]
        try:
            paid = Cost.model_validate(state["spent"].get("direct", {}))
            said = asker(record, state["asked"], stretches, turns=turns, paid=paid)
        except (WithheldError, UnansweredError, CaptionerError, VideoError) as exc:
            return {"direct": {**before, "status": "failed", "note": str(exc)}}
        asked_of = AskedState(name=asker.name, by="direct", prompts=asker.prompts)
        is_whole = len(stretches) == 1 and stretches[0] == _searched(state)
        return {
            "direct": {
                **before,
                "status": "asking",
                "name": asker.name,
                "prompts": asker.prompts,
                "attempts": before["attempts"] + 1,
                "frames": _as_evidence(said.frames),
                "is_whole": is_whole,
                "note": said.note,
                "kept": cost_state(said.kept),
            },
            "reply": _reply_state(Reply(said.text, cut_off=said.cut_off), asked_of),
            "spent": add_cost(state["spent"], "direct", said.cost),
        }

    def reason(self, state: AfterRetrieve) -> Update:
        """Ask the reasoner for a reply."""
        using = self.dependencies.now()
        brief, reasoner = _brief(state, using), using.reasoner
        asked_of = AskedState(name=reasoner.name, by=reasoner.by, prompts=reasoner.prompts)
        try:
            reply = reasoner.reply(brief)
        except WithheldError as exc:
            why = f"the text model was not asked: {exc}"
            return {"withheld": why, "reply": _reply_state(Reply(""), asked_of)}
        except UnansweredError as exc:
            why = f"the LLM-free grounder answers, since the text model did not: {exc}"
            return {"withheld": why, "reply": _reply_state(Reply(""), asked_of)}
        may_ask = brief.rounds_left and not reply.cut_off
        requests = tuple(map(tame_request, reply.requests[:MAX_REQUESTS])) if may_ask else ()
        return {
            "reply": _reply_state(replace(reply, requests=requests), asked_of),
            "reader_note": reply.note,
            "attempts": state["attempts"] + (not requests),
            "spent": add_cost(state["spent"], "reasoner", reply.cost),
        }

    def look_up(self, state: AfterReason, runtime: Runtime[Options]) -> Update:
        """Do what the reply asked for; captions not seen so far get the next numbers."""
        tools = _look_ups(state, self.dependencies.now()).offered()
        evidence, spent = list(state["evidence"]), state["spent"]
        known = {plain["id"] for plain in evidence}
        done: list[LookUp] = []
        for plain in state["reply"]["requests"]:
            one, captions, cost = look_up(Request(**plain), tools)
            unseen = [caption for caption in captions if caption.id not in known]
            evidence += _as_evidence(unseen)
            known |= {caption.id for caption in unseen}
            spent = add_cost(spent, "captioner", cost)
            done.append(one)
            announce(one, node="look_up", stream=runtime.stream_writer)
        turn = _turn_state(Turn(said=state["reply"]["text"], look_ups=tuple(done)))
        return {"evidence": evidence, "spent": spent, "turns": [*state["turns"], turn]}

    def check(self, state: AfterReason, runtime: Runtime[Options]) -> Update:
        """Accept the reply as an answer, or refuse it and say why."""
        if direct_of(state)["status"] == "asking":
            return self._check_direct(state, runtime)
        said = state["reply"]["text"]
        try:
            answer, order = _judge(state)
        except AnswerError as exc:
            refusal = Refusal(
                attempt=state["attempts"], kind=exc.kind, message=str(exc), reply=said
            )
            announce(refusal, node="check", stream=runtime.stream_writer)
            turn = _turn_state(Turn(said=said, refusal=refusal))
            return {"accepted": None, "turns": [*state["turns"], turn]}
        accepted, asked_of = answer_state(answer), state["reply"]["asked_of"]
        update: Update = {
            "accepted": accepted,
            "by": asked_of["by"],
            "order": order or state["order"],
        }
        if asked_of["by"] == "llm":
            path = told_path("captions", asked_of["name"], spans_of(accepted, state["evidence"]))
            update["paths"] = with_path(state, path)
        return update

    def _check_direct(self, state: AfterReason, runtime: Runtime[Options]) -> Update:
        """The same for a video model's reply in seconds."""
        using, direct, said = self.dependencies.now(), direct_of(state), state["reply"]["text"]
        try:
            answer = _judge_direct(state)
        except AnswerError as exc:
            refusal = Refusal(
                attempt=direct["attempts"], kind=exc.kind, message=str(exc), reply=said
            )
            announce(refusal, node="check", stream=runtime.stream_writer)
            refused: DirectState = {
                **direct,
                "turns": [*direct["turns"], _turn_state(Turn(said=said, refusal=refusal))],
            }
            if direct["attempts"] >= using.max_attempts:
                note = f"{direct['name']} was shown frames, and its replies were refused"
                refused = {**refused, "status": "failed", "note": note}
            return {"accepted": None, "direct": refused}
        accepted = answer_state(answer)
        done: DirectState = {
            **direct,
            "status": "done",
            "accepted": accepted,
            "why": why_of(said),
        }
        path = told_path("direct", direct["name"], spans_of(accepted, direct["frames"]))
        update: Update = {"direct": done, "paths": with_path(state, path)}
        if using.every_path or not (answer.found or direct["is_whole"]):
            # Captions speak of the rest of the video.
            return {"accepted": None, **update}
        return {**update, **adopted(accepted, direct["frames"], state), "order": ""}

    def asks_direct_again(self, state: AfterRetrieve) -> bool:
        """Whether a video model's reply was refused, and another one may be asked for."""
        return direct_of(state)["status"] == "asking"

    def is_worth_verifying(self, state: AfterCheck) -> bool:
        """Whether ways to an answer are to be compared, by a judge if there is one."""
        using = self.dependencies.now()
        if is_settled(state):
            return False
        return can_judge(state, using) or (
            direct_of(state)["accepted"] is not None and (using.every_path)
        )

    def verify(self, state: AfterCheck) -> Update:
        """Let a judge rank the windows, and choose where ways to an answer disagree."""
        return settle(state, self.dependencies.now())

    def fall_back(self, state: AfterReason) -> Update:
        """Answer as the LLM-free grounder would."""
        reply = SimilarityReasoner().reply(_brief(state, self.dependencies.now()))
        answer = parse_answer(reply.text, shown=_spans(state), cuts=_cuts(state))
        return {"accepted": answer_state(answer), "by": "fallback"}

    def is_worth_refining(self, state: AfterCheck) -> bool:
        """Whether edges that come from frames are not refined yet, and a model can look closer."""
        using = self.dependencies.now()
        has_edges = bool(state["accepted"] and state["accepted"]["events"])
        is_of_frames = state["record"]["rate_hz"] is not None and _are_seen(state)
        can_look = using.refine and using.closer is not None
        # A video model has looked at more frames than captions have.
        return can_look and has_edges and is_of_frames and state["by"] != "direct"

    def refine(self, state: AfterCheck) -> Update:
        """Decide the edges of the accepted answer again; what was answered stays as it was said."""
        using = self.dependencies.now()
        assert using.closer is not None
        captions = [Caption.from_dict(plain) for plain in state["evidence"]]
        refined = refine_edges(
            Answer.model_validate(state["accepted"]),
            captions,
            VideoRecord.from_dict(state["record"]),
            # In a question in parts, only the edges of the part that is asked for count.
            next((part["text"] for part in state["ranking"]["parts"]), state["asked"]),
            edge_looks=using.edge_looks,
            closer=using.closer,
            embedder=using.embedder,
        )
        looks = refined.captions[len(captions) :]
        return {
            "refined": [event.as_dict() for event in refined.events],
            "evidence": [*state["evidence"], *_as_evidence(looks)],
            "spent": add_cost(state["spent"], "captioner", refined.cost),
            "refine_note": refined.note,
        }

    def answer(self, state: State) -> Update:
        """Say it in seconds, with the evidence."""
        grounding = compose_grounding(
            state, embedder=self.dependencies.embedder.name, prompts=self.dependencies.prompts
        )
        return {"grounding": grounding.model_dump(mode="json", by_alias=True)}


def timed(node: Callable[..., Update]) -> Callable[..., Update]:
    """The same node, timed; LangGraph still sees the node's own annotations."""

    @wraps(node)
    def run(*args: Any, **kwargs: Any) -> Update:
        started_s = time.perf_counter()
        update = node(*args, **kwargs)
        return update | {"seconds": {node.__name__: time.perf_counter() - started_s}}

    return run


def _mended(query: str, layers: Layers) -> tuple[str, str]:
    """The question as descriptions spell it, and a note on that; see ``mended``."""
    said = [one.text for captions, _ in layers for one in captions if one.source == "vision"]
    return mended(query, said) if said else (query, "")


def _are_seen(state: AfterCheck) -> bool:
    """Whether events are of captions that look alike at their edges: not measured, nor said."""
    of_frames = {"vision"}
    if is_measured(VideoRecord.from_dict(state["record"]).track):
        of_frames.add("signal")
    first = [event["first"] for event in (state["accepted"] or {"events": []})["events"]]
    return all(state["evidence"][number - 1]["source"] in of_frames for number in first)


def _searched(state: AfterRetrieve) -> Interval:
    return searched_part(state) or Interval(0.0, state["record"]["duration_s"])


def _stretches(state: AfterRetrieve) -> list[Interval]:
    """What a video model would be shown."""
    windows = [Window.from_dict(plain) for plain in state["ranking"]["windows"]]
    return stretches_to_show(windows, state["record"]["duration_s"], searched_part(state))


def _reply_state(reply: Reply, asked_of: AskedState) -> ReplyState:
    return ReplyState(
        text=whole_unicode(reply.text),
        cut_off=reply.cut_off,
        in_parts=reply.in_parts,
        requests=[RequestState(tool=one.tool, arguments=one.arguments) for one in reply.requests],
        asked_of=asked_of,
    )


def _turn_state(turn: Turn) -> TurnState:
    return cast("TurnState", turn.model_dump())


def _as_evidence(looked_up: Sequence[Caption]) -> list[Any]:
    return [caption.as_dict() | {"relevance": None} for caption in looked_up]


def _judge(state: AfterReason) -> tuple[Answer, str]:
    """The reply as an answer, and how the order of the question's parts decided it, if so."""
    reply, shown = state["reply"], _spans(state)
    if reply["cut_off"]:
        raise AnswerError(
            "cut_off",
            "The reply was too long and was cut off; give fewer steps and shorter reasons.",
        )
    if reply["in_parts"]:
        return parse_parts(reply["text"], parts_of(state["asked"]), shown=shown)
    return parse_answer(reply["text"], shown=shown, cuts=_cuts(state)), ""


def _judge_direct(state: AfterReason) -> Answer:
    """A video model's reply as an answer in numbers of its frames."""
    if state["reply"]["cut_off"]:
        raise AnswerError("cut_off", "The reply was too long and was cut off; be short.")
    shown = _spans_in(direct_of(state)["frames"])
    return parse_direct(state["reply"]["text"], shown, state["asked"])


def _brief(state: AfterRetrieve, using: Dependencies) -> Brief:
    ranking = state["ranking"]
    turns = [Turn.model_validate(plain) for plain in state["turns"]]
    rounds = sum(bool(turn.look_ups) for turn in turns)
    return Brief(
        query=state["asked"],
        captions=[Caption.from_dict(plain) for plain in state["evidence"]],
        opening=state["opening"],
        windows=[Window.from_dict(plain) for plain in ranking["windows"]],
        events=[Window.from_dict(plain) for plain in ranking["events"]],
        turns=turns,
        tools=_look_ups(state, using).offered if using.max_look_ups else tuple,
        rounds_left=max(0, using.max_look_ups - rounds),
        nothing_more=state["all_shown"] and not _can_look_closer(state, using),
        overview=[Caption.from_dict(plain) for plain in state["overview"]],
        parts=[PartFound.from_dict(plain) for plain in ranking["parts"]],
        # A thread of an earlier version does not know.
        is_granted=state.get("is_granted", False),
    )


def _can_look_closer(state: AfterRetrieve, using: Dependencies) -> bool:
    return using.closer is not None and state["record"]["rate_hz"] is not None


def _look_ups(state: AfterRetrieve, using: Dependencies) -> LookUpTools:
    return LookUpTools(
        VideoRecord.from_dict(state["record"]),
        state["asked"],
        using.store,
        using.embedder,
        using.closer,
        using.leave_out,
        using.prompts,
    )


def _spans(state: AfterRetrieve) -> list[Interval]:
    return _spans_in(state["evidence"])


def _cuts(state: AfterRetrieve) -> set[int]:
    """Numbers of the captions that tell of a cut."""
    captions = map(Caption.from_dict, state["evidence"])
    return {number for number, one in enumerate(captions, start=1) if is_moment(one)}


def _spans_in(captions: Sequence[CaptionState]) -> list[Interval]:
    return [Interval(plain["start_s"], plain["end_s"]) for plain in captions]
