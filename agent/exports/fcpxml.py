"""FCPXML 1.9, as Final Cut Pro and DaVinci Resolve read it: whole videos with markers on them."""

from fractions import Fraction
from xml.etree import ElementTree as ET

from agent.exports.markers import MarkedTimeline, MarkedVideo, one_line


def render_fcpxml(marked: MarkedTimeline, title: str) -> str:
    """The text of the file. Times are fractions of a second, exact to the frame."""
    rate_hz = marked.timeline.rate_hz
    root = ET.Element("fcpxml", version="1.9")
    for note in marked.notes:
        root.append(ET.Comment(f" {one_line(note).replace('--', '- -')} "))
    resources = ET.SubElement(root, "resources")
    first = marked.videos[0]
    ET.SubElement(
        resources,
        "format",
        id="r1",
        frameDuration=_seconds(1, rate_hz),
        width=str(first.width_px),
        height=str(first.height_px),
    )
    for number, video in enumerate(marked.videos, start=2):
        length = _seconds(video.length_frames, rate_hz)
        asset = ET.SubElement(
            resources,
            "asset",
            id=f"r{number}",
            name=one_line(video.path.name),
            start="0s",
            duration=length,
            hasVideo="1",
            format="r1",
        )
        uri = video.path.resolve().as_uri()
        ET.SubElement(asset, "media-rep", kind="original-media", src=uri)
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name="whenabouts")
    project = ET.SubElement(event, "project", name=one_line(title))
    total = sum(video.length_frames for video in marked.videos)
    sequence = ET.SubElement(
        project,
        "sequence",
        format="r1",
        duration=_seconds(total, rate_hz),
        tcStart=_seconds(marked.timeline.start_frame, rate_hz),
        tcFormat="DF" if marked.timeline.drops_frames else "NDF",
    )
    spine = ET.SubElement(sequence, "spine")
    for number, video in enumerate(marked.videos, start=2):
        offset = marked.timeline.start_frame + video.offset_frames
        clip = ET.SubElement(
            spine,
            "asset-clip",
            ref=f"r{number}",
            name=one_line(video.path.name),
            offset=_seconds(offset, rate_hz),
            start="0s",
            duration=_seconds(video.length_frames, rate_hz),
            format="r1",
        )
        _add_markers(clip, video, rate_hz)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{body}\n'


def _add_markers(clip: ET.Element, video: MarkedVideo, rate_hz: Fraction) -> None:
    for marker in video.markers:
        ET.SubElement(
            clip,
            "marker",
            start=_seconds(marker.first_frame, rate_hz),
            duration=_seconds(marker.end_frame - marker.first_frame, rate_hz),
            value=one_line(marker.name),
            note=one_line(marker.note),
        )


def _seconds(frames: int, rate_hz: Fraction) -> str:
    """``1001/30000s``: the denominator that editors expect, though it could be reduced."""
    if frames == 0:
        return "0s"
    return f"{frames * rate_hz.denominator}/{rate_hz.numerator}s"
