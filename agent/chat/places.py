"""The latest question once more, elsewhere: "and in the first minute?", "and in the kitchen?"."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agent.chat.follow_up import FollowUpError
from agent.chat.turns import ChatAnswer
from tools.clock import clock
from tools.signals.said_times import take_stretch

NAMED_VIDEOS = 4

_LEAD = r"(?:(?:and|but|so|then|ok|okay|what about|how about),? )+"
_ABOUT: Final = re.compile(rf"^{_LEAD}", re.IGNORECASE)
_NOTHING_ELSE: Final = re.compile(
    r"(?:(?:is|are|was|were) (?:he|she|it|they|that) there(?: too| also)?)?", re.IGNORECASE
)
_PLACE: Final = re.compile(
    rf"{_LEAD}(?P<place>(?:in|on|at|near) (?:the|a) [\w' -]+)", re.IGNORECASE
)


def with_a_stretch(words: str, latest: ChatAnswer) -> dict[str, Any] | None:
    """The latest question within a stretch, where the words name that and nothing else.

    Raises:
        FollowUpError: If the video has no such stretch.
    """
    rest, stretch = take_stretch(_ABOUT.sub("", words))
    video = latest.result.video
    if stretch is None or video is None or not _NOTHING_ELSE.fullmatch(rest):
        return None
    span = stretch.within(video.duration_s)
    if span is None:
        name, length = Path(video.path).name, clock(video.duration_s)
        raise FollowUpError("unclear", f"“{words}” is past the end: {name} is {length} long")
    return {
        "kind": "find",
        "query": latest.follow_up.query,
        "relation": "during",
        "times": (clock(span.start_s), clock(span.end_s)),
        "videos": (video.path,),
    }


def check_is_no_place(words: str, latest: ChatAnswer, videos: Sequence[str]) -> None:
    """Refuse a place alone: "and in the kitchen?" may mean a video, or the latest question there.

    Raises:
        FollowUpError: If the words name a place and nothing else.
    """
    if found := _PLACE.fullmatch(words):
        query = f"“{latest.follow_up.query} {found['place']}”"
        names = [f"“and in {Path(path).name}?”" for path in videos[:NAMED_VIDEOS]]
        say = " or ".join([query, *(names if len(videos) > 1 else [])])
        raise FollowUpError("unclear", f"“{words}” names nothing to look for; say {say}")
