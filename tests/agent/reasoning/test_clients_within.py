"""The clients within a chat model: where they ask and with what keys, and that they stay there."""

from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage
from pydantic import SecretStr

from agent.errors import WhenaboutsError
from agent.reasoning.clients_within import (
    address_of,
    follow_no_redirects,
    key_variable,
    leave_retries_to_us,
    secrets_of,
)
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


class Held:
    """An object that holds whatever it is given."""

    def __init__(self, **parts: object) -> None:
        self.__dict__ |= parts


class BedrockRuntime(Held):
    """Named as Amazon's library names the client that asks models."""


def test_clients_are_found_wherever_they_lie_in_a_model() -> None:
    inner = httpx.Client(follow_redirects=True)
    later = httpx.AsyncClient(follow_redirects=True)
    model = Held(root_client=Held(_client=inner), _session=Held(async_client=later))
    model.__dict__["self_client"] = model
    follow_no_redirects(model)
    assert not inner.follow_redirects
    assert not later.follow_redirects


@pytest.mark.parametrize(
    "model",
    [
        Held(client=Held(_client=httpx.Client(base_url="https://api.example.com:8443/v1"))),
        Held(
            client=Held(
                _api_client=Held(_http_options=Held(base_url="https://api.example.com:8443"))
            )
        ),
        Held(
            client=BedrockRuntime(meta=Held(endpoint_url="https://api.example.com:8443")),
            bedrock_client=Held(meta=Held(endpoint_url="https://control.example.com")),
        ),
        Held(endpoint="https://api.example.com:8443"),
    ],
    ids=["httpx", "google", "amazon", "field"],
)
def test_the_address_is_the_one_that_the_client_itself_asks(model: Held) -> None:
    assert address_of(model).removesuffix("/").removesuffix("/v1").endswith("api.example.com:8443")


def test_of_a_client_that_says_nothing_no_address_is_known() -> None:
    assert address_of(Held(client=Held(base_url=None, endpoint="not an address"))) == ""


def test_keys_are_known_from_fields_and_from_the_headers_of_clients() -> None:
    headers = {"Authorization": "Bearer a-long-token", "X-Api-Key": "k-long-key"}
    keys = {"api_key": SecretStr("sk-ant-secret"), "other": SecretStr("none")}
    model = Held(**keys, client=httpx.Client(headers=headers))
    assert secrets_of(model) == ["sk-ant-secret", "a-long-token", "k-long-key"]


def test_a_model_and_its_clients_try_once() -> None:
    inner = Held(max_retries=2)
    model = Held(max_retries=6, client=inner)
    leave_retries_to_us(model)
    assert (vars(model)["max_retries"], vars(inner)["max_retries"]) == (1, 0)


def test_the_variable_of_a_key_is_the_librarys_own() -> None:
    assert key_variable(Held(lc_secrets={"api_key": "MISTRAL_API_KEY"})) == "MISTRAL_API_KEY"
    assert key_variable(Held()) == ""
