"""A film of ten seconds in the claims of the classical describer, and questions to it."""

from collections.abc import Sequence

from tools.ranking import Ranking
from tools.signals.claims import Claim, Kind, write_claims, write_screen_text
from tools.signals.signal_grounder import ground_signals
from tools.timeline import Caption, Interval, Source, Track

DURATION_S = 10.0


def caption(
    start_s: float, text: str, source: Source = "signal", model: str = "classical-4+ocr"
) -> Caption:
    track = Track(model=model, prompt_version="", mode="frame@1/s")
    return Caption("v", Interval(start_s, start_s + 1), text, source, track)


def said(start_s: float, *claims: Claim) -> Caption:
    return caption(start_s, write_claims(claims))


def read(start_s: float, *lines: str) -> Caption:
    return caption(start_s, write_screen_text(lines), "screen")


def spans(ranking: Ranking) -> list[tuple[float, float]]:
    return sorted((event.span.start_s, event.span.end_s) for event in ranking.events)


STILL, EMPTY, MEDIUM = Claim("camera still"), Claim("empty"), Claim("medium")


def at_left(kind: Kind) -> Claim:
    return Claim(kind, place="at the left", size="small")


def cut_at(at_s: float) -> Caption:
    track = Track(model="classical-4+ocr", prompt_version="", mode="frame@1/s")
    text = write_claims([Claim("cut", at_s=at_s)])
    return Caption("v", Interval(at_s, at_s + 0.04), text, "signal", track)


FILM: Sequence[Caption] = (
    said(0, MEDIUM, EMPTY),
    said(1, STILL, EMPTY, Claim("nothing moves")),
    said(2, STILL, at_left("appears"), at_left("moves")),
    said(3, STILL, Claim("present", place="in the middle", size="small")),
    said(4, STILL, Claim("gone", place="in the middle"), EMPTY),
    cut_at(4.62),
    said(5, Claim("black")),
    said(6, Claim("black")),
    cut_at(7.0),
    said(7, Claim("pans left")),
    said(8, Claim("pans left"), Claim("colour", colour="red", place="at the right", percent=20)),
    said(9, Claim("colour", colour="red", place="nearly everywhere", percent=80)),
    read(0, "INTERMISSION", "Chapter 2"),
    read(1, "INTERMISION", "Chapter 2"),
    read(9, "THE END", "A film with a dog"),
)


def ask(query: str, captions: Sequence[Caption] = FILM) -> Ranking:
    return ground_signals(query, captions, duration_s=DURATION_S)
