"""When captions name a thing, read word by word: what is counted, numbered, and denied.

Likeness of meaning cannot tell one visitor from the next, nor where a car is not. Where the
captions name what is asked for, each stretch in which they go on doing so is one time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.grounding.lexical import terms_of, words_of
from tools.kept_captions import once
from tools.ranking import Window
from tools.retrieval.thing_words import PEOPLE, Thing, is_person, read_thing, says_empty, stems_in
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

FEW_SHARE, FEW_CAPTIONS = 0.1, 3
"""What is named in no more of the captions than this, or no more captions, is where it is named."""

SHORT_WORDS = 3
"""Words that carry meaning in a short name: "the small yellow ball"."""

REACH = 3
"""How many words before a name, or fewer after it, what is said of it may stand."""

NEARLY_ALL = 0.8
"""Share of the captions from which a stretch is the whole video: it tells no time of anything."""

SELDOM_SHARE = 1 / 3
"""Where fewer captions of a time than this say all of what is asked for, the others tell of
something else of the kind: one man of several who are shown in turn."""

RARE_SHARE = 0.1
"""Somebody may be there all the time, and wear a watch only where so few captions say it."""

_DOING = re.compile(r"\w\w+ing \w", re.IGNORECASE)
"""How "pouring coffee" begins, and "a smiling woman" does not."""

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
        runs = _told_whole(runs, thing, stems) or _told_often(
            _best_told(runs, thing, stems), thing, stems, captions
        )
    if thing.is_absent:
        runs = [
            run
            for run in _others(runs, len(captions))
            if not _is_whole(run, len(captions)) and _is_left(captions[run], thing)
        ]
    return tuple(_window(run, thing, captions) for run in runs)


def where_named(text: str, captions: Sequence[Caption]) -> tuple[Window, ...]:
    """The times at which a short name is written out in one caption, if these are few.

    Args:
        text: A statement; none of its times is given where it says more than "the yellow ball".
        captions: Descriptions of one video, in time order.
    """
    thing = read_thing(text)
    is_short = len(dict.fromkeys(terms_of(text))) <= SHORT_WORDS
    if thing is None or not is_short or thing.act != "is" or thing.is_absent:
        return ()
    if _DOING.match(text):
        return ()  # What is done may be told in other words.
    stems = once(captions, "stems", lambda: [stems_in(one.text) for one in captions])
    whole = [
        bool(thing.heads & said) and thing.more <= said and _is_told_of(thing, text, one.text)
        for one, said in zip(captions, stems, strict=True)
    ]
    if sum(whole) > max(FEW_CAPTIONS, FEW_SHARE * len(captions)):
        return ()
    runs = _runs([bool(thing.heads & said) for said in stems], captions)
    runs = [run for run in runs if any(whole[run])]
    if thing.more and is_person(thing.name):
        runs = _cut_to(whole, _best_told(runs, thing, stems), captions, share=RARE_SHARE)
    return tuple(_window(run, thing, captions) for run in runs)


def _is_told_of(thing: Thing, text: str, caption: str) -> bool:
    """Whether what stands before the name stands beside it: a white ball, no ball on white."""
    asked, said = ([(word, *terms_of(word)) for word in words_of(one)] for one in (text, caption))
    if not all(_is_said_so(one, said) for one in asked if thing.more & set(one[1:])):
        return False
    head = next((at for at, word in enumerate(asked) if thing.heads & set(word)), 0)
    before = thing.more & {stem for word in asked[:head] for stem in word}
    names = [at for at, word in enumerate(said) if thing.heads & set(word)]
    return any(
        before <= {stem for word in said[max(0, at - REACH) : at + REACH] for stem in word}
        for at in names
    )


def _is_said_so(asked: tuple[str, ...], said: Sequence[tuple[str, ...]]) -> bool:
    """Whether a word is said as it is asked for: "with a watch", and not "the woman watches"."""
    word = asked[0]
    for before, one in zip([("",), *said], said, strict=False):
        if word == one[0]:
            return True
        are_one = any(word == f"{one[0]}{end}" or one[0] == f"{word}{end}" for end in ("s", "es"))
        if are_one and not is_person(before[0]):
            return True
    return False


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


def _is_whole(run: slice, count: int) -> bool:
    return bool(run.stop - run.start >= NEARLY_ALL * count)


def _is_left(some: Sequence[Caption], thing: Thing) -> bool:
    """Whether it is not there: that nobody is has to be said, for captions leave people out."""
    if not thing.is_nobody:
        return True
    said: frozenset[str] = frozenset().union(*(stems_in(one.text) for one in some))
    is_told_of = not thing.place or bool(thing.place & said)
    return is_told_of and any(says_empty(one.text) for one in some)


def _told_whole(
    runs: Sequence[slice], thing: Thing, stems: Sequence[frozenset[str]]
) -> list[slice]:
    """Of what is named all through, the captions that say all of it: "a hand on the handle"."""
    if thing.is_absent or not any(_is_whole(run, len(stems)) for run in runs):
        return []
    found: list[slice] = []
    for index, said in enumerate(stems):
        if not (thing.heads & said and thing.more <= said):
            continue
        if found and found[-1].stop == index:
            found[-1] = slice(found[-1].start, index + 1)
        else:
            found.append(slice(index, index + 1))
    return found


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
    return _cut_to(told, runs, captions, share=SELDOM_SHARE)


def _cut_to(
    told: Sequence[bool], runs: Sequence[slice], captions: Sequence[Caption], *, share: float
) -> list[slice]:
    """Those, but of one that is seldom told of, the captions that do."""
    cut: list[slice] = []
    for run in runs:
        count = sum(told[run])
        if not 0 < count < share * (run.stop - run.start):
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
