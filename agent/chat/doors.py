"""What can be done where a chat is held, in the words of that place."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Door:
    """A place where people chat: the terminal or the page.

    Attributes:
        forms_lead: What stands above the list of what is understood.
        instead: What to say in place of what is not understood.
        clip: How a cut-out stretch is to be had, with ``{clip}`` for where it is.
        named_clip: What to do for a clip under a name of one's own, with ``{file}``.
        recap_end: What ends an answer that is told again.
        other_video: What to do to ask another video, with ``{name}``.
        leave: What ends the chat.
        wrong: What to do about a wrong answer.
    """

    forms_lead: str
    instead: str
    clip: str
    named_clip: str
    recap_end: str
    other_video: str
    leave: str
    wrong: str


_INSTEAD: Final = (
    "Name what to look for, or go on with “and after that?”, “the second time”, “how many "
    "times?”, “what happens at 0:45?” or “cut that out”; “help” lists more."
)

TERMINAL: Final = Door(
    forms_lead="Without a text model (--reasoner) a follow-up can be one of these; anything else "
    "is taken for a new question, so name what to look for:",
    instead=_INSTEAD,
    clip="written to {clip}",
    named_clip="a clip is named by /clip: “/clip {file}” writes the last answer's interval to that "
    "file",
    recap_end=" (not played here: “cut that out” writes it to a file, `whenabouts serve` plays it)",
    other_video="“/video {name}” adds it",
    leave="/quit leaves",
    wrong="say it in other words, or ask for “any others?”",
)

PAGE: Final = Door(
    forms_lead="A follow-up can be one of these; anything else is taken for a new question, so "
    "name what to look for:",
    instead=_INSTEAD,
    clip="can be saved by the link Clip below",
    named_clip="the link Clip below the answer saves its interval, under a name of your choice",
    recap_end="",
    other_video="a follow-up is about the video that is shown; choose another one from the list",
    leave="close the page when you like; the answers stay",
    wrong="the buttons below the answer note what is right; or say it in other words, or ask for "
    "“any others?”",
)
