"""Questions that captions cannot deny: for a sound nobody heard, or in words nobody knows."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files

from tools.grounding.lexical import terms_of, words_of
from tools.retrieval.unsaid import words_said

_HEARD = frozenset(
    "music song songs melody sound sounds noise noises applause silence silent quiet loud bell "
    "bells siren sirens thunder bang rings ringing beep beeps hum echo whistle whistles voice "
    "voices barks barking meows meowing chirp chirping hear heard audible listen scream screams "
    "screaming shout shouts shouting knock knocks click clicks soundtrack".split()
)
_SAID_ALOUD = frozenset(
    "say says said saying tell tells told telling speak speaks spoke speaking talk talks talked "
    "talking ask asks asked asking mention mentions mentioned mentioning laugh laughs laughing "
    "laughter sing sings sang singing announce announces speech conversation claps clapping "
    "applauds applaud whisper whispers cries crying joke jokes answers explain explains".split()
)

NO_SOUND = "The video has no sound track, so nothing can be heard in it."


def sound_words(query: str) -> list[str]:
    """Words of a question that ask for what is heard; those that may be seen as well included."""
    return [word for word in words_of(query) if word in _HEARD or word in _SAID_ALOUD]


def why_unheard(query: str, texts: Sequence[str], *, is_transcribed: bool) -> str:
    """Why captions of pictures do not deny a sound; empty where none is asked for, or they tell it.

    Args:
        query: The question.
        texts: What the captions of its answer say; of all of them where it has none.
        is_transcribed: Whether what is said in the video was searched too.
    """
    asked = sound_words(query)
    if is_transcribed:
        # A transcript tells what is said, and of other sounds nothing.
        asked = [word for word in asked if word in _HEARD]
    if not asked:
        return ""
    stems = {stem for word in words_said(tuple(texts)) for stem in terms_of(word)}
    if any(set(terms_of(word)) <= stems for word in asked if terms_of(word)):
        return ""
    said = " and ".join(f"“{word}”" for word in dict.fromkeys(asked))
    told = (
        "the words that are said were searched, and not the other sounds"
        if is_transcribed
        else "nobody listened to the sound, which --speech MODEL or --subtitles FILE would make "
        "words of"
    )
    return f"{said} is heard rather than seen, and {told}."


def is_only_heard(query: str) -> bool:
    """Whether it asks for a sound that no picture shows."""
    return any(word in _HEARD for word in words_of(query))


_OTHER_LANGUAGES = {
    "German": "der die das den dem ein eine einen und ist sind wird wann wo wer wie was springt "
    "mit auf im zum nicht ich sie er es von hund mann frau",
    "French": "le la les un une des du est sont quand où qui que dans avec sur pas et il elle au "
    "homme femme chien",
    "Spanish": "el la los las un una es está cuándo cuando dónde donde quién quien qué en con y se "
    "del hombre mujer perro",
    "Italian": "il lo la gli un una è sono quando dove chi che nel con e della uomo donna cane",
    "Portuguese": "o os um uma é está quando onde quem que no na com e do da homem mulher",
    "Dutch": "de het een en is zijn wanneer waar wie wat met op niet van hond man vrouw",
}
_LANGUAGES = {name: frozenset(words.split()) for name, words in _OTHER_LANGUAGES.items()}
_ENGLISH = frozenset(
    "the a an is are was were when where who what how does do did in on at with of to and for from "
    "by he she it they his her there this that not no man woman person dog".split()
)

LANGUAGE_SHARE = 0.45
"""Of the words of a question, how many have to be of another language: names have some, too."""

SPELLED_SHARE = 0.6
"""Of three letters each of a word, how many have to stand in a known word as well."""

_KEYS = re.compile(r"qwert|werty|asdf|sdfg|dfgh|zxcv|xcvb|hjkl|qwer")


def why_unread(query: str, texts: Sequence[str]) -> str:
    """Why a question cannot be understood; empty where it can, or captions say its words.

    Args:
        query: The question.
        texts: What the captions say: words that they say are known.
    """
    words = words_of(query)
    if not words:
        return "The question holds no word; say what to look for, for example “a door opens”."
    said = words_said(tuple(texts))
    if said.issuperset(words):
        return ""
    language = _language_of(words)
    if language and _language_of(list(said)) != language:
        return (
            f"The question seems to be in {language}, and without a text model only English is "
            "understood; ask in English."
        )
    content = [word for word in words if word not in _ENGLISH]
    if content and not any(_is_known(word, said) for word in content):
        named = ", ".join(f"“{word}”" for word in dict.fromkeys(content))
        return f"No word of it is known: {named}. Say it in other words."
    return ""


def _language_of(words: Sequence[str]) -> str:
    """A language other than English of which more words are, two at the least; else empty."""
    distinct = set(words)
    counts = {name: len(distinct & known) for name, known in _LANGUAGES.items()}
    best = max(counts, key=lambda name: counts[name])
    least = max(2, 1 + len(distinct & _ENGLISH), LANGUAGE_SHARE * len(distinct))
    return best if counts[best] >= least else ""


def _is_known(word: str, said: Collection[str]) -> bool:
    """Whether it is said, or spelt as words are: "ukulele", not "asdfgh"."""
    if word in said or not word.isascii() or not word.isalpha():
        return True  # Other scripts and numbers are judged elsewhere.
    if word in _vocabulary():
        return True
    threes = {word[at : at + 3] for at in range(len(word) - 2)}
    known = sum(one in _threes() for one in threes)
    return bool(threes) and known >= SPELLED_SHARE * len(threes) and not _KEYS.search(word)


def is_english(word: str) -> bool:
    """Whether it is a word, lower-cased, that the built-in embedder has learned whole."""
    return word in _ENGLISH or word in _vocabulary()


@cache
def _vocabulary() -> frozenset[str]:
    """Words that the built-in embedder has learned whole."""
    lines = files("tools.embedders").joinpath("vocabulary.txt").read_text("utf-8").split()
    return frozenset(one for one in lines if one.isalpha() and one.isascii() and len(one) > 2)


@cache
def _threes() -> frozenset[str]:
    return frozenset(word[at : at + 3] for word in _vocabulary() for at in range(len(word) - 2))
