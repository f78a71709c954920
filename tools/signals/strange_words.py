"""Words that no sense knows: of another language, or misspelled."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache, lru_cache

from tools.embedders.minilm_int8 import VOCABULARY
from tools.signals.vocabulary import ANYBODY, CONCEPTS, FILLERS, PERSON, TEXT_NOUNS

FOREIGN = frozenset(
    """
    wann wo wird wurde ist sind der das ein eine jemand niemand nichts etwas und nicht kein
    keine bildschirm bild kamera schnitt szene raum zimmer schwarz schwarze schwarzer
    schwarzes weiß weiss rote grün blau gelb dunkel kommt geht verschwindet erscheint bewegt
    bewegung erste ersten zweite letzte letzten zeig zeige cuándo cuando dónde está están
    alguien nadie nada algo las pantalla imagen cámara camara corte escena cuarto vacía
    vacio vacío negro negra blanco blanca rojo roja verde azul entra aparece desaparece
    mueve primera segundo segunda último última quand où est sont quelqu rien les devient
    écran caméra scène pièce salle vide noire blanc bleu apparaît disparaît bouge première
    deuxième dernier dernière quando dove è qualcuno nessuno niente schermo immagine taglio
    scena stanza vuota nero nera bianco rosso appare ultimo muove onde alguém ninguém câmera
    câmara cena vazia vazio preto preta branco wanneer iemand het een scherm beeld leeg
    zwart rood beweegt eerste laatste
    """.split()
)
"""Words of German, Spanish, French, Italian, Portuguese and Dutch for what is measured; none that
English has too."""

LIKENESS, LIKENESS_OF_NONE = 0.85, 0.8
"""How near a word has to be to one that is known, and one that is no English word."""

SHORTEST = 5
"""Letters; shorter words are near too many others."""


def is_foreign(words: Sequence[str]) -> bool:
    """Whether words that no sense knows are in another language, or in other letters than Latin."""
    parts = [part for word in words for part in word.split()]
    others = [one for one in parts if any(_is_other_letter(sign) for sign in one)]
    return bool(others) or bool(FOREIGN & {*parts})


def mended(query: str, unknown: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The question with the words that are misspelled, and what each was taken for.

    Only what is no English word is misspelled: "movies" is not "moves".

    Returns:
        Nothing where some unknown word is none of these.
    """
    if any(" " in word or _is_english(word) for word in unknown):
        return "", {}
    near = {word: word_near(word, LIKENESS_OF_NONE, SHORTEST - 1) for word in unknown}
    if not all(near.values()):
        return "", {}
    text = query
    for word, known in near.items():
        text = re.sub(rf"\b{re.escape(word)}\b", known, text, flags=re.IGNORECASE)
    return text, near


@cache
def _english() -> frozenset[str]:
    return frozenset(VOCABULARY.read_text("utf-8").split())


def _is_english(word: str) -> bool:
    """Whether it is a word of the embedder's list."""
    return word in _english()


@lru_cache(1024)
def word_near(word: str, likeness: float = LIKENESS, shortest: int = SHORTEST) -> str:
    """The word of the senses that this one is a misspelling of, as far as one can guess.

    Another form of a word is no misspelling ("close", "closer"), and hardly anybody misses the
    first letter.
    """
    if len(word) < shortest:
        return ""
    near = get_close_matches(word, _known(shortest), n=3, cutoff=likeness)
    # Letters in another order are the likeliest slip.
    near.sort(key=lambda one: sorted(one) != sorted(word))
    return next((one for one in near if one[0] == word[0] and _is_other_word(one, word)), "")


def _is_other_word(one: str, other: str) -> bool:
    return not (one.startswith(other) or other.startswith(one))


@cache
def _known(shortest: int) -> list[str]:
    words = {word for words in CONCEPTS.values() for word in words.split()}
    words |= ANYBODY | PERSON | TEXT_NOUNS | FILLERS
    return sorted(word for word in words if len(word) >= shortest)


def _is_other_letter(sign: str) -> bool:
    return sign.isalpha() and not unicodedata.name(sign, "").startswith("LATIN")
