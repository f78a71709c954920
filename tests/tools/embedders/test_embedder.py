"""Embedders by name: a service on the loopback, and clear words where something is missing."""

import base64
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.listening import Handler, listening
from tests.patience import PATIENCE_S
from tools.embedders.embedder import open_embedder
from tools.embedders.minilm import MiniLM
from tools.embedders.service import STAND_IN, OpenAIEmbedder
from tools.errors import EmbedderError
from tools.llm.client import Patience

KEY = "sk-a-secret-of-the-user-0123456789"
Reply = Callable[[list[str]], tuple[int, Any]]


class Service:
    """An embeddings API on the loopback, with a scripted reply; remembers what it was asked."""

    def __init__(self, reply: Reply) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.reply = reply
        self.url = ""


@contextmanager
def serving(reply: Reply) -> Iterator[Service]:
    service = Service(reply)

    class Embeddings(Handler):
        def do_POST(self) -> None:
            asked = json.loads(self.body())
            service.asked.append(asked)
            service.keys.append(self.headers["Authorization"])
            status, body = service.reply(asked["input"])
            self.send(json.dumps(body).encode(), status, content_type="application/json")

    with listening(Embeddings) as url:
        service.url = f"{url}/v1"
        yield service


def embeddings(vectors: Sequence[Any]) -> tuple[int, Any]:
    rows = [
        {"object": "embedding", "index": number, "embedding": vector}
        for number, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return 200, {"object": "list", "data": rows, "model": "m", "usage": usage}


def by_length(texts: list[str]) -> tuple[int, Any]:
    return embeddings([[float(len(text)), 1.0, 0.0] for text in texts])


def refusal(status: int, message: str) -> Reply:
    return lambda _: (status, {"error": {"message": message, "type": "refused", "code": None}})


def embedder_at(url: str, **options: Any) -> OpenAIEmbedder:
    return OpenAIEmbedder("small", api_key=KEY, base_url=url, **options)


def test_a_service_is_asked_once_for_equal_texts_and_gives_unit_rows(tmp_path: Path) -> None:
    with serving(by_length) as service:
        embedder = open_embedder("openai:small", cache=tmp_path, api_key=KEY, base_url=service.url)
        vectors = embedder.embed(["one", "three", "one"])
    assert [asked["input"] for asked in service.asked] == [["one", "three"]]
    assert service.asked[0]["model"] == "small"
    assert service.keys == [f"Bearer {KEY}"]
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[[0, 2], 0], 3 / np.sqrt(10), atol=1e-6)
    assert embedder.name == "openai:small"


def test_the_dimension_is_the_services_own() -> None:
    with serving(by_length) as service:
        embedder = embedder_at(service.url)
        assert embedder.dimension == 3
        assert embedder.embed([]).shape == (0, 3)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_not_shown(status: int) -> None:
    message = f"Incorrect API key provided: {KEY[:8]}***{KEY[-4:]}"
    with serving(refusal(status, message)) as service, pytest.raises(EmbedderError) as failure:
        embedder_at(service.url).embed(["a door opens"])
    shown = str(failure.value)
    assert "OPENAI_API_KEY" in shown
    assert KEY[:8] not in shown
    assert KEY[-4:] not in shown
    assert failure.value.__suppress_context__


def test_batches_are_halved_where_a_server_takes_less_at_once() -> None:
    def at_most_three(texts: list[str]) -> tuple[int, Any]:
        refused = refusal(400, "batch size 3 exceeded")
        return refused(texts) if len(texts) > 3 else by_length(texts)

    with serving(at_most_three) as service:
        embedder = embedder_at(service.url, batch_texts=8)
        vectors = embedder.embed(["x" * length for length in range(1, 21)])
        asked = len(service.asked)
        embedder.embed(["y" * length for length in range(1, 4)])
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], range(1, 21), rtol=1e-5)
    sizes = [len(one["input"]) for one in service.asked]
    assert sizes[:3] == [8, 4, 2]
    assert max(sizes[2:asked]) <= 3
    assert sum(sizes[2:asked]) == 20


def test_of_a_text_that_is_too_long_for_a_server_the_beginning_is_embedded() -> None:
    def at_most_300_chars(texts: list[str]) -> tuple[int, Any]:
        refused = refusal(413, "`inputs` must have less than 100 tokens. Given: 250")
        return refused(texts) if sum(map(len, texts)) > 300 else by_length(texts)

    with serving(at_most_300_chars) as service:
        vectors = embedder_at(service.url).embed(["a door", "x" * 1000, "a cat"])
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], [6, 250, 5], rtol=1e-5)


def test_one_text_that_a_service_declines_does_not_keep_the_others_out() -> None:
    def declines_one(texts: list[str]) -> tuple[int, Any]:
        refused = refusal(400, "Input data may contain inappropriate content.")
        return refused(texts) if "a bad word" in texts else by_length(texts)

    with serving(declines_one) as service:
        embedder = embedder_at(service.url, batch_texts=4)
        vectors = embedder.embed(["a door", "a bad word", "a cat", "a dog!", "a river", "a wall"])
        sizes = [len(one["input"]) for one in service.asked]
    lengths = [6, len(STAND_IN), 5, 6, 7, 6]
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], lengths, rtol=1e-5)
    assert sizes[-1] == 4, "batches are whole again after it"


def test_a_service_that_declines_everything_is_told() -> None:
    with serving(refusal(400, "inappropriate content")) as service:
        embedder = embedder_at(service.url)
        with pytest.raises(EmbedderError, match="inappropriate content"):
            embedder.embed(["a door", "a cat"])


def test_a_key_in_an_error_of_the_service_is_blotted_out() -> None:
    reply = refusal(400, f"no model small for {KEY}")
    with serving(reply) as service, pytest.raises(EmbedderError) as failure:
        embedder_at(service.url).embed(["a door opens"])
    assert "answers 400" in str(failure.value)
    assert "no model small for …" in str(failure.value)


def test_no_answer_names_the_address() -> None:
    with serving(by_length) as service:
        pass
    with pytest.raises(EmbedderError, match=f"no answer from {service.url}"):
        embedder_at(service.url).embed(["a door opens"])


def test_a_service_that_hangs_is_given_up() -> None:
    released = threading.Event()

    def hang(texts: list[str]) -> tuple[int, Any]:
        released.wait(PATIENCE_S)
        return by_length(texts)

    with serving(hang) as service:
        try:
            embedder = embedder_at(service.url, patience=Patience(timeout_s=0.1, max_retries=0))
            with pytest.raises(EmbedderError, match="no answer from"):
                embedder.embed(["a door opens"])
        finally:
            released.set()


def test_a_service_that_hangs_is_waited_for_no_longer_than_the_run_and_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tools.embedders.service.GRACE_S", 0.1)
    monkeypatch.setattr("tools.embedders.service.LEAST_S", 0.1)
    released = threading.Event()

    def hang(texts: list[str]) -> tuple[int, Any]:
        released.wait(PATIENCE_S)
        return by_length(texts)

    with serving(hang) as service:
        is_over = time.monotonic()
        embedder = embedder_at(service.url, until=lambda: is_over)
        try:
            with pytest.raises(EmbedderError, match="the time for this run is used up"):
                embedder.embed(["a door opens"])
        finally:
            released.set()
    monkeypatch.setattr("tools.embedders.service.LEAST_S", PATIENCE_S)
    with serving(by_length) as service:
        # What was paid for is still embedded.
        assert len(embedder_at(service.url, until=lambda: is_over).embed(["a door opens"])) == 1


@pytest.mark.parametrize(
    ("vectors", "complaint"),
    [
        ([[1.0, 0.0], [1.0]], "vectors that cannot be used"),
        ([[1.0, 0.0], [10**400, 0]], "vectors that cannot be used"),
        ([[1.0, 0.0], [{"x": 1}, 0]], "vectors that cannot be used"),
        ([[0.0, 0.0], [0.0, 0.0]], "'open' a vector without a direction"),
        ([[[1.0], [0.0]], [[0.0], [1.0]]], "vectors that cannot be used"),
        (["not base64", "AAAA"], "vectors that cannot be used"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors: list[Any], complaint: str) -> None:
    with (
        serving(lambda _: embeddings(vectors)) as service,
        pytest.raises(EmbedderError, match=complaint),
    ):
        embedder_at(service.url).embed(["open", "shut"])


def as_rows(*rows: tuple[Any, Any]) -> tuple[int, Any]:
    return 200, {"data": [{"index": index, "embedding": vector} for index, vector in rows]}


@pytest.mark.parametrize(
    "indices", [(1, 0), (2, 1), ("1", "0"), (11, 10)], ids=["from 0", "from 1", "words", "far"]
)
def test_vectors_are_put_in_the_order_of_the_texts(indices: tuple[Any, Any]) -> None:
    reply = as_rows((indices[0], [0.0, 1.0]), (indices[1], [1.0, 0.0]))
    with serving(lambda _: reply) as service:
        vectors = embedder_at(service.url).embed(["open", "shut"])
    np.testing.assert_allclose(vectors, [[1, 0], [0, 1]], atol=1e-6)


@pytest.mark.parametrize("index", [0, None])
def test_vectors_that_are_numbered_alike_stand_in_order(index: Any) -> None:
    with serving(lambda _: as_rows((index, [1.0, 0.0]), (index, [0.0, 1.0]))) as service:
        vectors = embedder_at(service.url).embed(["open", "shut"])
    np.testing.assert_allclose(vectors, [[1, 0], [0, 1]], atol=1e-6)


@pytest.mark.parametrize("indices", [(0, 0, 1), (0, 1, 7), (0, None, 1), (0, "x", 1)])
def test_vectors_whose_texts_nobody_can_tell_are_refused(indices: tuple[Any, ...]) -> None:
    reply = as_rows(*((index, [1.0, 2.0]) for index in indices))
    with (
        serving(lambda _: reply) as service,
        pytest.raises(EmbedderError, match="does not answer as OpenAI's API does"),
    ):
        embedder_at(service.url, patience=Patience(max_retries=0)).embed(["a", "b", "c"])


def test_vectors_in_base64_are_read() -> None:
    packed = base64.b64encode(np.array([3.0, 4.0], "<f4").tobytes()).decode()
    with serving(lambda _: as_rows((0, packed))) as service:
        vectors = embedder_at(service.url).embed(["open"])
    np.testing.assert_allclose(vectors, [[0.6, 0.8]], atol=1e-6)


@pytest.mark.parametrize("useless", [[0.0, 0.0], [math.nan, 1.0], [None, 1.0], None])
def test_a_text_that_gets_no_direction_does_not_keep_the_others_out(useless: Any) -> None:
    def reply(texts: list[str]) -> tuple[int, Any]:
        vectors = {"shut": useless, STAND_IN: [0.0, 1.0]}
        return embeddings([vectors.get(text, [1.0, 0.0]) for text in texts])

    with serving(reply) as service:
        vectors = embedder_at(service.url).embed(["open", "shut"])
    assert [asked["input"] for asked in service.asked] == [["open", "shut"], [STAND_IN]]
    np.testing.assert_allclose(vectors, [[1, 0], [0, 1]], atol=1e-6)


def test_a_text_over_which_a_server_breaks_does_not_keep_the_others_out() -> None:
    def reply(texts: list[str]) -> tuple[int, Any]:
        if "shut" in texts:
            return 500, {"error": {"message": "failed to encode: json: unsupported value: NaN"}}
        return by_length(texts)

    once = Patience(max_retries=0)
    with serving(reply) as service:
        vectors = embedder_at(service.url, patience=once).embed(["open", "a door", "shut"])
    assert len(vectors) == 3
    with (
        serving(lambda _: (500, {"error": {"message": "out of memory"}})) as service,
        pytest.raises(EmbedderError, match="out of memory"),
    ):
        embedder_at(service.url, patience=once).embed(["open", "a door", "shut"])
    assert len(service.asked) == 2


def test_a_server_that_embeds_the_first_text_alone_is_asked_one_by_one() -> None:
    with serving(lambda texts: by_length(texts[:1])) as service:
        vectors = embedder_at(service.url).embed(["open", "a door", "shut"])
    assert len(vectors) == 3
    assert [len(asked["input"]) for asked in service.asked] == [3, 1, 1, 1]
    with (
        serving(lambda texts: by_length([*texts, "more"])) as service,
        pytest.raises(EmbedderError, match="2 vectors for 1 text"),
    ):
        embedder_at(service.url).embed(["open", "a door"])


def test_vectors_stay_as_long_as_they_were() -> None:
    lengths = iter([2, 3])
    with serving(lambda _: embeddings([[1.0] * next(lengths)])) as service:
        embedder = embedder_at(service.url)
        embedder.embed(["open"])
        with pytest.raises(EmbedderError, match="vectors of 2 numbers before, and now of 3"):
            embedder.embed(["shut"])


def test_an_answer_that_is_no_embedding_is_refused() -> None:
    with (
        serving(lambda _: (200, {"hello": "world"})) as service,
        pytest.raises(EmbedderError, match="does not answer as OpenAI's API does"),
    ):
        embedder_at(service.url).embed(["a door opens"])


def test_openai_without_key_and_address_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="set OPENAI_API_KEY"):
        open_embedder("openai:text-embedding-3-small", cache=tmp_path)
    with pytest.raises(EmbedderError, match="name the model"):
        open_embedder("openai:", cache=tmp_path, api_key=KEY)


def test_an_extra_that_is_missing_comes_with_its_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EmbedderError, match=r"'BAAI/bge-small.*pip install sentence-transformers"):
        open_embedder("BAAI/bge-small-en-v1.5", cache=tmp_path)


def test_minilm_can_come_from_a_folder_of_the_users(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match=f"there is no {tmp_path}/mine/model.safetensors"):
        open_embedder(f"minilm:{tmp_path}/mine", cache=tmp_path)
    assert MiniLM.name == "minilm"
