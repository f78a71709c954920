"""A service that sends a text model's question on to another host: it does not go there."""

from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage

from agent.errors import WhenaboutsError
from agent.reasoning.redirects import follow_no_redirects
from agent.reasoning.text_model import LLMReasoner
from tests.servers import Answer, says, serving


@pytest.mark.slow
def test_a_question_to_another_provider_follows_no_redirect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving([says("stolen")]) as thief:
        away = Answer(b"", 307, headers={"location": f"{thief.url}/chat/completions"})
        with serving([away]) as server:
            monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-real-key")
            monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
            monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
            reasoner = LLMReasoner("azure_openai:gpt-5")
            with pytest.raises(WhenaboutsError, match=r"a redirect to 127\.0\.0\.1, which is not"):
                reasoner.converse([HumanMessage("when?")], schema={"type": "object"})
            model: Any = reasoner._llm  # connections that nothing else closes
            model.root_client.close()
        assert server.asked
    assert thief.asked == []


def test_clients_are_found_wherever_they_lie_in_a_model() -> None:
    class Held:
        def __init__(self, **parts: object) -> None:
            self.__dict__ |= parts

    inner = httpx.Client(follow_redirects=True)
    later = httpx.AsyncClient(follow_redirects=True)
    model = Held(root_client=Held(_client=inner), _session=Held(async_client=later))
    model.__dict__["self_client"] = model
    follow_no_redirects(model)
    assert not inner.follow_redirects
    assert not later.follow_redirects
