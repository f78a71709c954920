"""The claims that the classical describer can make: each with its sentence and its reliability.

One table serves the writer and the reader: ``write_claims`` makes the sentences of a caption,
``read_claims`` makes the claims of a caption again. What is not in the table is never claimed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tools.timeline import Caption

Kind = Literal[
    "black",
    "white",
    "dark",
    "bright",
    "medium",
    "colour",
    "cut",
    "camera still",
    "pans left",
    "pans right",
    "tilts up",
    "tilts down",
    "zooms in",
    "zooms out",
    "appears",
    "present",
    "gone",
    "empty",
    "moves",
    "nothing moves",
    "unchanged",
    "flickers",
]

COLOURS = ("red", "orange", "brown", "yellow", "green", "blue", "purple", "pink")
PLACES = (
    "at the top left",
    "at the top",
    "at the top right",
    "at the left",
    "in the middle",
    "at the right",
    "at the bottom left",
    "at the bottom",
    "at the bottom right",
    "nearly everywhere",
)
SIZES = ("small", "medium-sized", "large")

SENTENCES: dict[Kind, str] = {
    "black": "the screen is black",
    "white": "the screen is white",
    "dark": "the screen is dark",
    "bright": "the screen is bright",
    "medium": "the screen is of medium brightness",
    "colour": "there is a {colour} area {place}, {percent}% of the picture",
    "cut": "a new shot begins, cut at {at_s} s",
    "camera still": "the camera is still",
    "pans left": "the camera pans left",
    "pans right": "the camera pans right",
    "tilts up": "the camera tilts up",
    "tilts down": "the camera tilts down",
    "zooms in": "the camera zooms in",
    "zooms out": "the camera zooms out",
    "appears": "something appears {place}, {size}",
    "present": "something is present {place}, {size}",
    "gone": "something has gone {place}",
    "empty": "nothing new is in the picture",
    "moves": "something moves {place}, {size}",
    "nothing moves": "nothing moves",
    "unchanged": "the picture is unchanged since {at_s} s",
    "flickers": "the picture flickers",
}

PRECISION: dict[Kind, float] = {
    "black": 0.99,
    "white": 0.99,
    "dark": 0.97,
    "bright": 0.97,
    "medium": 0.97,
    "colour": 0.8,
    "cut": 0.96,
    "camera still": 0.99,
    "pans left": 0.95,
    "pans right": 0.95,
    "tilts up": 0.95,
    "tilts down": 0.95,
    "zooms in": 0.8,
    "zooms out": 0.8,
    "appears": 0.9,
    "present": 0.9,
    "gone": 0.88,
    "empty": 0.9,
    "moves": 0.88,
    "nothing moves": 0.95,
    "unchanged": 0.97,
    "flickers": 0.95,
}
"""Share of claims that held on real frames labelled by eye, the small samples rounded down."""

TEXT_PRECISION = 0.95
"""The same for a word that is read off the screen letter by letter as asked."""

PASSING = "It comes and goes between two looks."

TEXT_TAG = "+ocr"
"""Ends the model name of a track whose captioner read the screen."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing measured; the fields that its sentence has no place for stay empty.

    Attributes:
        kind: What is claimed.
        place: One of ``PLACES``.
        size: One of ``SIZES``.
        colour: One of ``COLOURS``.
        percent: Share of the picture, 1 to 100.
        at_s: A time: of the cut, or since when nothing changed.
    """

    kind: Kind
    place: str = ""
    size: str = ""
    colour: str = ""
    percent: int | None = None
    at_s: float | None = None

    @property
    def sentence(self) -> str:
        """The claim in words, without capital and full stop."""
        at_s = None if self.at_s is None else f"{self.at_s:.2f}"
        sentence = SENTENCES[self.kind].format(
            place=self.place, size=self.size, colour=self.colour, percent=self.percent, at_s=at_s
        )
        return sentence.replace(" a orange", " an orange")


def place_of(x: float, y: float, *, share: float) -> str:
    """Name a place of the picture, from shares of its width and height from the top left."""
    if share > 0.5:
        return PLACES[-1]
    column, row = _third(x), _third(y)
    return PLACES[3 * row + column]


def size_of(share: float) -> str:
    """Name a share of the picture."""
    return SIZES[0] if share < 0.03 else SIZES[1] if share < 0.15 else SIZES[2]


def write_claims(claims: Sequence[Claim]) -> str:
    """The text of a caption: each claim a sentence."""
    return " ".join(f"{one.sentence[0].upper()}{one.sentence[1:]}." for one in claims)


def read_claims(text: str) -> list[Claim]:
    """The claims of a text that ``write_claims`` wrote; other sentences are left out."""
    return list(_claims_of(text))


@lru_cache(maxsize=50_000)
def _claims_of(text: str) -> tuple[Claim, ...]:
    # Every question reads all of a video's texts again, and many are alike.
    claims = []
    for sentence in re.split(r"\.(?:\s+|$)", text):
        for kind, form in _FORMS.items():
            if found := form.fullmatch(sentence):
                claims.append(_claim(kind, found.groupdict()))
                break
    return tuple(claims)


def is_moment(caption: Caption) -> bool:
    """Whether a caption tells of a moment that was measured to a frame, which its span says."""
    return caption.source == "signal" and caption.text.startswith("A new shot begins")


def fills_picture(caption: Caption) -> bool:
    """Whether a caption measures what most of the picture is: a colour, or how light it is."""
    return caption.source == "signal" and any(
        claim.kind in {"black", "white"} or (claim.kind == "colour" and (claim.percent or 0) >= 50)
        for claim in read_claims(caption.text)
    )


def write_passing(claim: Claim) -> str:
    """The text of a caption for what came and went between two sampled frames."""
    return f"{write_claims([claim])} {PASSING}"


def is_passing(caption: Caption) -> bool:
    """Whether a caption is of ``write_passing``: its span was measured to a frame."""
    return caption.source == "signal" and caption.text.endswith(PASSING)


def write_screen_text(lines: Sequence[str]) -> str:
    """The text of a caption for words read off the screen, line after line."""
    joined = " / ".join(" ".join(line.split()) for line in lines)
    return f"On screen: “{joined.replace('“', chr(34)).replace('”', chr(34))}”."


def read_screen_text(text: str) -> str:
    """The words inside a caption of ``write_screen_text``; empty for any other caption."""
    found = re.fullmatch(r"On screen: “(.*)”\.", text, flags=re.DOTALL)
    return found[1] if found else ""


def _third(share: float) -> int:
    return 0 if share < 0.36 else 1 if share <= 0.64 else 2


def _claim(kind: Kind, slots: dict[str, str]) -> Claim:
    return Claim(
        kind=kind,
        place=slots.get("place", ""),
        size=slots.get("size", ""),
        colour=slots.get("colour", ""),
        percent=int(slots["percent"]) if "percent" in slots else None,
        at_s=float(slots["at_s"]) if "at_s" in slots else None,
    )


def _form(sentence: str) -> re.Pattern[str]:
    slots = {
        "place": "|".join(PLACES),
        "size": "|".join(SIZES),
        "colour": "|".join(COLOURS),
        "percent": r"\d+",
        "at_s": r"\d+\.\d+",
    }
    pattern = re.escape(sentence).replace(r"\{", "{").replace(r"\}", "}")
    for slot, values in slots.items():
        pattern = pattern.replace(f"{{{slot}}}", f"(?P<{slot}>{values})")
    return re.compile(pattern.replace(r"is\ a\ (", r"is\ an?\ ("), flags=re.IGNORECASE)


_FORMS = {kind: _form(sentence) for kind, sentence in SENTENCES.items()}
