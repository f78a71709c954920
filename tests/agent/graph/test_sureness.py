"""How sure a text model's answer is, in words, and that it is never a number."""

import itertools
import json
import random

import pytest

from agent.graph.sureness import RANK, sure_of
from tests.road import ScriptedReasoner, ask, graph_with
from tools.ranking import Window
from tools.store.store import CaptionStore
from tools.timeline import Interval

SPAN = Interval(8, 14)
SAME, ELSEWHERE = Window(Interval(8, 14), 0.8, 0.8), Window(Interval(0, 4), 0.8, 0.8)


def sure(**changed: object) -> str:
    given: dict[str, object] = {
        "said": "likely",
        "looks": "",
        "presence": 0.8,
        "precision_s": 1.0,
    } | changed
    windows = given.pop("windows", [SAME])
    return sure_of(SPAN, windows, **given)  # type: ignore[arg-type]


def test_it_is_certain_only_if_the_model_is_and_another_path_agrees() -> None:
    assert sure(said="certain") == "certain"
    assert sure(said="certain", windows=[ELSEWHERE]) != "certain"
    assert sure(said="certain", windows=[]) != "certain"
    assert sure(said="likely") == "likely"
    assert sure(said="likely", looks="confirmed") == "certain"


@pytest.mark.parametrize(
    "worse",
    [
        {"windows": [ELSEWHERE]},
        {"looks": "denied"},
        {"said": "unsure"},
        {"presence": 0.1},
        {"precision_s": 4.0},
    ],
)
def test_nothing_that_speaks_against_it_makes_it_surer(worse: dict[str, object]) -> None:
    for said, looks in itertools.product(["certain", "likely", ""], ["confirmed", ""]):
        given: dict[str, object] = {"said": said, "looks": looks}
        plain = sure(**given)
        assert RANK[sure(**(given | worse))] <= RANK[plain], given  # type: ignore[index]


def test_a_grounder_that_cannot_tell_contradicts_no_model() -> None:
    lost: dict[str, object] = {"windows": [ELSEWHERE], "presence": 0.1}
    assert sure(**lost) == "unsure"
    assert sure(**lost, grounder="cannot_tell") == "likely"
    assert sure(windows=[]) == "likely", "nobody else was asked"
    assert sure(said="certain", grounder="cannot_tell") == "certain", "but it may agree"


def test_what_looks_deny_is_never_certain() -> None:
    for said, windows in itertools.product(["certain", "likely", "unsure", ""], [[SAME], []]):
        assert sure(said=said, windows=windows, looks="denied") != "certain"


@pytest.mark.slow
def test_a_text_model_that_disagrees_gets_valid_intervals_a_word_and_no_number(
    store: CaptionStore,
) -> None:
    """200 models, each of which names stretches at random, and says how sure it is."""
    rng = random.Random(17)
    words = set()
    for _ in range(200):
        cuts = sorted(rng.sample(range(1, 13), rng.choice([2, 2, 4])))
        said = rng.choice(["certain", "likely", "unsure"])
        events = [
            {"first": one, "last": two, "sure": said}
            for one, two in zip(cuts[::2], cuts[1::2], strict=True)
        ]
        reply = {"steps": [], "found": True, "events": events}
        answer = ask(graph_with(store, ScriptedReasoner(json.dumps(reply), json.dumps(reply))))
        assert answer.verdict == "found"
        assert len(answer.intervals) == len(events)
        for interval in answer.intervals:
            assert 0 <= interval.start_s < interval.end_s <= 24
            assert interval.confidence is None
            assert interval.sure in RANK
            words.add(interval.sure)
    assert words == set(RANK)
