"""What other providers' clients raise is read as an answer of a service is, whatever its class."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.runnables import RunnableLambda

from agent.reasoning.own_client import MOST_TRIES, OtherFormError, OwnClient
from agent.reasoning.own_failures import read_failure
from tools.errors import FailureKind, ServiceError
from tools.llm.client import clean
from tools.llm.retries import Retry, retries_heard_by

KEY = "mist-a-secret-of-the-user"
TALK = [SystemMessage("rules"), HumanMessage("when?")]
LOOKED_UP = [
    *TALK,
    AIMessage(
        "", tool_calls=[{"name": "read", "args": {"first": 1}, "id": "a", "type": "tool_call"}]
    ),
    ToolMessage("#1 a door", tool_call_id="a"),
]


class RaisedError(Exception):
    """An exception with whatever its library keeps in it."""

    def __init__(self, words: str = "", **facts: Any) -> None:
        super().__init__(words)
        self.__dict__ |= facts


def of_mistral(status: int, words: str, **headers: str) -> Exception:
    request = httpx.Request("POST", "http://host/v1/chat/completions")
    response = httpx.Response(status, headers=headers, json={"message": words}, request=request)
    return httpx.HTTPStatusError(f"Error response {status}", request=request, response=response)


def of_google(status: int, words: str) -> Exception:
    told = {"error": {"code": status, "message": words, "status": "SOMETHING"}}
    error = RaisedError(f"{status} SOMETHING. {told}", code=status, details=told)
    wrapped = RaisedError(f"Error calling model: {words}")
    wrapped.__cause__ = error
    return wrapped


def of_amazon(status: int, words: str, code: str = "ValidationException") -> Exception:
    facts = {"HTTPStatusCode": status, "HTTPHeaders": {"Date": "now"}}
    return RaisedError(
        words, response={"Error": {"Code": code, "Message": words}, "ResponseMetadata": facts}
    )


def of_ollama(status: int, words: str) -> Exception:
    return RaisedError(f"{words} (status code: {status})", status_code=status, error=words)


def of_anthropic(status: int, words: str) -> Exception:
    told = {"type": "error", "error": {"type": "some_error", "message": words}}
    return RaisedError(f"Error code: {status} - {told}", status_code=status, body=told)


OF_EACH = pytest.mark.parametrize(
    "of", [of_mistral, of_google, of_amazon, of_ollama, of_anthropic], ids=lambda of: of.__name__
)


class Script:
    """A chat model that answers in turn, and raises what is an exception; the last one for ever."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = answers
        self.asked: list[list[BaseMessage]] = []

    def __call__(self, messages: list[BaseMessage]) -> AIMessage:
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(messages)
        if isinstance(answer, Exception):
            raise answer
        return AIMessage(answer)


def client() -> OwnClient:
    return OwnClient(
        "mistralai:large",
        clean=lambda said: clean(said, KEY),
        address="http://host:1234/v1",
        key_name="MISTRAL_API_KEY",
    )


def ask(
    script: Script, messages: Sequence[BaseMessage] = TALK, *, sent: Sequence[str] = ()
) -> AIMessage:
    """As ``LLMReasoner`` does: in another form where one is not taken."""
    asked = client()
    while True:
        try:
            return asked.invoke(RunnableLambda(script), asked.in_its_form(messages), sent=sent)
        except OtherFormError as exc:
            if exc.option:
                raise


@OF_EACH
@pytest.mark.parametrize(
    ("status", "words", "kind", "told"),
    [
        (401, f"wrong key {KEY}", "key", "set MISTRAL_API_KEY to one that may use large"),
        (404, "no model of that name", "model", "knows no model 'large'"),
        (400, "Input is too long for requested model.", "context", "the request is too long"),
        (402, "Your credit balance is too low", "credit", "no credit is left"),
        (400, "blocked by the content_filter", "declined", "content_filter"),
        (400, "something is wrong", "refused", "answers 400: something is wrong"),
    ],
)
def test_an_answer_is_classified_by_its_status_and_words(
    of: Callable[[int, str], Exception], status: int, words: str, kind: FailureKind, told: str
) -> None:
    script = Script(of(status, words))
    with pytest.raises(ServiceError) as failed:
        ask(script)
    assert failed.value.kind == kind
    assert told in str(failed.value)
    assert "OPENAI" not in str(failed.value)
    assert KEY not in str(failed.value)
    assert len(script.asked) == 1


@OF_EACH
def test_an_option_that_is_not_taken_is_named(of: Callable[[int, str], Exception]) -> None:
    with pytest.raises(OtherFormError) as refused:
        client().invoke(
            RunnableLambda(Script(of(400, "tools are not supported"))), TALK, sent=["tools"]
        )
    assert refused.value.option == "tools"


def test_what_may_pass_is_tried_again_after_the_wait_that_is_asked_for() -> None:
    script = Script(*[of_mistral(429, "slow down", **{"retry-after": "0.01"})] * 2, "fine")
    heard: list[Retry] = []
    with retries_heard_by(heard.append):
        assert ask(script).content == "fine"
    assert [(one.attempt, one.attempts, one.wait_s) for one in heard] == [
        (2, MOST_TRIES["busy"], 0.01),
        (3, MOST_TRIES["busy"], 0.01),
    ]


def test_it_is_given_up_in_the_end_and_where_the_wait_is_too_long() -> None:
    script = Script(of_mistral(503, "overloaded", **{"retry-after": "0.001"}))
    with pytest.raises(ServiceError, match=rf"503.*\({MOST_TRIES['broken']} times\)"):
        ask(script)
    script = Script(of_mistral(429, "come back tomorrow", **{"retry-after": "86400"}))
    with pytest.raises(ServiceError, match="come back tomorrow"):
        ask(script)
    assert len(script.asked) == 1


@OF_EACH
def test_a_provider_that_is_strict_about_history_is_told_it_in_plain_words(
    of: Callable[[int, str], Exception],
) -> None:
    script = Script(of(400, "function call is missing a thought_signature"), "fine")
    assert ask(script, LOOKED_UP).content == "fine"
    system, user = script.asked[1]
    assert (system.type, user.type) == ("system", "human")
    assert "when?" in str(user.content)
    assert "You looked up read" in str(user.content)
    assert "#1 a door" in str(user.content)


def test_where_roles_must_still_alternate_the_rules_are_the_users_too() -> None:
    script = Script(
        of_ollama(400, "roles must alternate"), of_ollama(400, "roles must alternate"), "fine"
    )
    ask(script, LOOKED_UP)
    (user,) = script.asked[2]
    assert user.type == "human"
    assert "rules" in str(user.content)


def test_a_system_role_that_is_refused_is_folded_into_what_the_user_says() -> None:
    script = Script(of_google(400, "Developer instruction is not enabled for this model"), "fine")
    ask(script)
    assert [message.type for message in script.asked[1]] == ["human"]


def test_a_page_in_place_of_an_answer_is_told_by_its_title() -> None:
    page = "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>"
    wrapped = {"message": page, "status": "Bad Gateway"}
    for exc in (
        RaisedError("no", code=418, details=wrapped),
        RaisedError(page, status_code=418, body=page),
    ):
        with pytest.raises(ServiceError, match=r"answers 418: 502 Bad Gateway$"):
            ask(Script(exc))


def test_what_client_code_stumbles_over_is_not_told_in_its_words() -> None:
    with pytest.raises(ServiceError) as failed:
        ask(Script(AttributeError("'str' object has no attribute 'model_dump'")))
    assert failed.value.kind == "strange"
    assert "(what it sent cannot be read)" in str(failed.value)
    assert "the address of mistralai" in str(failed.value)


def test_a_connection_that_ends_early_may_pass_and_one_that_never_was_does_not() -> None:
    early = RaisedError("Connection error.")
    early.__cause__ = httpx.RemoteProtocolError("peer closed connection")
    assert read_failure(early).kind == "broken"
    never = RaisedError("Connection error.")
    never.__cause__ = httpx.ConnectError("refused")
    script = Script(never)
    with pytest.raises(ServiceError, match="no answer from http://host:1234/v1") as failed:
        ask(script)
    assert failed.value.kind == "unreachable"
    assert len(script.asked) == 1


def test_a_body_is_read_as_it_came() -> None:
    assert json.loads(read_failure(of_mistral(400, "no")).body) == {"message": "no"}
    assert b"ThrottlingException" in read_failure(of_amazon(429, "no", "ThrottlingException")).body
