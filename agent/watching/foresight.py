"""Says that a question cannot be answered before minutes are spent on describing its video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.grounding import Coverage, Gap, Grounding, Models, Usage, VideoFacts
from tools.captioners.file import captions_beside
from tools.retrieval.measured_need import can_be_measured, may_be_read
from tools.signals.explanations import CAN_ASK, beyond_the_senses
from tools.signals.signal_query import understand
from tools.subtitles.choice import choose_subtitles
from tools.subtitles.files import find_unreadable, unreadable_advice
from tools.text import for_a_shell
from tools.video.reader import measure_duration_s

if TYPE_CHECKING:
    from agent.settings import Settings
    from prompts.catalog import Prompts
    from tools.video.reader import Video


def foreseen(query: str, video: Video, settings: Settings, prompts: Prompts) -> Grounding | None:
    """The answer that the classical describer would give, if that is known before it looks.

    Args:
        query: The question.
        video: Not described by anybody yet.
        settings: How it would be described; the captioner is the built-in one.
        prompts: Word the advice.

    Returns:
        ``cannot_tell`` with the choices; None where looking, listening or reading may answer.

    Raises:
        VideoError: If the video cannot be read.
    """
    if can_be_measured(query) or may_be_read(query) or settings.speech:
        return None
    if settings.subtitles not in {"auto", "off"}:
        return None
    left_out: list[str] = []
    if settings.subtitles == "auto":
        chosen, _, unreadable = choose_subtitles(video.path)
        if chosen:
            return None
        left_out += [f"stream {one.index}) are left out: {one.advice}" for one in unreadable]
        left_out += [
            f"{one.name}) are left out: {unreadable_advice(one)}"
            for one in find_unreadable(video.path)
        ]
    duration_s = measure_duration_s(video)
    unknown = understand(query).unknown
    path = str(video.path)
    return Grounding(
        query=query,
        video=VideoFacts(
            id=video.id, path=path, duration_s=duration_s, file_start_s=video.file_start_s
        ),
        verdict="cannot_tell",
        presence=None,
        intervals=(),
        candidates=(),
        closest_rejected=None,
        reasoning=" ".join(
            [
                beyond_the_senses(unknown, ()),
                *([CAN_ASK] if any(unknown) else ()),
                *(f"Its subtitles ({one}." for one in left_out),
            ]
        ),
        advice=prompts.render(
            "not_seen_yet",
            captions=for_a_shell(str(captions_beside(video.path) or "FILE.jsonl")),
        ).rstrip(),
        by="similarity",
        attempts=0,
        refusals=(),
        coverage=Coverage(seen_s=0.0, rate_hz=None, gaps=(Gap(start_s=0.0, end_s=duration_s),)),
        models=Models(
            captioner="classical",
            mode="frame",
            reasoner="similarity",
            embedder=settings.embedder,
            prompts={},
        ),
        usage=Usage(),
    )
