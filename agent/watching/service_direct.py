"""A video model of a service is shown frames with their times, and says when."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import (
    CaptionerError,
    ReasonerError,
    SettingsError,
    UnansweredError,
    UsedUpError,
    WithheldError,
)
from agent.reasoning.brief import Turn
from agent.reasoning.conversation import QUERY_CHARS, tame
from agent.reasoning.direct import (
    DIRECT_MODE,
    DIRECT_SCHEMA,
    LONGEST_CLIP_S,
    MAX_RATE_HZ,
    MOST_FRAMES_SHOWN,
    TAKES_VIDEO,
    DirectReply,
)
from agent.watching.kept_replies import keep_reply, known_reply, reply_track, stand_in
from agent.watching.model_costs import cost_of
from tools.errors import ServiceError
from tools.text import shorten
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from agent.grounding import Cost
    from agent.watching.image_paths import ImagePaths
    from tools.captioners.image_model import AskedModel, FrameAnswer, ShownFrame
    from tools.store.store import VideoRecord

FEWEST_FRAMES_SHOWN: Final = 8
"""With fewer, no video model can say when something begins and ends."""

REPLY_CHARS: Final = 4000


class ServiceDirect:
    """A video model of a service is shown frames, and asked when it happens; see ``Direct``."""

    def __init__(self, paths: ImagePaths) -> None:
        self._paths = paths

    @property
    def name(self) -> str:
        named = self._paths.settings.direct
        return self._paths.captioner_model() if named == "auto" else named

    @property
    def prompts(self) -> dict[str, str]:
        return {name: self._paths.prompts.version(name) for name in ("direct", "direct_refused")}

    def is_wanted(self, record: VideoRecord) -> bool:
        """See ``Direct``; a model that nobody named has to be known to take videos."""
        if self._paths.settings.direct != "auto":
            return True
        try:
            name = self.name
        except SettingsError:
            return False  # Said where it matters: nobody describes frames either.
        if record.rate_hz is None or not TAKES_VIDEO.search(name):
            return False
        what = "the clip is" if record.duration_s <= LONGEST_CLIP_S else "the likeliest windows are"
        self._paths.tell(
            f"{what} shown to {name}, which takes videos (--direct off: captions decide)"
        )
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
        """See ``Direct``."""
        paths = self._paths
        try:
            model = paths.model(self.name)
        except (CaptionerError, SettingsError) as exc:
            raise ReasonerError(str(exc)) from None
        told = shorten(tame(query), QUERY_CHARS)
        track = reply_track(model.name, self.prompts["direct"], told, stretches)
        known = None if turns else known_reply(paths.opened, record, track, stretches)
        if known:
            return known
        paths.check_file(record)
        paths.name_host(model.name)
        most, note = MOST_FRAMES_SHOWN, ""
        while True:
            try:
                said = self._ask(model, record, told, stretches, turns, most=most, note=note)
            except _TooMuchError as exc:
                most = exc.most or most // 2
                if most < FEWEST_FRAMES_SHOWN:
                    raise UnansweredError(f"{model.name}: {exc}") from None
                note = f"{model.name} can be shown no more than about {most} frames at once"
            else:
                keep_reply(paths.opened, record, track, stretches, said, paid=paid.plus(said.cost))
                return said

    def _ask(
        self,
        model: AskedModel,
        record: VideoRecord,
        told: str,
        stretches: Sequence[Interval],
        turns: Sequence[Turn],
        *,
        most: int,
        note: str,
    ) -> DirectReply:
        from tools.captioners.image_model import FrameQuestion, fewer
        from tools.captioners.traced_calls import TracedCalls
        from tools.indexing.shown_frames import frames_of_stretches

        paths = self._paths
        work, budget = paths.under_way(), paths.runs.budget()
        prompt = partial(self._prompt, told, stretches, record.duration_s)
        length_s = sum(stretch.length_s for stretch in stretches)
        expected = min(most, 1 + int(MAX_RATE_HZ * length_s))
        try:
            budget.check_frames(expected, model.most_usd(prompt(most), expected))
        except UsedUpError as exc:
            raise WithheldError(f"{model.name} was not shown frames: {exc}") from None
        with paths.describing, work.in_order():
            frames = frames_of_stretches(
                Path(record.path),
                stretches,
                most=most,
                max_rate_hz=MAX_RATE_HZ,
                max_bytes=paths.max_bytes,
                go_on=work.go_on,
            )
        if most < MOST_FRAMES_SHOWN:
            frames = list(fewer(frames, most))  # A part may give one more than its share.
        question = FrameQuestion(
            prompt(len(frames)),
            frames,
            record.duration_s,
            as_video=True,
            later=self._later(turns, stretches),
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": DIRECT_SCHEMA},
            },
        )
        try:
            answer = model.ask(question, TracedCalls.of_this_step(), until=paths.runs.until())
        except ServiceError as exc:
            budget.spend_reply(exc.usd)
            if exc.kind in {"context", "pictures"}:
                most_pictures = model.most_frames if exc.kind == "pictures" else None
                raise _TooMuchError(str(exc), most_pictures) from None
            error = ReasonerError if paths.settings.strict else UnansweredError
            raise error(f"{model.name}: {exc}") from None
        budget.spend_frames(len(frames), answer.usd)
        track = Track(model.name, self.prompts["direct"], f"{DIRECT_MODE} {most}")
        return DirectReply(
            answer.reply.text or answer.reply.refusal,
            tuple(_as_captions(frames, stretches, record.video_id, track)),
            answer.reply.cut_off,
            cost_of(answer, len(frames)),
            note or _unread_note(model.name, answer, len(frames)),
        )

    def _prompt(
        self, told: str, stretches: Sequence[Interval], duration_s: float, count: int
    ) -> str:
        parts = ", ".join(f"{one.start_s:.1f}–{one.end_s:.1f} s" for one in stretches)
        is_whole = stretches[0].start_s == 0 and stretches[-1].end_s >= duration_s
        whole = len(stretches) == 1 and is_whole
        shown = (
            f"The video is {duration_s:.1f} s long."
            if whole
            else f"They are from these parts of it alone: {parts}."
        )
        return self._paths.prompts.render("direct", query=told, count=str(count), shown=shown)

    def _later(self, turns: Sequence[Turn], stretches: Sequence[Interval]) -> list[dict[str, str]]:
        """Refused replies, and what the model is told about them."""
        later: list[dict[str, str]] = []
        for turn in turns:
            if turn.refusal is None:
                continue
            said = shorten(turn.said, REPLY_CHARS) or "(nothing)"
            told = self._paths.prompts.render(
                "direct_refused",
                reason=tame(turn.refusal.message),
                start=f"{stretches[0].start_s:.1f}",
                end=f"{stretches[-1].end_s:.1f}",
            )
            later += [{"role": "assistant", "content": said}, {"role": "user", "content": told}]
        return later


class _TooMuchError(Exception):
    """It was shown more than it can read.

    Attributes:
        most: How many frames it takes; None where it does not say.
    """

    def __init__(self, told: str, most: int | None) -> None:
        super().__init__(told)
        self.most = most


def _unread_note(name: str, answer: FrameAnswer, frames: int) -> str:
    """Says that a service counted too few tokens to have seen the frames; else empty."""
    if not answer.tokens_in or answer.tokens_in >= frames:
        return ""
    return (
        f"{name} counted {answer.tokens_in} tokens for {frames} frames and a question, so it seems "
        "to have seen none of them; is it a model that takes images?"
    )


def _as_captions(
    frames: Sequence[ShownFrame], stretches: Sequence[Interval], video_id: str, track: Track
) -> list[Caption]:
    """Captions that stand for frames: each holds until the next one of its stretch."""
    captions = []
    for stretch in stretches:
        times_s = [one.time_s for one in frames if stretch.start_s <= one.time_s < stretch.end_s]
        for start_s, end_s in zip(times_s, [*times_s[1:], stretch.end_s], strict=True):
            captions.append(stand_in(video_id, Interval(start_s, end_s), track))
    return captions
