"""The reasoner against a real server with a real, if witless, model."""

from pathlib import Path

import pytest

from agent.reasoning.text_model import LLMReasoner
from tests.model_server import ModelServer
from tests.road import ask, graph_with, stored

pytest.importorskip("transformers")

pytestmark = pytest.mark.slow


def test_a_model_that_talks_nonsense_is_refused_and_the_llm_free_answer_stands_in(
    model_server: ModelServer, tmp_path: Path
) -> None:
    reasoner = LLMReasoner(
        f"openai:{model_server.model}", base_url=model_server.base_url, max_tokens=20
    )
    with stored(tmp_path) as store:
        answer = ask(graph_with(store, reasoner, max_attempts=2, max_look_ups=0))
    assert answer.by == "fallback"
    assert len(answer.refusals) == 2
    assert {one.kind for one in answer.refusals} <= {"no_json", "cut_off"}
    assert answer.usage.tokens_in > 100
    assert [(one.start_s, one.end_s) for one in answer.intervals] == [(8.0, 14.0)]
