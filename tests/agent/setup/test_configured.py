"""What is configured already is checked where it is on this machine, and named where it is not."""

import pytest
from pydantic import SecretStr

from agent.settings import load_settings
from agent.setup.plan import Machine, Plan, make_plan
from agent.setup.servers import Server

MACHINE = Machine(ram_gb=16.0, disk_gb=50.0, gpu=False, cores=4)
HERE = "http://localhost:8000/v1"
URL = "http://127.0.0.1:8000/v1"


def planned(*servers: Server, **settings: object) -> Plan:
    given = {"openai_base_url": HERE, **settings}
    return make_plan(load_settings().model_copy(update=given), MACHINE, servers)


def test_an_address_that_does_not_answer_is_told_and_another_server_offered() -> None:
    plan = planned()
    assert plan.choice == "none"
    assert plan.writes == {}
    assert f"best:     {HERE}, which is configured, does not answer; start that" in plan.lines()[2]
    ollama = Server("Ollama", "http://127.0.0.1:11434/v1", ("llava",))
    plan = planned(ollama)
    assert plan.why == f"{HERE}, which is configured, does not answer; llava of Ollama does"
    assert plan.writes == {
        "OPENAI_BASE_URL": ollama.url,
        "WHENABOUTS_CAPTIONER": "openai:llava",
    }


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"openai_base_url": "https://me:secret@far.example/v1"}, "far.example/v1, which is conf"),
        ({"openai_base_url": None, "openai_api_key": SecretStr("k")}, "OpenAI, whose key is conf"),
    ],
)
def test_what_is_elsewhere_is_named_as_not_checked(settings: dict[str, object], told: str) -> None:
    plan = planned(**settings)
    assert (plan.choice, plan.writes) == ("service", {})
    assert told in plan.why
    assert "not checked, since nothing outside this machine is asked" in plan.why
    assert "secret" not in str(plan)


@pytest.mark.parametrize(
    ("captioner", "server", "told", "writes"),
    [
        ("auto", Server("vLLM", URL, ("llava",)), "describes frames by llava; nothing to do", ""),
        ("auto", Server("vLLM", URL, ("llama3",)), "none of its models is known to look", ""),
        ("auto", Server("vLLM", URL, ("llama3", "llava")), "llava of http", "openai:llava"),
        ("auto", Server("vLLM", URL, wants_key=True), "wants a key (set OPENAI_API_KEY)", ""),
        ("openai:mine", Server("vLLM", URL, ("mine",)), "by mine; nothing to do", ""),
        ("openai:gone", Server("vLLM", URL, ("a", "b")), "not with gone; it lists a, b", ""),
        ("openai:a", Server("vLLM", URL, ("a",), blind=("a",)), "a does not look at pictures", ""),
        ("local:me/it", Server("vLLM", URL, ("a",)), "local:me/it is configured to describe", ""),
    ],
)
def test_what_a_configured_server_lacks_is_told(
    captioner: str, server: Server, told: str, writes: str
) -> None:
    plan = planned(server, captioner=captioner)
    assert told in plan.why
    assert plan.writes == ({"WHENABOUTS_CAPTIONER": writes} if writes else {})


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (Server("Ollama", URL, ("llama3",)), "Ollama (no image model; `ollama pull qwen3-vl:2b`"),
        (Server("llama.cpp", URL, ("m",)), "llama.cpp (no image model; start it with one, and wit"),
        (Server("LM Studio", URL, ()), "LM Studio (no image model; load one there"),
        (Server("vLLM", URL, ("m",)), "vLLM (no image model)"),
        (Server("vLLM", URL, wants_key=True), f"vLLM (wants a key: set OPENAI_BASE_URL={URL} and"),
    ],
)
def test_how_a_server_comes_by_an_image_model_is_told(server: Server, told: str) -> None:
    plan = planned(server, openai_base_url=None)
    assert plan.choice == "sight"
    assert told in plan.lines()[1]
    assert len(plan.lines()) == 5
