"""Which captions prove the edges of an interval."""

from collections.abc import Collection, Sequence

from agent.grounding import Evidence, Role
from agent.reasoning.answer import Answer, NumberedEvent
from tools.grounding.seen_edges import SAID
from tools.timeline import Caption, Interval


def evidence_of(
    event: NumberedEvent,
    span: Interval,
    answer: Answer,
    captions: Sequence[Caption],
    tracks: Collection[str],
) -> tuple[Evidence, ...]:
    """The looks just outside and just inside each edge, and whatever the reasoner labelled.

    Outside, another source may have looked at another pace, and say that it has begun already.
    """
    roles: dict[int, Role] = {}
    numbered = list(enumerate(captions, start=1))
    outside_start = [(number, one) for number, one in numbered if one.end_s <= span.start_s]
    outside_end = [
        (number, one)
        for number, one in numbered
        if one.start_s >= span.end_s and number != event.last
    ]
    before = [
        (one.start_s, number)
        for number, one in _of_one_source(outside_start, captions[event.first - 1], tracks)
    ]
    after = [
        (one.start_s, -number)
        for number, one in _of_one_source(outside_end, captions[event.last - 1], tracks)
    ]
    if before:
        roles[max(before)[1]] = "before"
    roles[event.first] = "start"
    for step in answer.steps:
        caption = captions[step.caption - 1]
        if (
            step.caption not in roles
            and span.start_s <= caption.start_s < caption.end_s <= span.end_s
        ):
            roles[step.caption] = "during"
    if event.last != event.first:
        roles[event.last] = "end"
    if after:
        roles[-min(after)[1]] = "after"
    return tuple(
        Evidence(
            caption_id=caption.id,
            role=role,
            start_s=caption.start_s,
            end_s=caption.end_s,
            text=caption.text,
            source=caption.source,
        )
        for caption, role in sorted(
            ((captions[number - 1], role) for number, role in roles.items()),
            key=lambda shown: (shown[0].span, shown[0].source),
        )
    )


def _of_one_source(
    outside: Sequence[tuple[int, Caption]], edge: Caption, tracks: Collection[str]
) -> Sequence[tuple[int, Caption]]:
    """Those of the source that made the edge, and closer looks; all, where it has none of them.

    What is said tells of its own moment alone: beside it stands what is nearest, of any source.
    """
    if edge.source in SAID:
        return outside
    return [
        (number, one)
        for number, one in outside
        if one.track == edge.track or one.track.key not in tracks
    ] or outside
