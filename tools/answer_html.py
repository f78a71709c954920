"""An answer as a fragment of HTML, from its published JSON form: for notebooks and pages.

It needs no script, no style sheet and no file beside it, and fetches nothing.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.clock import clock, clock_span
from tools.errors import VideoError
from tools.text import one_line
from tools.timeline import Interval

FRAMES = 10
FRAME_PX = 160
FRAME_BYTES = 30_000
SHOWN_INTERVALS = 5
BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""One transparent pixel."""
COLOURS = {"found": "#d9480f", "not_found": "#8a6d00", "cannot_tell": "#7048a8"}


def answer_html(answer: Mapping[str, Any]) -> str:
    """The verdict, a filmstrip with the interval, the captions that prove it, and why.

    Args:
        answer: What ``Grounding.model_dump(mode="json")`` gives; all text in it is escaped.

    Returns:
        Without a filmstrip where the video is gone, cannot be read, or is another one now.
    """
    video, colour = answer["video"], COLOURS[answer["verdict"]]
    spans = [_span(one) for one in answer["intervals"]]
    verdict = answer["verdict"].replace("_", " ")
    name = _text(Path(video["path"]).name)
    head = f'<b style="color:{colour}">{verdict}</b> <b>“{_text(answer["query"])}”</b> in {name}'
    parts = [
        f"<div>{head}</div>",
        _strip(_frames(video), spans, duration_s=video["duration_s"], colour=colour),
    ]
    for one, span in list(zip(answer["intervals"], spans, strict=True))[:SHOWN_INTERVALS]:
        # A text model's answer may have none.
        sure = "" if one["confidence"] is None else f", confidence {one['confidence']:.2f}"
        told = f"{clock_span(span)}{sure}"
        parts.append(f'<div style="color:{colour}">{told}</div>{_table(one["evidence"])}')
    if len(spans) > SHOWN_INTERVALS:
        parts.append(f"<div>… and {len(spans) - SHOWN_INTERVALS} more</div>")
    if closest := answer["closest_rejected"]:
        parts.append(f"<div>closest: {clock_span(_span(closest))}</div>")
    parts += [
        f"<div>{_text(answer[name])}</div>"
        for name in ("reasoning", "advice", "warning")
        if answer[name]
    ]
    models = answer["models"]
    parts.append(
        f"<small>captions: {_text(models['captioner'])}; decided by: "
        f"{_text(models['reasoner'])} ({_text(answer['by'])})</small>"
    )
    return f'<div style="max-width:60em;line-height:1.5">{"".join(parts)}</div>'


def _span(one: Mapping[str, Any]) -> Interval:
    return Interval(one["start_s"], one["end_s"])


def _text(text: str) -> str:
    return html.escape(one_line(text))


def _frames(video: Mapping[str, Any]) -> list[str]:
    """JPEG pictures at even distances, as data addresses; none where the file cannot be read."""
    from tools.captioners.looks import encode_jpeg
    from tools.video.reader import probe
    from tools.video.thumbnails import filmstrip_times, thumbnails

    try:
        found = probe(Path(video["path"]))
    except VideoError:
        return []
    if video["id"] not in {found.id, found.content_id}:
        return []
    times_s = filmstrip_times(video["duration_s"], FRAMES)
    images = thumbnails(found, times_s, long_side_px=FRAME_PX)
    return [
        BLANK if image is None else _data_address("jpeg", encode_jpeg(image, max_bytes=FRAME_BYTES))
        for image in images
    ]


def _data_address(kind: str, picture: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _strip(
    frames: Sequence[str], spans: Sequence[Interval], *, duration_s: float, colour: str
) -> str:
    pictures = "".join(
        f'<img alt="" src="{frame}" style="width:{100 / FRAMES}%;height:4.5em;object-fit:cover;'
        'margin:0;float:left">'
        for frame in frames
    )
    marks = "".join(
        f'<div title="{clock_span(span)}" style="position:absolute;top:0;bottom:0;'
        f"left:{100 * span.start_s / duration_s:.3f}%;"
        f"width:{100 * span.length_s / duration_s:.3f}%;min-width:3px;box-sizing:border-box;"
        f'border:3px solid {colour}"></div>'
        for span in spans
    )
    height = "4.5em" if frames else "1.2em"
    return (
        f'<div style="position:relative;height:{height};background:#dde3ea;margin:.3em 0">'
        f"{pictures}{marks}</div>"
    )


def _table(evidence: Sequence[Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<tr><td style="text-align:left"><i>{one["role"]}</i></td><td>{clock(one["start_s"])}</td>'
        f'<td style="text-align:left">{_text(one["text"])}</td></tr>'
        for one in evidence
    )
    return f"<table>{rows}</table>"
