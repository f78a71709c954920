"""Ways to an answer that look at pictures: windows are judged, and video models asked directly.

What an image model says of a window is kept in the store, in a track of its own, so that nobody
pays for it twice, and forgetting a video forgets it too.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import (
    CaptionerError,
    ReasonerError,
    SettingsError,
    UnansweredError,
    UsedUpError,
    VideoError,
    WithheldError,
)
from agent.grounding import Cost
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
from agent.reasoning.judge import ODDS, Judged, JudgedSpan, read_verdict
from agent.watching.choice import has_service, open_image_model
from agent.watching.watcher import UnderWay
from tools.errors import ServiceError
from tools.indexing.same_video import shows
from tools.llm.in_flight import run_in_flight
from tools.text import shorten
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    import threading

    from agent.reasoning.direct import Direct
    from agent.reasoning.judge import Judge
    from agent.settings import Settings
    from agent.watching.opened import Opened
    from agent.watching.runs import Runs
    from prompts.catalog import Prompts
    from tools.captioners.image_model import FrameAnswer, FrameQuestion, ImageModel, ShownFrame
    from tools.store.store import VideoRecord

ENDS_JUDGING: Final = frozenset(
    {"settings", "key", "credit", "model", "unreachable", "busy", "stopped", "timeout"}
)
"""Failures that have nothing to do with what was shown."""

FEWEST_FRAMES_SHOWN: Final = 8
"""With fewer, no video model can say when something begins and ends."""

OPENAI: Final = "openai:"

REPLY_CHARS: Final = 4000


class ImagePaths:
    """Opens the models that judge and that are asked directly, when they are first needed.

    Args:
        settings: Who looks, and how.
        opened: The store, and who describes and embeds.
        prompts: What models are told.
        runs: Keep what is done within the limits of a run.
        describing: Held while a video is read: one at a time.
        under_way: The work that this is done for.
        tell: Receives a line where a video model is asked although nobody named it.
        name_host: Called with a model's name before it is shown frames.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        prompts: Prompts,
        runs: Runs,
        describing: AbstractContextManager[object],
        under_way: Callable[[], UnderWay],
        tell: Callable[[str], None],
        name_host: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.opened = opened
        self.prompts = prompts
        self.runs = runs
        self.describing = describing
        self.under_way = under_way
        self.tell = tell
        self.name_host = name_host
        self._models: dict[str, ImageModel] = {}

    @property
    def judge(self) -> Judge | None:
        """Who judges windows; None where nobody should. No model is asked here.

        Raises:
            SettingsError: If somebody should, and no image model of a service is named.
        """
        wanted = self.settings.verify
        if wanted is False:
            return None
        if self.names_service():
            return ServiceJudge(self)
        if wanted:
            raise SettingsError(
                "--verify needs an image model of a service: name it with --captioner "
                "openai:MODEL, and set OPENAI_API_KEY or OPENAI_BASE_URL"
            )
        return None

    @property
    def direct(self) -> Direct | None:
        """Who is asked directly; None where nobody can be. No model is asked here."""
        named = self.settings.direct
        if named == "off" or (named == "auto" and not self._may_choose()):
            return None
        return ServiceDirect(self)

    def names_service(self) -> bool:
        """Whether frames are described by a model of a service."""
        if self.opened.given_captioner:
            return False
        captioner = self.settings.captioner
        return captioner.startswith(OPENAI) or (captioner == "auto" and has_service(self.settings))

    def _may_choose(self) -> bool:
        """Whether the user left open who decides, and frames go to a service anyway."""
        return self.settings.reasoner == "auto" and self.names_service()

    def captioner_model(self) -> str:
        """The name of the service's model that describes frames.

        Raises:
            SettingsError: If the service cannot say which model it serves.
        """
        return self.opened.choice.name

    def model(self, name: str) -> ImageModel:
        """A model by its name; the same one for the same name.

        Raises:
            CaptionerError: If its key or address is missing or unusable.
        """
        if name not in self._models:
            self._models[name] = open_image_model(self.settings, name)
        return self._models[name]

    def until(self) -> float:
        """When the minutes of this run are over, on the monotonic clock."""
        minutes = self.runs.budget().minutes_left()
        return float("inf") if minutes is None else time.monotonic() + 60 * minutes

    @property
    def max_bytes(self) -> int:
        """Largest picture."""
        return 1000 * self.settings.max_image_kb

    def check_file(self, record: VideoRecord) -> Path:
        """Where the video lies.

        Raises:
            VideoError: If the file is gone, or is another video now.
        """
        path = Path(record.path)
        if not shows(record, path):
            raise VideoError(f"the file {record.path} now holds another video; index it")
        return path


class ServiceJudge:
    """An image model of a service judges windows, a few at a time; see ``Judge``."""

    def __init__(self, paths: ImagePaths) -> None:
        self._paths = paths

    @property
    def name(self) -> str:
        return self._paths.captioner_model()

    @property
    def prompts(self) -> dict[str, str]:
        return {"judge": self._paths.prompts.version("judge")}

    @property
    def is_asked_for(self) -> bool:
        return self._paths.settings.verify is True

    def __call__(
        self, record: VideoRecord, query: str, spans: Sequence[Interval], *, frames: Sequence[int]
    ) -> Judged:
        """See ``Judge``."""
        try:
            return self._judge(record, query, spans, frames)
        except (CaptionerError, SettingsError, VideoError) as exc:
            return Judged(note=f"the likeliest windows were not judged: {exc}")

    def _judge(
        self, record: VideoRecord, query: str, spans: Sequence[Interval], frames: Sequence[int]
    ) -> Judged:
        from tools.indexing.shown_frames import frames_inside

        paths = self._paths
        model = paths.model(self.name)
        told = shorten(tame(query), QUERY_CHARS)
        tracks = [_track(model.name, paths.prompts, told, count) for count in frames]
        known = self._known(record, spans, tracks)
        todo = [place for place in range(len(spans)) if place not in known]
        if not todo:
            return Judged(tuple(known[place] for place in range(len(spans))))
        budget, work = paths.runs.budget(), paths.under_way()
        wanted = [frames[place] for place in todo]
        usd = [model.most_usd(self._prompt(told, spans[place], 0), frames[place]) for place in todo]
        is_priced = all(one is not None for one in usd)
        budget.check_frames(sum(wanted), sum(one or 0.0 for one in usd) if is_priced else None)
        path = paths.check_file(record)
        paths.name_host(model.name)
        with paths.describing, work.in_order():
            shown = frames_inside(
                path,
                [spans[place] for place in todo],
                wanted,
                max_bytes=paths.max_bytes,
                go_on=work.go_on,
            )
        questions = [
            (place, self._question(told, spans[place], pictures, record.duration_s))
            for place, pictures in zip(todo, shown, strict=True)
            if pictures
        ]
        found, cost, note = self._ask(model, questions, spans)
        for question in (one for place, one in questions):
            budget.spend_frames(len(question.frames), None)
        budget.spend_reply(cost.usd)
        self._keep(record, found, tracks)
        known |= found
        missing = len(spans) - len(known)
        if missing and not note:
            note = f"{missing} of {len(spans)} windows got no verdict that could be read"
        return Judged(tuple(known[place] for place in sorted(known)), cost, note)

    def _ask(
        self,
        model: ImageModel,
        questions: Sequence[tuple[int, FrameQuestion]],
        spans: Sequence[Interval],
    ) -> tuple[dict[int, JudgedSpan], Cost, str]:
        from tools.captioners.traced_calls import TracedCalls

        calls, until = TracedCalls.of_this_step(), self._paths.until()
        ended: list[str] = []

        def ask(
            asked: tuple[int, FrameQuestion], stopping: threading.Event
        ) -> tuple[int, FrameAnswer | None, int]:
            place, question = asked
            if ended:
                return place, None, 0
            try:
                answer = model.ask(question, calls, stopping=stopping, until=until)
            except ServiceError as exc:
                if exc.kind in ENDS_JUDGING:
                    ended.append(str(exc))
                return place, None, len(question.frames)
            return place, answer, len(question.frames)

        found: dict[int, JudgedSpan] = {}
        cost = Cost()
        at_once = self._paths.settings.in_flight
        for done in run_in_flight(ask, questions, limit=at_once):
            if done is None:
                continue
            place, answer, frames = done
            if answer is None:
                cost = cost.plus(Cost(calls=int(frames > 0), frames=frames))
                continue
            cost = cost.plus(_cost_of(answer, frames))
            verdict = read_verdict(answer.reply, spans[place], frames)
            if verdict:
                found[place] = verdict
        if not ended:
            return found, cost, ""
        told = f"the likeliest windows were not all judged: {model.name}: {ended[0]}"
        return found, cost, told

    def _question(
        self, told: str, span: Interval, pictures: Sequence[ShownFrame], duration_s: float
    ) -> FrameQuestion:
        from tools.captioners.image_model import FrameQuestion

        prompt = self._prompt(told, span, len(pictures))
        return FrameQuestion(prompt, pictures, duration_s, odds=ODDS)

    def _prompt(self, told: str, span: Interval, count: int) -> str:
        return self._paths.prompts.render(
            "judge",
            query=told,
            count=str(count),
            start=f"{span.start_s:.1f}",
            end=f"{span.end_s:.1f}",
        )

    def _known(
        self, record: VideoRecord, spans: Sequence[Interval], tracks: Sequence[Track]
    ) -> dict[int, JudgedSpan]:
        """What was said of some of these spans before."""
        store = self._paths.opened.store
        kept = {track: store.read(record.video_id, track)[0] for track in set(tracks)}
        known: dict[int, JudgedSpan] = {}
        for place, (span, track) in enumerate(zip(spans, tracks, strict=True)):
            for caption in kept[track]:
                verdict = _verdict_in(caption.text, span) if caption.span == span else None
                if verdict:
                    known[place] = verdict
        return known

    def _keep(
        self, record: VideoRecord, found: dict[int, JudgedSpan], tracks: Sequence[Track]
    ) -> None:
        captions = [
            Caption(
                record.video_id,
                one.span,
                f"{one.says} {one.shows!r} {one.by} {one.frames}",
                "vision",
                tracks[place],
            )
            for place, one in found.items()
        ]
        if captions:
            vectors = self._paths.opened.embedder.embed([one.says for one in found.values()])
            self._paths.opened.store.add(captions, vectors, during=record)


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
    ) -> DirectReply:
        """See ``Direct``."""
        paths = self._paths
        try:
            model = paths.model(self.name)
        except (CaptionerError, SettingsError) as exc:
            raise ReasonerError(str(exc)) from None
        paths.check_file(record)
        paths.name_host(model.name)
        most, note = MOST_FRAMES_SHOWN, ""
        while True:
            try:
                return self._ask(model, record, query, stretches, turns, most=most, note=note)
            except _TooMuchError as exc:
                if most // 2 < FEWEST_FRAMES_SHOWN:
                    raise UnansweredError(f"{model.name}: {exc}") from None
                most //= 2
                note = f"{model.name} can be shown no more than about {most} frames at once"

    def _ask(
        self,
        model: ImageModel,
        record: VideoRecord,
        query: str,
        stretches: Sequence[Interval],
        turns: Sequence[Turn],
        *,
        most: int,
        note: str,
    ) -> DirectReply:
        from tools.captioners.image_model import FrameQuestion
        from tools.captioners.traced_calls import TracedCalls
        from tools.indexing.shown_frames import frames_of_stretches

        paths, told = self._paths, shorten(tame(query), QUERY_CHARS)
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
            answer = model.ask(question, TracedCalls.of_this_step(), until=paths.until())
        except ServiceError as exc:
            if exc.kind == "context":
                raise _TooMuchError(str(exc)) from None
            error = ReasonerError if paths.settings.strict else UnansweredError
            raise error(f"{model.name}: {exc}") from None
        budget.spend_frames(len(frames), answer.usd)
        track = Track(model.name, self.prompts["direct"], f"{DIRECT_MODE} {most}")
        return DirectReply(
            answer.reply.text or answer.reply.refusal,
            tuple(_as_captions(frames, stretches, record.video_id, track)),
            answer.reply.cut_off,
            _cost_of(answer, len(frames)),
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
    """It was shown more than it can read."""


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
            text = f"(a frame that {track.model} was shown)"
            captions.append(Caption(video_id, Interval(start_s, end_s), text, "vision", track))
    return captions


def _cost_of(answer: FrameAnswer, frames: int) -> Cost:
    is_counted = answer.tokens_in > 0
    return Cost(
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        usd=answer.usd if is_counted else None,
        calls=1,
        frames=frames,
    )


def _track(model: str, prompts: Prompts, told: str, frames: int) -> Track:
    """The track that verdicts are kept in: of one model, prompt, question and number of frames."""
    digest = hashlib.sha256(told.encode()).hexdigest()[:12]
    return Track(model, f"{prompts.version('judge')}.{digest}", f"judge{frames}")


def _verdict_in(text: str, span: Interval) -> JudgedSpan | None:
    """The verdict that was kept; None where it is none of this version."""
    try:
        says, shown, by, frames = text.split()
        plain = {"shows": float(shown), "says": says, "by": by, "frames": int(frames)}
    except ValueError:
        return None
    return JudgedSpan.from_dict({"start_s": span.start_s, "end_s": span.end_s} | plain)
