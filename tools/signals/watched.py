"""Whether the senses watched for what is asked all the time: where not, absence is unknown."""

from __future__ import annotations

from collections.abc import Sequence

from tools.signals.ask import PANS, TILTS, ZOOMS, Ask
from tools.signals.claims import Claim, Kind
from tools.signals.palette import MIN_AREA
from tools.timeline import Caption, Interval

PRESENCE: frozenset[Kind] = frozenset({"appears", "present", "gone", "empty"})
MOVES: frozenset[Kind] = frozenset({"moves"})
NOTHING_MOVES: frozenset[Kind] = frozenset({"nothing moves"})
TURNS: frozenset[Kind] = frozenset({*PANS, *TILTS, *ZOOMS})
UNCHANGED: frozenset[Kind] = frozenset({"unchanged"})
STILL: frozenset[Kind] = frozenset({"camera still"})
CUTS: frozenset[Kind] = frozenset({"cut"})
SCREENS: frozenset[Kind] = frozenset({"black", "white", "dark", "bright"})

CONDITIONS = (
    (
        PRESENCE,
        PRESENCE,
        "The camera was still, and the background known, for {watched}: the rest is not known.",
    ),
    (
        MOVES,
        TURNS | UNCHANGED,
        "The picture was unchanged for {watched}: in the rest something may move slowly.",
    ),
    (
        NOTHING_MOVES,
        MOVES | TURNS,
        "Something was known to move for {watched}: in the rest nothing may move.",
    ),
    (
        TURNS,
        STILL,
        "The camera was still for {watched}: in the rest it may move too slowly to be measured.",
    ),
    (
        STILL,
        TURNS,
        "The camera was known to move for {watched}: in the rest it may be still.",
    ),
)
"""What is asked for, the claims that show it was watched for, and what to say if it was not."""

FRAME_S = 1.05
ENOUGH = 0.9
"""Share of the video that has to be watched before something is said not to be in it."""


def why_unknown(
    ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]], searched: Interval
) -> str:
    """Why nobody can say that what was not measured is not there; empty where it can be said.

    Args:
        ask: The question.
        captions: Of the track.
        claims: Of each caption.
        searched: The part of the video that they are of.
    """
    if unwatched := why_unwatched(ask, captions, claims, searched):
        return unwatched
    if too_fine := _too_slow(ask, captions, claims, searched) or _too_small(ask, claims):
        return too_fine
    if ask.wants == "entrance":
        return _seen_but_not_coming(ask, captions, claims)
    if set(ask.kinds) & SCREENS and any(one.kind == "flickers" for some in claims for one in some):
        return "The picture flickers: no state of it lasts long enough to tell."
    return ""


def why_unwatched(
    ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]], searched: Interval
) -> str:
    """Why more of it may be there than was measured; arguments are those of ``why_unknown``."""
    for asked, watching, reason in CONDITIONS:
        if set(ask.kinds) & asked:
            share = _share(captions, claims, watching, searched)
            length_s = searched.length_s
            # Of the first frame nothing is known.
            if share < min(ENOUGH, max(0.5, 1 - FRAME_S / length_s)):
                return reason.format(watched=f"{share * length_s:.0f} of {length_s:.0f} s")
    return ""


def _too_slow(
    ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]], searched: Interval
) -> str:
    """Why a fade or another scene may have come about all the same."""
    if not (ask.is_slow and set(ask.kinds) & (CUTS | SCREENS)):
        return ""
    if _share(captions, claims, STILL, searched) >= ENOUGH:
        return ""
    found = "No cut was found" if set(ask.kinds) & CUTS else f"No {ask.kinds[0]} screen lasts"
    return f"{found}, and dissolves and fades from shot to shot are not looked for."


def _too_small(ask: Ask, claims: Sequence[Sequence[Claim]]) -> str:
    """Why something small, or of a dull colour, may be so all the same."""
    measured = [
        claim.percent or 0
        for some in claims
        for claim in some
        if ask.kinds == ("colour",) and claim.colour == ask.colour
    ]
    if measured and max(measured) < ask.percent[0]:
        return (
            f"The largest {ask.colour} area that was measured is {max(measured)}% of the picture; "
            "dull or scattered colours are not measured."
        )
    if ask.kinds == ("colour",) and ask.percent[0] < 100 * MIN_AREA:
        return (
            f"No {ask.colour} area of at least {MIN_AREA:.0%} of the picture was measured; smaller "
            "ones are not looked for."
        )
    if ask.kinds == ("flickers", "white"):
        return (
            "The picture neither flickers nor is white; whether something flashes in a part of it, "
            "or less brightly, is not looked for."
        )
    if ask.kinds == ("flickers",) and ask.names_thing:
        return (
            "The picture as a whole does not flicker; whether something small in it does is not "
            "looked for."
        )
    return ""


def _seen_but_not_coming(
    ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]]
) -> str:
    """Why something may have come by that side though its coming was not measured there."""
    came, alone, after = "", 0, 0
    for _, some in sorted(zip(captions, claims, strict=True), key=lambda pair: pair[0].span):
        kinds = {claim.kind: claim.place for claim in some}
        came = kinds.get("appears") or ("" if {"empty", "cut"} & {*kinds} else came)
        if any(one.kind == "present" and _is_at(one.place, ask) for one in some):
            after += bool(came)
            alone += not came
    if alone:
        frames = "1 sampled frame" if alone == 1 else f"{alone} sampled frames"
        return f"Something is present in {frames}, but its arrival was not seen."
    if after:
        return (
            f"Something comes elsewhere, and something is present {_at(ask)} later: "
            "whether that is the same is not measured."
        )
    return ""


def _is_at(place: str, ask: Ask) -> bool:
    return all(one in place for one in ask.places)


def _at(ask: Ask) -> str:
    return f"at the {' '.join(ask.places)}" if ask.places else "there"


def _share(
    captions: Sequence[Caption],
    claims: Sequence[Sequence[Claim]],
    kinds: frozenset[Kind],
    searched: Interval,
) -> float:
    """Share of what is searched whose captions make a claim of one of these kinds."""
    watched_s = sum(
        one.span.overlap_s(searched)
        for one, some in zip(captions, claims, strict=True)
        if any(claim.kind in kinds for claim in some)
    )
    return watched_s / searched.length_s
