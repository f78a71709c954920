"""When captions name a thing, read word by word: what is counted, numbered, and denied.

Likeness of meaning cannot tell one visitor from the next, nor where a car is not. Where the
captions name what is asked for, each stretch in which they go on doing so is one time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.kept_captions import once
from tools.ranking import Window
from tools.retrieval.thing_words import PEOPLE, Thing, read_thing, says_empty, stems_in
from tools.timeline import Interval

if TYPE_CHECKING:
    from tools.timeline import Caption

NAMED = 0.5
"""Confidence of such a time: the words are there, and may still mean another one."""

BRIDGED_S = 3.0
"""A caption no longer than this that leaves a thing unnamed between two that name it, and does not
say that nothing is there, is taken to show it too."""

TOLD_SHARE = 0.4
"""A time of which captions say what is asked for less often than this, beside the one of which they
say it most often, is another thing: hair that is "dark blonde" once."""

SELDOM_SHARE = 1 / 3
"""Where fewer captions of a time than this say all of what is asked for, the others tell of
something else of the kind: one man of several who are shown in turn."""

MOMENT_CAPTIONS = 1
"""Captions at the end of a time that show how it goes."""


def named_times(text: str, captions: Sequence[Caption]) -> tuple[Window, ...]:
    """All the times that captions name what a statement is about, in time order.

    Args:
        text: A statement: "a woman comes to the table", "the man in black leaves", "no car".
        captions: Descriptions of one video, in time order.

    Returns:
        Windows that do not overlap, whose edges are edges of captions. None where it says more than
        ``tools.retrieval.thing_words`` reads, or captions never name it.
    """
    thing = read_thing(text)
    if thing is None or not captions:
        return ()
    stems = once(captions, "stems", lambda: [stems_in(one.text) for one in captions])
    names = [bool(thing.heads & said) for said in stems]
    if not any(names):
        return ()
    if thing.is_absent and thing.others and not thing.more:
        names = _with_unsaid(names, thing, stems)
    runs = _runs(names, captions)
    if thing.more:
        told = frozenset().union(*stems)
        if not thing.more <= told:
            return ()
        runs = _told_often(_best_told(runs, thing, stems), thing, stems, captions)
    if thing.is_absent:
        runs = _others(runs, len(captions))
    return tuple(_window(run, thing, captions) for run in runs)


def _runs(names: Sequence[bool], captions: Sequence[Caption]) -> list[slice]:
    """Captions that follow each other and name it, and single ones between that leave it open."""
    runs: list[slice] = []
    for index, does in enumerate(names):
        if not does:
            continue
        if runs and _is_bridged(captions[runs[-1].stop : index], captions[runs[-1].stop - 1]):
            runs[-1] = slice(runs[-1].start, index + 1)
        else:
            runs.append(slice(index, index + 1))
    return runs


def _is_bridged(between: Sequence[Caption], before: Caption) -> bool:
    if not between:
        return True
    gap_s = between[-1].end_s - before.end_s
    return gap_s <= BRIDGED_S and not any(says_empty(one.text) for one in between)


def _best_told(runs: Sequence[slice], thing: Thing, stems: Sequence[frozenset[str]]) -> list[slice]:
    """Those that say all of it, about as often as the one that says it most."""
    shares = {
        run.start: sum(len(thing.more & said) for said in stems[run]) / (run.stop - run.start)
        for run in runs
        if thing.more <= frozenset().union(*stems[run])
    }
    most = max(shares.values(), default=0.0)
    return [run for run in runs if shares.get(run.start, 0.0) > TOLD_SHARE * most]


def _told_often(
    runs: Sequence[slice],
    thing: Thing,
    stems: Sequence[frozenset[str]],
    captions: Sequence[Caption],
) -> list[slice]:
    """Those, and in place of one that seldom says all of it, the captions in it that do."""
    told = [thing.more <= said and bool(thing.heads & said) for said in stems]
    cut: list[slice] = []
    for run in runs:
        count = sum(told[run])
        if not 0 < count < SELDOM_SHARE * (run.stop - run.start):
            cut.append(run)
            continue
        inside = [run.start <= index < run.stop and does for index, does in enumerate(told)]
        cut += _runs(inside, captions)
    return cut


def _with_unsaid(
    names: Sequence[bool], thing: Thing, stems: Sequence[frozenset[str]]
) -> list[bool]:
    """Those that name it, and "a person" of a stay that may be its: "not a woman" is known of none.

    In a stay of which captions name a man and no woman, the person is the man.
    """
    someone = thing.heads | thing.others | PEOPLE
    may_be = list(names)
    stay: list[int] = []
    for index, said in enumerate([*stems, frozenset[str]()]):
        if someone & said:
            stay.append(index)
            continue
        is_other = any(thing.others & stems[one] for one in stay)
        if not is_other or any(names[one] for one in stay):
            for one in stay:
                may_be[one] = may_be[one] or not thing.others & stems[one]
        stay = []
    return may_be


def _others(runs: Sequence[slice], count: int) -> list[slice]:
    edges = [0, *(edge for run in runs for edge in (run.start, run.stop)), count]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [slice(first, after) for first, after in pairs if first < after]


def _window(run: slice, thing: Thing, captions: Sequence[Caption]) -> Window:
    some = captions[run]
    if thing.act == "goes" and not thing.is_absent:
        some = some[-MOMENT_CAPTIONS:]
    span = Interval(some[0].start_s, max(one.end_s for one in some))
    return Window(span, NAMED, NAMED)
