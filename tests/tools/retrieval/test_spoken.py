"""What is said: beside things seen everything said stands out, so it is compared with speech."""

from pathlib import Path

import pytest

from tools.embedders.minilm_int8 import MiniLMInt8
from tools.retrieval.retrieval import retrieve
from tools.timeline import Caption, Interval, Track

pytestmark = pytest.mark.slow

SAID = [
    "We have to leave before the police get here",
    "Grandma's apple pie is in the oven",
    "Why did you sell the car without asking me?",
    "The treasure is buried under the old oak tree",
    "Happy birthday, Tom!",
    "Doctor, will he ever walk again?",
]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> MiniLMInt8:
    cache: Path = tmp_path_factory.mktemp("cache")
    return MiniLMInt8(cache=cache, threads=1)


def ask(query: str, embedder: MiniLMInt8) -> tuple[str, float]:
    """The verdict, and where the best event begins; -1 where there is none."""
    track = Track("subtitles", "", "file")
    captions = [
        Caption("v", Interval(2.0 * n, 2.0 * n + 1.8), text, "subtitle", track)
        for n, text in enumerate(SAID)
    ]
    tracks = [(captions, embedder.embed(SAID))]
    ranking = retrieve(query, tracks, embedder=embedder, duration_s=20.0).ranking
    return ranking.verdict, ranking.events[0].span.start_s if ranking.events else -1


@pytest.mark.parametrize(
    "query",
    [
        "the king is dead",
        "let us go home",
        "wait for me",
        "press the red button",
        "the war is over",
        "she asks for the bill",
    ],
)
def test_what_nobody_says_is_not_found_among_a_few_lines(query: str, embedder: MiniLMInt8) -> None:
    assert ask(query, embedder)[0] != "found"


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("they must flee from the police", 0),
        ("there is a pie baking", 1),
        ("the car was sold", 2),
        ("where the treasure is hidden", 3),
        ("someone is congratulated on his birthday", 4),
        ("asking a doctor about walking", 5),
    ],
)
def test_what_somebody_says_in_other_words_is_found(
    query: str, line: int, embedder: MiniLMInt8
) -> None:
    assert ask(query, embedder) == ("found", 2.0 * line)
