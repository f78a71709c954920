"""Tools that show: pictures of an interval's edges, and clips."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError
from mcp.types import CallToolResult, ImageContent, ResourceLink
from pydantic import TypeAdapter, ValidationError

from agent.errors import VideoError, WhenaboutsError
from agent.mcp.arguments import ADDS, READS, Seconds, Video, reply
from agent.mcp.desk import told_to_the_model
from agent.mcp.replies import CutClip, ShownEvidence, ShownPicture
from agent.web.library import NotServedError
from tools.text import printable

if TYPE_CHECKING:
    from agent.mcp.desk import Desk
    from agent.web.library import ServedVideo

MOST_PICTURE_BYTES = 512_000
"""Of all the pictures of one reply together, as they are sent: base64 takes a third more."""

BESIDE_S = 1.0
"""How far before and after a stretch is shown."""

SIDES_PX = (512, 384, 256, 128)
MOST_READ_BYTES = 24_000_000
"""Larger clips are not sent as one message."""

CLIP = "whenabouts://clips/{video}/{start}-{end}.mp4"

Place = Literal["before", "start", "middle", "end", "after"]


def add_picture_tools(server: MCPServer[Any], desk: Desk) -> None:
    """The tools that show evidence and cut clips, and the resource that a clip is."""
    prompt = desk.grounder.prompts.render

    def show_evidence(
        video: Video, start_s: Seconds, end_s: Seconds
    ) -> Annotated[CallToolResult, ShownEvidence]:
        with told_to_the_model():
            served = desk.named(video)
            # The look after it has a caption too, which begins at that time.
            captions = desk.captions(served, max(0.0, start_s - BESIDE_S), end_s + 2 * BESIDE_S)
            places = _places(desk, served, start_s, end_s)
            most_bytes = MOST_PICTURE_BYTES * 3 // 4 // len(places) - 3
            pictures = [_picture(desk, served.path, time_s, most_bytes) for _, time_s in places]
        shown = [
            ShownPicture(
                place=place,
                time_s=time_s,
                captions=[one.text for one in captions if one.start_s <= time_s < one.end_s][:3],
            )
            for place, time_s in places
        ]
        lines = [
            f"picture {number}: {one.place}, {one.time_s:.2f} s: {'; '.join(one.captions)}"
            for number, one in enumerate(shown, start=1)
        ]
        images = [
            ImageContent(data=base64.b64encode(one).decode(), mime_type="image/jpeg")
            for one in pictures
        ]
        return reply("\n".join(lines), ShownEvidence(video=served.id, pictures=shown), *images)

    def cut_clip(
        video: Video, start_s: Seconds, end_s: Seconds
    ) -> Annotated[CallToolResult, CutClip]:
        with told_to_the_model():
            served = desk.named(video)
            file = desk.pictures.clip(served.path, start_s, end_s)
        uri = CLIP.format(video=served.id, start=f"{start_s:.3f}", end=f"{end_s:.3f}")
        size = file.stat().st_size
        link = ResourceLink(
            uri=uri,
            name=f"{served.path.stem} {start_s:.1f}-{end_s:.1f} s",
            mime_type="video/mp4",
            size=size,
        )
        told = CutClip(
            video=served.id,
            start_s=start_s,
            end_s=end_s,
            uri=uri,
            file=str(file),
            size_bytes=size,
        )
        return reply(f"{size / 1e6:.1f} MB: {uri}, kept in {file}", told, link)

    @server.resource(CLIP, name="clip", mime_type="video/mp4")
    def read_clip(video: str, start: str, end: str) -> bytes:
        """One stretch of a video as a file, cut exactly."""
        try:
            span = _SECONDS.validate_python((start, end))
            served = desk.library.video(video)
            file = desk.pictures.clip(served.path, *span)
        except ValidationError:
            raise ResourceError(f"{start}-{end} is no stretch in seconds; call cut_clip") from None
        except (WhenaboutsError, NotServedError) as exc:
            raise ResourceError(printable(str(exc))) from None
        if file.stat().st_size > MOST_READ_BYTES:
            raise ResourceError(
                f"the clip has {file.stat().st_size / 1e6:.0f} MB, more than one message holds "
                f"({MOST_READ_BYTES / 1e6:.0f} MB); cut a shorter one, or open {file}"
            )
        return file.read_bytes()

    server.add_tool(show_evidence, description=prompt("mcp_show_evidence"), annotations=READS)
    server.add_tool(cut_clip, description=prompt("mcp_cut_clip"), annotations=ADDS)


_SECONDS = TypeAdapter(tuple[Seconds, Seconds])


def _places(
    desk: Desk, video: ServedVideo, start_s: float, end_s: float
) -> list[tuple[Place, float]]:
    facts = desk.pictures.facts(video.path)
    last_s = facts.header_duration_s
    if last_s is not None and start_s >= last_s:
        raise VideoError(
            f"the stretch begins at {start_s:g} s, and {video.name} ends at {last_s:.1f} s"
        )
    if end_s <= start_s:
        raise VideoError(f"the stretch from {start_s:g} s to {end_s:g} s is empty")
    last_shown_s = max(start_s, end_s - facts.nominal_interval_s)
    places: list[tuple[Place, float]] = [
        ("start", start_s),
        ("middle", (start_s + last_shown_s) / 2),
        ("end", last_shown_s),
    ]
    if start_s > 0:
        places.insert(0, ("before", max(0.0, start_s - BESIDE_S)))
    if last_s is None or end_s + facts.nominal_interval_s < last_s:
        after_s = end_s + BESIDE_S
        places.append(("after", after_s if last_s is None else min(after_s, last_s)))
    return places


def _picture(desk: Desk, path: Path, time_s: float, most_bytes: int) -> bytes:
    for side_px in SIDES_PX:
        file = desk.pictures.thumbnail(path, time_s, exact=True, long_side_px=side_px)
        jpeg = file.read_bytes()
        if len(jpeg) <= most_bytes:
            return jpeg
    raise AssertionError(f"a picture of {SIDES_PX[-1]} px takes {len(jpeg)} bytes")
