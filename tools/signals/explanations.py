"""Why a question of the classical describer was answered as it was, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from tools.ranking import Window
from tools.signals.ask import Ask
from tools.signals.claims import TEXT_TAG, Claim, Kind, read_screen_text
from tools.signals.counting import ordinal
from tools.signals.screen_text import text_fit
from tools.signals.strange_words import is_foreign, word_near
from tools.signals.vocabulary import (
    ANYBODY,
    BACK,
    COUNTS,
    DISSOLVES,
    FILLERS,
    HEARD,
    LIGHTS,
    PEOPLE,
)
from tools.signals.watched import MOVES, NOTHING_MOVES, PRESENCE, UNCHANGED
from tools.timeline import Caption, Interval

CUTS_TOLD = 12

CAN_ASK = (
    "Ask for a black, white, dark or bright screen, a colour, a cut, a camera move, something that "
    "appears, moves or leaves, or text."
)
NOT_COUNTED = "How many there are, or whether it is all, is not counted."
HAPPENING = frozenset(
    {"happen", "happens", "happened", "happening", "start", "end", "middle", "beginning"}
)
"""Words that by themselves name nothing that could be looked for."""

LANGUAGES = (
    "They understand English, and the plainest words of German, Spanish, French, Italian, "
    "Portuguese and Dutch."
)
NOT_HEARD = "What is heard is not told: subtitles, or --speech MODEL, would tell what is said."
NO_TEXT = "Text was read in none of the sampled frames."
NO_FADE = {
    "start": "It comes with a cut, or is there from the start: nothing fades to it.",
    "end": "It goes with a cut, or is there to the end: nothing fades from it.",
}

NOT_LOOKED_FOR = "Dissolves and fades from shot to shot are not looked for."


def beyond_the_senses(unknown: tuple[str, ...], captions: Sequence[Caption]) -> str:
    """Why the question cannot be answered, and what could be asked instead."""
    words = [word for word in unknown if word and word not in HAPPENING]
    if not words:
        return f"The question has no word to look for. {CAN_ASK}"
    if DISSOLVES & set(" ".join(words).split()):
        return NOT_LOOKED_FOR
    if " " in words[0]:
        is_count = words[0].endswith(("one", "single"))
        why = (
            "The classical describer knows these words, but not what they say together: "
            f"“{words[0]}”."
        )
        return f"{_not_known(words[:1])} {NOT_COUNTED}" if is_count else why
    named = [word for word in words if word not in ANYBODY] or words
    said = [_not_known(named)]
    if is_foreign(words):
        said.append(LANGUAGES)
    elif HEARD & set(words):
        said.append(NOT_HEARD)
    elif COUNTS & set(words):
        said.append(NOT_COUNTED)
    elif LIGHTS & set(words):
        said.append("Light is measured by the picture; ask when the screen is dark or bright.")
    elif PEOPLE & set(words):
        said.append(
            "The classical describer cannot tell who moves; ask when something appears, moves or "
            "leaves."
        )
    elif BACK & set(words):
        said.append(
            "What comes is not told from what was there before; ask when something appears."
        )
    if near := {word: known for word in words if (known := word_near(word))}:
        said += [f"Did “{word}” mean “{known}”?" for word, known in near.items()]
    for word in words:
        if len(word) > 2 and word not in FILLERS and (spans := _read_at(word, captions)):
            said.append(f"“{word}” can be read on the screen at {listed_times(spans)}.")
    return " ".join(said)


def _not_known(words: Sequence[str]) -> str:
    return f"The classical describer does not know {', '.join(f'“{word}”' for word in words)}."


def listed_times(spans: Sequence[Interval]) -> str:
    """The first three spans, and how many more there are."""
    times = ", ".join(f"{_clock(one.start_s)}–{_clock(one.end_s)}" for one in spans[:3])
    left = len(spans) - 3
    return times if left <= 0 else f"{times} and {left} more {'time' if left == 1 else 'times'}"


def read_nowhere(ask: Ask) -> str:
    """Why words that may or may not be meant as text are not known to be absent."""
    return (
        f"{_quoted(ask.text or ())} cannot be read on the screen. If that is what the text says, "
        "put it in quotes; if it is what kind of text it is, the classical describer does not "
        "know it."
    )


def side_unknown(ask: Ask, spans: Sequence[Interval]) -> str:
    """Why what comes or goes in a corner is not said to do so on one of its two sides."""
    is_gone = ask.kinds == ("gone",)
    side = ask.places[0]
    other = "at the top or bottom" if side in {"left", "right"} else "at the left or right"
    does, by = ("has gone", "goes out") if is_gone else ("appears", "comes in")
    return (
        f"Something {does} in a corner on the {side}, at {listed_times(spans)}: whether it {by} "
        f"at the {side} or {other} is not measured."
    )


def heard_by_none(ask: Ask) -> str:
    """Why words that are said, and cannot be read, may be in the video all the same."""
    words = _quoted(ask.text or ())
    return (
        f"{words} cannot be read on the screen, and what is said is not heard by the classical "
        "describer: subtitles, or --speech MODEL, would tell."
    )


def _read_at(word: str, captions: Sequence[Caption]) -> list[Interval]:
    """The stretches in which a word can be read, in time order."""
    spans: list[Interval] = []
    for one in sorted(captions, key=lambda caption: caption.span):
        if one.source == "screen" and text_fit([word], read_screen_text(one.text)):
            if spans and one.start_s <= spans[-1].end_s + 1e-6:
                spans[-1] = Interval(spans[-1].start_s, max(spans[-1].end_s, one.end_s))
            else:
                spans.append(one.span)
    return spans


def missing_sense(
    ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]]
) -> str | None:
    """What the track lacks for an answer, and how to get it; None where it lacks nothing."""
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
        return (
            "The camera was never known to be still long enough to tell what comes, stays or goes."
        )
    if set(ask.kinds) & (MOVES | NOTHING_MOVES) and not made & (MOVES | NOTHING_MOVES | UNCHANGED):
        return "The camera was never known to be still enough to tell what moves."
    return None


def number_missing(ask: Ask, count: int) -> str:
    """That there are fewer than the question asks for."""
    names = " or ".join(ordinal(number) for number in ask.numbers)
    are = "There is one" if count == 1 else f"There are {count}"
    return f"{are}, and no {names} one."


def told(
    ask: Ask,
    claims: Sequence[Sequence[Claim]],
    frames: int,
    events: Sequence[Window],
    *,
    count: int | None = None,
) -> str:
    """What was looked for, what decided, and what of the question was left out.

    Args:
        ask: The question.
        claims: Of every caption.
        frames: How many captions answer it.
        events: The answer.
        count: How many there are of which these are some; None where these are all.
    """
    said = [_decided(ask, claims, frames, events), *ask.notes]
    is_told = ask.wants == "shots" or ask.pick != "all" or count is None
    if events and ask.numbers and not is_told:
        names = " and the ".join(ordinal(number) for number in ask.numbers)
        are = "this is" if len(events) == 1 else "these are"
        said.append(f"There {'is one' if count == 1 else f'are {count}'}; {are} the {names}.")
    elif events and ask.sum == "count" and ask.wants != "shots":
        said.append(f"Counted: {len(events)}.")
    if events and ask.is_always:
        so_s = sum(one.span.length_s for one in events)
        said.append(f"It is so for {so_s:.0f} s in all.")
    elif events and ask.sum == "length":
        length_s = sum(one.span.length_s for one in events)
        said.append(f"It lasts {length_s:.1f} s{' in all' if len(events) > 1 else ''}.")
    return " ".join(said)


def _decided(
    ask: Ask, claims: Sequence[Sequence[Claim]], frames: int, events: Sequence[Window]
) -> str:
    if ask.text is not None:
        return _read(ask, frames, events)
    if ask.kinds == ("cut",):
        return (
            f"{_shots(ask, claims, events)} {_cuts(claims)}"
            if ask.wants == "shots"
            else _cuts(claims)
        )
    # What came by a side is anywhere afterwards: only its coming has a place.
    is_coming = ask.wants == "entrance" and bool(ask.places)
    placed = ask.kinds[:1] if is_coming else ask.kinds
    wanted = " or ".join(f"“{_named(kind, ask)}”" for kind in placed)
    if ask.is_negated:
        where = "in the other sampled frames" if events else "in all sampled frames"
        return f"Measured {where}: {wanted}." if frames else f"{wanted} was never measured."
    if not events:
        looked = sum(any(claim.kind != "cut" for claim in some) for some in claims)
        return f"Looked for {wanted}: measured in none of {_counted(looked)}."
    later = ", and is there until it goes" if is_coming and frames > 1 else ""
    return f"Measured in {_counted(frames)}: {wanted}{later}."


def _read(ask: Ask, frames: int, events: Sequence[Window]) -> str:
    said = [ask.itself] if ask.itself else ask.text
    wanted = f"the text {_quoted(said)}" if said else ask.form or "text"
    if ask.is_negated and events:
        return "In the other sampled frames text was read." if frames else NO_TEXT
    if not events:
        return f"Looked for {wanted} on the screen: it was read in none of the sampled frames."
    return f"Looked for {wanted} on the screen: read in {_counted(frames)}."


def _cuts(claims: Sequence[Sequence[Claim]]) -> str:
    cuts_s = sorted(
        claim.at_s
        for some in claims
        for claim in some
        if claim.kind == "cut" and claim.at_s is not None
    )
    if not cuts_s:
        return f"No cut in any decoded frame. {NOT_LOOKED_FOR}"
    times = ", ".join(_clock(at_s) for at_s in cuts_s[:CUTS_TOLD])
    more = f" and {len(cuts_s) - CUTS_TOLD} more" if len(cuts_s) > CUTS_TOLD else ""
    return f"Cut at {times}{more}. {NOT_LOOKED_FOR}"


def _shots(ask: Ask, claims: Sequence[Sequence[Claim]], events: Sequence[Window]) -> str:
    count = 1 + sum(claim.kind == "cut" for some in claims for claim in some)
    if count == 1:
        return "From cut to cut, it is one shot."
    this = "There are" if len(events) == count else "This is one of"
    if ask.numbers and ask.pick == "all" and len(events) < count:
        names = " and the ".join(ordinal(number) for number in ask.numbers)
        this = f"This is the {names} of" if len(events) == 1 else f"These are the {names} of"
    return f"{this} {count} shots, from cut to cut."


def _named(kind: Kind, ask: Ask) -> str:
    places = f" ({' '.join(ask.places)})" if ask.places else ""
    if kind == "colour":
        least = f", at least {ask.percent[0]}% of the picture" if ask.percent[0] else ""
        article = "an" if ask.colour[0] in "aeiou" else "a"
        return f"there is {article} {ask.colour} area{places}{least}"
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
