"""What a question asks of the classical describer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.signals.claims import Kind
from tools.signals.phrasing import Stage

Pick = Literal["all", "longest", "shortest"]
PICKS: tuple[Pick, ...] = ("longest", "shortest")
Sum = Literal["", "count", "length"]
Edge = Literal["", "start", "end"]
Wants = Literal["stretch", "entrance", "end", "cut", "shots"]

PANS: tuple[Kind, ...] = ("pans left", "pans right")
TILTS: tuple[Kind, ...] = ("tilts up", "tilts down")
ZOOMS: tuple[Kind, ...] = ("zooms in", "zooms out")

PICTURE: frozenset[Kind] = frozenset(
    {
        *("black", "white", "dark", "bright", "colour", "cut", "camera still", "flickers"),
        *("nothing moves", "unchanged"),
        *PANS,
        *TILTS,
        *ZOOMS,
    }
)
"""Claims about the picture itself, whatever is in it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a question asks of the senses.

    Attributes:
        kinds: Claims that answer it; empty where text is asked for, or nothing is understood.
        wants: As in ``Rule``.
        colour: Wanted name, or empty.
        places: Words that the claim's place must contain.
        is_way: Whether that is the side from which it comes, or to which it goes.
        percent: Least and most share of the picture, in percent.
        text: The text asked for, as words; empty for any text; None where text is not asked for.
        numbers: Which of several in time, from 1, or from -1 for the last; empty for all.
        pick: Which of several by their length; with numbers, which of them in that order.
        sum: Whether it asks how many there are, or how long it lasts.
        edge: Whether only the start or the end of it is asked for.
        is_negated: Whether all the time is asked for in which it is not so.
        is_always: Whether it asks whether it is so all the time.
        in_shots: In which shots it should be, as ``numbers``; empty for any.
        stage: Where in the video it should be; empty for anywhere.
        unknown: Words that no sense accounts for; not empty where the question is beyond them.
        notes: What was left out of the question, or taken for something else; sentences.
        is_spoken: Whether it may as well be asked of what is said: "saying …", "the subtitles …".
        is_said: Whether it is said rather than shown, if one goes by the verb: not "a sign says".
        names_thing: Whether it asks for a thing, of whatever kind: "something red".
        is_slow: Whether what it asks for may come about slowly: a fade, another scene.
        fades: Whether only what comes, or what goes, without a cut is asked for: "fade to black".
        doubt: Why what is measured of it does not show it, with ``{times}`` for when; empty where
            it does.
        form: The form of the text that is asked for, such as "a price"; empty for any.
        itself: The price or the address that is asked for; empty for other text.
        is_guess: Whether its words were taken for text by where they stand alone.
    """

    kinds: tuple[Kind, ...] = ()
    wants: Wants = "stretch"
    colour: str = ""
    places: tuple[str, ...] = ()
    is_way: bool = False
    percent: tuple[int, int] = (0, 100)
    text: tuple[str, ...] | None = None
    numbers: tuple[int, ...] = ()
    pick: Pick = "all"
    sum: Sum = ""
    edge: Edge = ""
    is_negated: bool = False
    is_always: bool = False
    in_shots: tuple[int, ...] = ()
    stage: Stage = ""
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_spoken: bool = False
    is_said: bool = False
    names_thing: bool = False
    is_slow: bool = False
    fades: Edge = ""
    doubt: str = ""
    form: str = ""
    itself: str = ""
    is_guess: bool = False

    @property
    def is_of_picture(self) -> bool:
        """Whether it asks of the picture itself, which is measured, or of text, which is read.

        What things do is seen better by who knows what they are.
        """
        return self.text is not None or (bool(set(self.kinds) & PICTURE) and not self.names_thing)
