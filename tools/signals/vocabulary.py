"""The words of questions that measured signals can answer, and what each can mean."""

from __future__ import annotations

import re

from tools.signals.claims import COLOURS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS = _words("""
    a about actually all also an any are at be been being by can clip clips could did do
    does during ever every exactly film find footage for from had has have here how i in into is it
    its just kindly locate look me moment moments occur occurs of on one part parts please pls plz
    point precisely quite really s see segment segments show showing shows some stretch tell that
    captured detected list noticed recorded seen spotted
    the there this time times to very video was were what when where which will with would you""")
"""Words that frame a question and ask for nothing."""

CONCEPTS: dict[str, str] = {
    "screen": "screen picture pictures image images frame frames view display scene scenes room",
    "scene": "scene scenes",
    "black": "black",
    "white": "white",
    "dark": "dark darkness",
    "bright": "bright",
    "turn": "go goes going went gone turn turns turned turning become becomes became get gets got"
    " getting fade fades faded fading start starts started starting begin begins began beginning"
    " remain remains stay stays stand stands hold holds suddenly completely fully totally"
    " entirely entire whole",
    "stay": "remain remains stay stays completely fully totally entirely entire whole",
    "camera": "camera",
    "pan": "pan pans panned panning sweep sweeps swing swings",
    "tilt": "tilt tilts tilted tilting",
    "zoom": "zoom zooms zoomed zooming",
    "left": "left leftwards leftward",
    "right": "right rightwards rightward",
    "up": "up upward upwards",
    "down": "down downward downwards",
    "in": "in closer",
    "out": "out",
    "still": "still static fixed steady stationary motionless unchanged",
    "freeze": "freeze freezes froze frozen freezing stuck hangs",
    "move": "move moves moved moving movement movements motion",
    "flicker": "flicker flickers flickered flickering strobe strobes strobing blink blinks"
    " blinking",
    "flash": "flash flashes flashed flashing",
    "change": "change changes changed changing switch switches",
    "happen": "happen happens happening",
    "shot": "shot shots",
    "cut": "cut cuts cutting",
    "new": "new next another different",
    "something": "something anything thing things object objects someone somebody anyone anybody",
    "appear": "appear appears appeared appearing enter enters entered entering arrive arrives"
    " arrived arriving come comes came coming",
    "present": "present visible seen shown there around",
    "leave": "leave leaves departed leaving disappear disappears disappeared disappearing vanish"
    " vanishes vanished exit exits exited gone away",
    "nothing": "nothing nobody",
    "empty": "empty",
    "background": "background but",
    "not": "not no never without doesn don isn aren t",
    "colour": " ".join(COLOURS),
    "area": "area areas region regions patch patches spot colour color coloured colored",
    "big": "big large huge lots lot plenty much",
    "most": "mostly mainly largely predominantly",
    "small": "small little tiny",
    "place": "left right top bottom middle centre center side upper lower",
    "first": "first",
    "last": "last",
    "longest": "longest",
    "shortest": "shortest",
}
"""What words can mean; a word may mean several things."""


MANNERS = _words("""
    fast quick quickly rapid rapidly slow slowly briefly gently smoothly sharply nicely lots lot
    plenty much mostly mainly largely predominantly always again hard sharp abrupt abruptly""")
"""Words that say how, where only what is measured; a question is answered without them."""

FADES = _words("fade fades faded fading")

DISSOLVES = FADES | _words("""
    dissolve dissolves dissolved dissolving crossfade crossfades wipe wipes transition
    transitions""")
"""Slow changes of shot, which are not looked for; a fade to black is found if black lasts."""

SLOW_CHANGES = DISSOLVES | {"scene", "scenes"}
"""What may come about without a cut."""

ORDERS = _words("""
    after before while when until then and or second third fourth fifth sixth seventh eighth ninth
    tenth again next why whose whom who""")
"""Words that put things in order or ask; no sense accounts for them, nor need it."""

TEXT_NOUNS = _words("""
    title titles text texts subtitle subtitles caption captions word words letters lettering
    writing inscription headline heading intertitle""")
TEXT_KINDS = _words("""
    title titles subtitle subtitles caption captions headline heading intertitle inscription""")
"""Of these, what is no text of any kind."""

PLAIN_WORDS = _words("word words")
"""What follows one of these is what can be read, whoever says it."""

TEXT_VERBS = _words("say says saying said read reads reading written")
NUMBERED = (
    "price|number|amount|total|sum|value|version|score|time|date|percentage|temperature|timecode"
    "|timer|counter|clock"
)
"""What a number right after it, or after "is", is that of: it is looked for as it can be read."""

DEEDS = _words("read reads reading")
"""Of these, what a person does, unless something that bears text does it: "the sign reads …"."""

TEXT_BEARERS = _words("""
    it that which card sign letter screen display title titles text texts subtitle subtitles caption
    captions word words lettering writing inscription headline heading intertitle label banner
    slide clock timer counter scoreboard timestamp poster billboard badge ticker""")
"""What text stands on: what these say can be read."""

NEGATIONS = _words("no not never without none don doesn isn aren")
"""Where one stands before text, the text is asked for that is not there, which no sense tells."""

SPOKEN = _words("""
    say says saying said speak speaks speaking spoke spoken talk talks talking hear heard mention
    mentions mentioned subtitle subtitles caption captions""")
"""Words that may as well ask for what is said."""
TEXT_MAY = frozenset({"screen", "turn", "appear", "present", "leave", "first", "last", "in"})
TEXT_STANDS = _words("""
    card sign letter displayed display label banner slide clock timer counter scoreboard timestamp
    poster billboard badge ticker timecode""")
"""Words that go with text without being part of it."""

ANYBODY = _words("someone somebody anyone anybody nobody")
"""Words for people that something, or nothing, stands for, if that is said."""

PEOPLE = _words("""
    person persons people man men woman women he she they
    girl boy child lady guy""")


_GOES = (
    "walk|walks|walked|walking|step|steps|stepped|stepping|run|runs|ran|running|stroll|strolls|"
    "strolled|strolling"
)

PERSON = _words("person persons people human humans visitor visitors individual individuals")
"""Words for anybody at all, as "somebody" is."""

COUNTS = _words("""
    two three four five several many both couple pair alone together crowd group more than only
    everyone everybody all second third once""")
"""Words that ask how many there are."""

HEARD = _words("""
    say says said saying speak speaks speaking spoken talk talks talking shout shouts whisper sing
    sings singing song music melody sound sounds noise noisy silence silent quiet loud louder
    loudest applause clapping laughter laughs laughing voice voices audio hear heard beep bang
    """)
"""What could be heard."""

LIGHTS = _words("""
    light lights lamp lamps lighting dim dimmer darker brighter darkest brightest""")
"""What makes a picture dark or bright, which is what is measured."""

PHRASES = (
    (re.compile(rf"\b(?:{_GOES}) (?:into|inside|in(?! (?:the|a|an|front)\b))"), "enters"),
    (re.compile(rf"\b(?:{_GOES}) (?:out(?: of)?|off|away)\b"), "leaves"),
    (re.compile(r"\b(?:shows?|showed|showing|turns?|turned|turning) up\b"), "appears"),
    (re.compile(r"\b(?:un|not )occupied\b|\b(?:vacant|deserted)\b"), "empty"),
    (re.compile(r"\boccupied\b"), "something is there"),
    (
        re.compile(
            r"\b(?:any )?activit(?:y|ies)\b|\b(?:something|anything) (?:happens?|happening)\b"
        ),
        "movement",
    ),
)
"""Ways to come and to go that are no measurement of their own, with the one that stands for them.
Whether somebody comes on foot is not measured. Who comes back was there before: that is another
question, which cannot be answered."""

BACK = _words("back return returns returned returning")
"""Words that say that something was there before."""


def words_of(text: str) -> list[str]:
    """Lower-case words and numbers in order; ``48,230``, ``12:00:06`` and ``v2.1`` are one each."""
    return _WORD.findall(text.casefold())


_WORD = re.compile(r"[^\W_]*\d(?:[.,:]\d+)+[^\W_]*|[^\W_]+")


def meanings_of(word: str) -> frozenset[str]:
    """Names of the ``CONCEPTS`` that a word can stand for; empty for a strange word."""
    return _MEANINGS.get(word, frozenset())


_MEANINGS: dict[str, frozenset[str]] = {
    word: frozenset(name for name, words in CONCEPTS.items() if word in words.split())
    for word in {word for words in CONCEPTS.values() for word in words.split()}
}
