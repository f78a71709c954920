"""Why a question of the embedded senses was answered as it was, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from tools.ranking import Window
from tools.signals.claims import TEXT_TAG, Claim, Kind, read_screen_text
from tools.signals.screen_text import text_fit
from tools.signals.signal_query import Ask
from tools.signals.vocabulary import FILLERS, PEOPLE
from tools.timeline import Caption

PRESENCE: frozenset[Kind] = frozenset({"appears", "present", "gone", "empty"})
MOTION: frozenset[Kind] = frozenset({"moves", "nothing moves"})

CUTS_TOLD = 12

CAN_ASK = (
    "The embedded senses know: black, white, dark or bright screens, colour areas, cuts, camera "
    "moves, something that appears, moves or leaves before a fixed camera, and text on the screen."
)


def beyond_the_senses(unknown: tuple[str, ...], captions: Sequence[Caption]) -> str:
    """Why the question cannot be answered, and what could be asked instead."""
    words = [word for word in unknown if word]
    if not words:
        return f"The question has no word to look for. {CAN_ASK}"
    said = [f"No embedded sense for {', '.join(f'“{word}”' for word in words)}. {CAN_ASK}"]
    if PEOPLE & set(words):
        said.append("Who moves is not seen; ask when something appears, moves or leaves.")
    named = [word for word in words if len(word) > 2 and word not in FILLERS]
    shown = [
        (one.span, [word for word in named if text_fit([word], read_screen_text(one.text))])
        for one in captions
        if one.source == "screen"
    ]
    if found := [(span, those) for span, those in shown if those]:
        those = sorted({word for _, some in found for word in some}, key=named.index)
        first, last = min(span for span, _ in found), max(span for span, _ in found)
        said.append(
            f"But {_quoted(those)} can be read on the screen between {_clock(first.start_s)} and "
            f"{_clock(last.end_s)}; ask for the text {_quoted(those)}."
        )
    return " ".join(said)


def missing_sense(
    ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]]
) -> str | None:
    """What the track lacks for an answer, and what would bring it; None where it lacks nothing."""
    if not captions:
        return "There are no captions to answer from."
    if ask.text is not None:
        if any(one.track.model.endswith(TEXT_TAG) or one.source == "screen" for one in captions):
            return None
        return (
            "The text on the screen was not read: install the extra with "
            "`pip install 'whenabouts[ocr]'` and index the video again."
        )
    made = {claim.kind for some in claims for claim in some}
    if set(ask.kinds) & PRESENCE and not made & PRESENCE:
        return "The camera is never still long enough here to tell what comes, stays or goes."
    if set(ask.kinds) & MOTION and not made & (MOTION | {"unchanged"}):
        return "The camera is never still enough here to tell what moves."
    return None


def told(ask: Ask, claims: Sequence[Sequence[Claim]], frames: int, events: Sequence[Window]) -> str:
    """What was looked for, and what decided.

    Args:
        ask: The question.
        claims: Of every caption.
        frames: How many captions answer it.
        events: The answer.
    """
    if ask.text is not None:
        wanted = f"the text {_quoted(ask.text)}" if ask.text else "text"
        if not events:
            return f"Looked for {wanted} on the screen: it was read nowhere in the sampled frames."
        return f"Looked for {wanted} on the screen: read in {_counted(frames)}."
    wanted = " or ".join(f"“{_named(kind, ask)}”" for kind in ask.kinds)
    if not events:
        return f"Looked for frames of which it was measured that {wanted}: there are none."
    said = f"Measured in {_counted(frames)}: {wanted}."
    cuts_s = [claim.at_s for some in claims for claim in some if claim.kind == "cut"]
    if ask.kinds == ("cut",):
        times = ", ".join(_clock(at_s) for at_s in sorted(filter(None, cuts_s))[:CUTS_TOLD])
        more = f" and {len(cuts_s) - CUTS_TOLD} more" if len(cuts_s) > CUTS_TOLD else ""
        said += f" Cut at {times}{more}."
    return said


def _named(kind: Kind, ask: Ask) -> str:
    places = f" ({' '.join(ask.places)})" if ask.places else ""
    if kind == "colour":
        least = f", at least {ask.percent[0]}% of the picture" if ask.percent[0] else ""
        return f"there is a {ask.colour} area{places}{least}"
    words = {
        "cut": "a new shot begins",
        "appears": "something appears",
        "present": "something is present",
        "gone": "something has gone",
        "moves": "something moves",
        "unchanged": "the picture is unchanged",
    }
    return words.get(kind, Claim(kind).sentence) + places


def _counted(frames: int) -> str:
    return "1 sampled frame" if frames == 1 else f"{frames} sampled frames"


def _quoted(words: Sequence[str]) -> str:
    return "“" + " ".join(words) + "”"


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes)}:{seconds:05.2f}"
