"""Models that bring a client of their own are waited for no longer than a run lasts."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent.errors import ReasonerError, UnansweredError, WithheldError
from agent.reasoning.text_model import LLMReasoner
from tests.fakes import ChatModelOf
from tests.patience import PATIENCE_S
from tests.servers import fails, says, serving
from tools.llm.budget import Budget, Limits
from tools.llm.client import Patience
from tools.llm.outage import outages_noted

HELLO = [HumanMessage("when?")]
NO_WAIT = Patience(timeout_s=PATIENCE_S, max_retries=1, backoff_s=0.01)


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_model_that_never_answers_is_given_up_when_the_run_is_over(
    ended: threading.Event,
) -> None:
    def silent(_: Any) -> str:
        ended.wait(PATIENCE_S)
        return "too late"

    budget = Budget(Limits(max_minutes=0.002))
    reasoner = LLMReasoner(ChatModelOf(answers=silent), budget=lambda: budget)
    with pytest.raises(UnansweredError, match="the time for this run is used up"):
        reasoner.converse(HELLO, schema={})
    assert not ended.is_set()
    with pytest.raises(WithheldError, match="minutes of this run are used up"):
        reasoner.converse(HELLO, schema={})


@pytest.mark.slow
def test_so_is_the_client_of_another_provider(
    monkeypatch: pytest.MonkeyPatch, ended: threading.Event
) -> None:
    with serving([says("late").after(ended)]) as server:
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-real-key")
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
        monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
        reasoner = LLMReasoner("azure_openai:gpt-5", budget=lambda: budget)
        budget = Budget(Limits(max_minutes=0.01))  # Opening it takes longer.
        with pytest.raises(UnansweredError, match="the time for this run is used up"):
            reasoner.converse(HELLO, schema={})
        ended.set()
        model: Any = reasoner._llm  # connections that nothing else closes
        model.root_client.close()


def test_a_service_without_credit_is_asked_once_in_a_run() -> None:
    with serving([says("fine"), fails(402, "Insufficient credits")]) as server:
        reasoner = LLMReasoner("openai:tiny", base_url=server.url, patience=NO_WAIT)
        with outages_noted():
            reasoner.converse(HELLO, schema={})
            for _ in range(3):
                with pytest.raises(UnansweredError, match="no credit is left"):
                    reasoner.converse(HELLO, schema={})
        assert len(server.asked) == 2
        with outages_noted(), pytest.raises(UnansweredError, match="no credit is left"):
            reasoner.converse(HELLO, schema={})
        assert len(server.asked) == 3, "another run asks anew"


def test_a_client_of_its_own_that_cannot_connect_is_asked_once_in_a_run() -> None:
    calls: list[object] = []

    def refused(messages: Any) -> str:
        calls.append(messages)
        raise ConnectionRefusedError("nobody is there")

    reasoner = LLMReasoner(ChatModelOf(answers=refused))
    with outages_noted():
        for _ in range(3):
            with pytest.raises(ReasonerError, match="nobody is there"):
                reasoner.converse(HELLO, schema={})
    assert len(calls) == 1
