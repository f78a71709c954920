"""The best moments for several queries, cut out of several videos and put into one film.

python examples/highlight_reel.py reel.mp4 "something enters" "the screen goes black" -- *.mp4

Pictures alone, to show how; ``whenabouts reel`` makes one with sound.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from agent.api import Grounder


@dataclass(frozen=True, slots=True)
class Highlight:
    """A part of a video, in seconds."""

    video: Path
    start_s: float
    end_s: float


def highlights(
    videos: Sequence[Path], queries: Sequence[str], *, grounder: Grounder
) -> list[Highlight]:
    """The best answer of each video to each query, in the order of the film; none of them twice."""
    found = []
    for video in videos:
        answers = (grounder.find(video, query) for query in queries)
        best = [answer.intervals[0] for answer in answers if answer.intervals]
        until_s = 0.0
        for one in sorted(best, key=lambda one: one.start_s):
            if one.end_s > until_s:
                found.append(Highlight(video, max(one.start_s, until_s), one.end_s))
                until_s = one.end_s
    return found


def cut(parts: Sequence[Highlight], film: Path) -> None:
    """Write the parts one after the other, in the size and rate of the first."""
    with av.open(str(film), "w") as out:
        stream: Any = None
        clock = Fraction(1, 90_000)
        begin = 0
        for part in parts:
            with av.open(str(part.video)) as source:
                shown = source.streams.video[0]
                if stream is None:
                    stream = out.add_stream("libx264", rate=shown.average_rate)
                    stream.width, stream.height = shown.width, shown.height
                    stream.pix_fmt = "yuv420p"
                    # Videos of other rates begin between two frames of the first.
                    stream.time_base = stream.codec_context.time_base = clock
                origin_s = float((shown.start_time or 0) * (shown.time_base or 0))
                for frame in source.decode(shown):
                    at_s = (frame.time or 0.0) - origin_s
                    if at_s >= part.end_s:
                        break
                    if at_s >= part.start_s:
                        picture = frame.reformat(stream.width, stream.height, "yuv420p")
                        picture.pts = begin + round((at_s - part.start_s) / clock)
                        picture.time_base = clock
                        out.mux(stream.encode(picture))
            begin += round((part.end_s - part.start_s) / clock)
        if stream is not None:
            out.mux(stream.encode(None))


if __name__ == "__main__":
    if "--" not in sys.argv:
        sys.exit(str(__doc__))
    place = sys.argv.index("--")
    with Grounder() as opened:
        chosen = highlights([*map(Path, sys.argv[place + 1 :])], sys.argv[2:place], grounder=opened)
    cut(chosen, Path(sys.argv[1]))
    print(f"{sys.argv[1]}: {len(chosen)} moments")
