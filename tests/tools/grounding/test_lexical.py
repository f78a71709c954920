"""Words in common: what counts as the same word, and BM25 weighted by duration."""

import numpy as np
import pytest

from tools.grounding.lexical import Lexicon, Matches, bm25, terms_of, words_of


def match_words(query: str, texts: list[str]) -> Matches:
    return Lexicon(texts).match(query)


@pytest.mark.parametrize("text", ["cooks", "cooked", "Cooking", "cook"])
def test_endings_do_not_part_words(text: str) -> None:
    assert terms_of(text) == ["cook"]


@pytest.mark.parametrize("pair", [("running", "runs"), ("babies", "baby"), ("smiling", "smile")])
def test_irregular_spellings_of_endings_meet(pair: tuple[str, str]) -> None:
    assert terms_of(pair[0]) == terms_of(pair[1])


def test_stop_words_are_left_out_and_short_words_stay_whole() -> None:
    assert terms_of("the man is on a bus, red as this") == ["man", "bus", "red"]


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert terms_of("狗在跑") == ["狗", "在", "跑"]
    assert terms_of("Что это") == ["что", "это"]


def test_rare_words_count_for_more() -> None:
    texts = ["man dog", "man hat", "man hat", "man"]
    scores = bm25(match_words("man dog", texts), np.ones(4))
    assert scores[0] > 2 * scores[3] > 0


def test_a_caption_of_30_s_counts_as_much_as_15_of_2_s() -> None:
    texts = ["a dog", "a street", "a man"]
    once = bm25(match_words("dog", texts), np.array([1.0, 15.0, 2.0]))
    often = bm25(match_words("dog", [texts[0], *texts[1:2] * 15, *texts[2:] * 2]), np.ones(18))
    assert once[0] == pytest.approx(often[0])


def test_no_word_in_common_scores_0() -> None:
    assert not bm25(match_words("zebra", ["a dog", "a man"]), np.ones(2)).any()
    assert not bm25(match_words("of the", ["of the"]), np.ones(1)).any()


def test_a_text_says_all_only_if_every_word_is_in_it() -> None:
    assert match_words("red dogs", ["a red dog", "a dog", "red"]).says_all.tolist() == [
        True,
        False,
        False,
    ]
    assert not match_words("of the", ["of the"]).says_all.any()


def test_a_view_that_is_called_after_a_bird_names_none() -> None:
    assert words_of("Bird's-eye view of the dog's bed") == [
        *("bird's-eye", "view", "of", "the", "dog", "s", "bed")
    ]


def test_a_lexicon_counts_as_reading_every_text_does() -> None:
    rng = np.random.default_rng(0)
    words = "man dogs dog cooks cooking the red car cars 狗 Auto".split()
    texts = [" ".join(rng.choice(words, rng.integers(0, 8))) for _ in range(300)]
    known = Lexicon(texts)
    for query in ("a red dog cooks", "cars and cars", "of the", "zebra", "狗 auto"):
        wanted = list(dict.fromkeys(terms_of(query)))
        found = known.match(query)
        assert found.counts.tolist() == [
            [terms_of(text).count(one) for one in wanted] for text in texts
        ]
        assert found.lengths.tolist() == [len(terms_of(text)) for text in texts]
