"""A real OpenAI-compatible server and the captioner for such servers."""

import httpx
import pytest

from tests.model_server import ModelServer
from tests.patience import PATIENCE_S
from tests.tools.captioners.test_local_captioner import make_frames
from tools.captioners.openai import OpenAICaptioner
from tools.captioners.protocol import Description
from tools.llm.client import Patience

pytestmark = pytest.mark.slow


def make_asker(server: ModelServer, prompt: str) -> OpenAICaptioner:
    return OpenAICaptioner(
        server.model,
        prompt=prompt,
        prompt_version="p1",
        api_key=None,
        base_url=server.base_url,
        in_flight=2,
        max_tokens=10,
        patience=Patience(timeout_s=PATIENCE_S, max_retries=0),
    )


def test_the_server_counts_a_picture_among_the_tokens_it_was_asked(
    model_server: ModelServer,
) -> None:
    def prompt_tokens(*pictures: str) -> int:
        blocks = [{"type": "image_url", "image_url": {"url": one}} for one in pictures]
        content = [{"type": "text", "text": "What is this?"}, *blocks]
        question = {
            "model": model_server.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": 4,
        }
        url = f"{model_server.base_url}/chat/completions"
        reply = httpx.post(url, json=question, timeout=PATIENCE_S)
        assert reply.status_code == 200, reply.text
        count: int = reply.json()["usage"]["prompt_tokens"]
        return count

    pixel = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
        "hgGAWjR9awAAAABJRU5ErkJggg=="
    )
    assert prompt_tokens(pixel) > prompt_tokens()


def test_the_captioner_for_services_captions_through_it(model_server: ModelServer) -> None:
    captioner = make_asker(model_server, "Describe this picture in one sentence.")
    said = list(captioner.describe(make_frames(3), seen=frozenset()))
    captions = {one.time_s: one.text for one in said if isinstance(one, Description)}
    assert sorted(captions) == [0, 1, 2]
    assert captioner.usage.tokens_out > 0


def test_the_server_lists_its_models(model_server: ModelServer) -> None:
    reply = httpx.get(f"{model_server.base_url}/models", timeout=PATIENCE_S)
    assert reply.status_code == 200
    assert reply.json()["object"] == "list"
