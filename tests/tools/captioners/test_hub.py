"""The hub, through its own client, each time in a process of its own: it reads its address once."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tests.tiny_hub import NAME, TinyHub, serve_hub

# Every test starts a process, which reads the environment once.
pytestmark = pytest.mark.slow

PREAMBLE = """
import json
from tools.captioners import hub
from tools.captioners.checkpoints import is_on_disk, models_on_disk
from tools.errors import CaptionerError

def message(call, *arguments):
    try:
        call(*arguments)
    except CaptionerError as exc:
        return str(exc)

def say(*answers):
    print(json.dumps(answers))
"""

CONFIG = {"architectures": ["TinyForConditionalGeneration"], "vision_config": {}}
FILES = {
    "config.json": json.dumps(CONFIG),
    "processor_config.json": "{}",
    "tokenizer.json": "{ }",  # Of equal content, one would be fetched.
    "chat_template.jinja": "{{ messages }}",
    "model.safetensors": "w" * 1000,
    # The same weights in other forms, and things that loading never reads.
    "pytorch_model.bin": "w" * 1000,
    "consolidated.safetensors": "w" * 1000,
    "onnx/model.onnx": "w" * 1000,
    "README.md": "# Tiny",
}
WANTED = [name for name in FILES if name.endswith((".json", ".jinja")) or name[:6] == "model."]
WANTED_BYTES = sum(len(FILES[name]) for name in WANTED)


@pytest.fixture
def tiny_hub(tmp_path: Path) -> Iterator[TinyHub]:
    for name, text in FILES.items():
        path = tmp_path / "served" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with serve_hub(tmp_path / "served") as hub:
        yield hub


def ask(code: str, url: str, home: Path) -> list[object]:
    """What ``say`` was given by code that runs with this hub and the cache under ``home``."""
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code],
        cwd=ROOT,
        env=environment | {"HF_ENDPOINT": url, "HF_HOME": str(home / "hf")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[object] = json.loads(done.stdout)
    return answers


def test_a_model_is_fetched_once_and_only_what_is_read(tiny_hub: TinyHub, tmp_path: Path) -> None:
    code = f"""
before = is_on_disk({NAME!r}), hub.model_download_bytes({NAME!r})
folder = hub.download_model({NAME!r})
after = is_on_disk({NAME!r}), hub.model_download_bytes({NAME!r}), models_on_disk()
say(*before, *after, hub.download_model({NAME!r}) == folder)
"""
    answers = ask(code, tiny_hub.url, tmp_path)
    assert answers == [False, WANTED_BYTES, True, 0, [NAME], True]
    assert sorted(tiny_hub.fetched) == sorted(WANTED)


def test_what_was_fetched_works_without_the_hub(tiny_hub: TinyHub, tmp_path: Path) -> None:
    ask(f"hub.download_model({NAME!r}); say()", tiny_hub.url, tmp_path)
    code = f"say(hub.model_download_bytes({NAME!r}), str(hub.download_model({NAME!r})))"
    size, folder = ask(code, "http://127.0.0.1:9", tmp_path)
    assert size == 0
    assert (Path(str(folder)) / "model.safetensors").read_text() == FILES["model.safetensors"]


def test_a_model_fetched_in_part_is_not_on_disk(tiny_hub: TinyHub, tmp_path: Path) -> None:
    code = f"""
from huggingface_hub import snapshot_download
snapshot_download({NAME!r}, allow_patterns=["config.json", "tokenizer.json"])
say(is_on_disk({NAME!r}), models_on_disk(), hub.model_download_bytes({NAME!r}))
"""
    there = len(FILES["config.json"]) + len(FILES["tokenizer.json"])
    assert ask(code, tiny_hub.url, tmp_path) == [False, [], WANTED_BYTES - there]


def test_without_safetensors_the_older_form_is_fetched(tiny_hub: TinyHub, tmp_path: Path) -> None:
    (tiny_hub.folder / "model.safetensors").unlink()
    ask(f"say(str(hub.download_model({NAME!r})))", tiny_hub.url, tmp_path)
    assert "pytorch_model.bin" in tiny_hub.fetched


def test_an_unknown_model_and_an_impossible_name_are_errors(
    tiny_hub: TinyHub, tmp_path: Path
) -> None:
    code = """
say(message(hub.model_download_bytes, "me/none"), message(hub.download_model, "no such thing"))
"""
    unknown, impossible = ask(code, tiny_hub.url, tmp_path)
    assert str(unknown).startswith("the hub has no model me/none, or it is private")
    assert str(impossible).startswith("'no such thing' is neither a folder nor the name of a model")


def test_what_is_no_image_text_model_is_refused(tiny_hub: TinyHub, tmp_path: Path) -> None:
    (tiny_hub.folder / "processor_config.json").unlink()
    (refusal,) = ask(f"say(message(hub.download_model, {NAME!r}))", tiny_hub.url, tmp_path)
    assert str(refusal).startswith("me/tiny on the hub is not an image-text checkpoint; what works")


def test_a_hub_that_refuses_the_connection_is_an_error_at_once(tmp_path: Path) -> None:
    code = f"say(hub.model_download_bytes({NAME!r}), message(hub.download_model, {NAME!r}))"
    size, refusal = ask(code, "http://127.0.0.1:9", tmp_path)
    assert size is None
    assert str(refusal).startswith("me/tiny is not on this machine, and the hub cannot be reached")
    assert str(refusal).endswith("an OpenAI-compatible server, or the captioner `classical`")


def test_a_hub_that_never_answers_is_given_up_on(tmp_path: Path) -> None:
    # It takes the connection and says nothing: retries and look-ups add up to minutes elsewhere.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code = f"""
hub.PATIENCE_S = 0.3
say(hub.model_download_bytes({NAME!r}), message(hub.download_model, {NAME!r}))
"""
        size, refusal = ask(code, f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path)
    assert size is None
    assert "the hub cannot be reached" in str(refusal)


def test_offline_on_purpose_is_not_asked_about(tmp_path: Path, tiny_hub: TinyHub) -> None:
    code = f"""
import huggingface_hub.constants
huggingface_hub.constants.HF_HUB_OFFLINE = True
say(hub.model_download_bytes({NAME!r}), message(hub.download_model, {NAME!r}))
"""
    size, refusal = ask(code, tiny_hub.url, tmp_path)
    assert size is None
    assert "the hub cannot be reached" in str(refusal)
    assert tiny_hub.fetched == []


def test_models_on_this_machine_are_offered_where_the_hub_is_gone(
    tiny_hub: TinyHub, tmp_path: Path
) -> None:
    ask(f"hub.download_model({NAME!r}); say()", tiny_hub.url, tmp_path)
    code = "say(message(hub.download_model, 'me/other'))"
    (refusal,) = ask(code, "http://127.0.0.1:9", tmp_path)
    assert "one that is on this machine already (me/tiny)" in str(refusal)
