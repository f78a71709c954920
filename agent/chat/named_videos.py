"""The videos that a turn names: "a red car in yard.mp4", "in all videos, a dog"."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.chat.doors import Door
from agent.chat.follow_up import FollowUpError, find_video
from tools.video.identity import is_video_name

_OTHER_VIDEO: Final = re.compile(
    r"(?:^|\b(?:in|about|open|ask|use|switch to|go to|of|from) )(?P<name>[^\s\"“”]+\.\w{2,4})$",
    re.IGNORECASE,
)


def plain_words(said: str) -> str:
    """Without "please", and what ends a sentence."""
    words = re.sub(r"\s+", " ", said).strip().rstrip("?!. ")
    return re.sub(r"^please,? (?=.)|(?<=.),? please$", "", words, flags=re.IGNORECASE).strip()


def take_videos(words: str, paths: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The words without "in lobby.mp4" or "in all videos" at either end, and the videos named."""
    if path := re.fullmatch(r"in (?P<name>.+)", words, re.IGNORECASE):
        words = f"and {words}" if _videos_named(path["name"], paths) else words
    everywhere = r"in (?:all|both|every one)(?: of (?:them|the videos)| (?:the )?videos)?"
    match = re.fullmatch(
        rf"(?:{everywhere},? )?(?P<rest>.*?)(?:,? {everywhere})?", words, re.IGNORECASE
    )
    if match and match["rest"] != words:
        return plain_words(match["rest"]), tuple(paths)
    for pattern in (
        r"(?P<rest>.+?),? in (?P<name>.+)",
        r"in (?P<name>[^,]+?), ?(?P<rest>.+)",
        r"in (?P<name>\S+) (?P<rest>.+)",
    ):
        match = re.fullmatch(pattern, words, re.IGNORECASE)
        named = _videos_named(match["name"], paths) if match else ()
        # With one video, "a dog in the kitchen" is not about kitchen.mp4.
        if match and named and (len(paths) > 1 or "." in match["name"]):
            return plain_words(match["rest"]), named
    return words, ()


def check_names_no_other(words: str, paths: Sequence[str], door: Door) -> None:
    """Refuse the name of a file where it stands for a video: it is no word to look for."""
    match = _OTHER_VIDEO.search(words)
    if match and is_video_name(Path(match["name"])):
        if find_video(match["name"], paths):
            raise FollowUpError(
                "unclear", f"what is to be looked for? say “a red car in {match['name']}”"
            )
        other = door.other_video.format(name=match["name"])
        raise FollowUpError(
            "unknown_video", f"there is no {match['name']} in this conversation; {other}"
        )


def _videos_named(words: str, paths: Sequence[str]) -> tuple[str, ...]:
    """The videos in "yard.mp4, lobby.mp4 and hall.mp4"; none where one of them is no video."""
    if path := find_video(words, paths):
        return (path,)
    found = [find_video(name, paths) for name in re.split(r", and |, | and ", words)]
    return tuple(path for path in found if path) if all(found) else ()
