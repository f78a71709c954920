"""``langgraph dev`` with our ``langgraph.json``: a real server, offline, asked over HTTP."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.drawing import draw_video, even_times
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S

pytest.importorskip("langgraph_api", reason="langgraph-cli[inmem] is not installed")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server runs: a clip, its captions, and the project's ``langgraph.json``."""
    folder = tmp_path_factory.mktemp("studio")
    draw_video(folder / "road.mp4", even_times(48, 8.0))
    rows = [{"t": t, "caption": "a dog jumps" if 2 <= t < 4 else "an empty road"} for t in range(6)]
    (folder / "road.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    shutil.copy(ROOT / "langgraph.json", folder)
    (folder / "home").mkdir()
    own = "WHENABOUTS_REASONER=similarity\nWHENABOUTS_CAPTIONER=classical\n"
    (folder / "home" / ".env").write_text(own)
    # Of the folder that the server runs in, none is read.
    (folder / ".env").write_text("WHENABOUTS_REASONER=nobody\n")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = {
        "PYTHONPATH": str(ROOT),
        "WHENABOUTS_HOME": str(folder / "home"),
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LANGSMITH_", "LANGCHAIN_", "OPENAI_", "WHENABOUTS_"))
    }
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload"]
    with (folder / "server.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=inherited | ours,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, process, folder / "server.log")
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/ok", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


def run(server: str, **question: Any) -> Any:
    body = {"assistant_id": "whenabouts", "input": question}
    return (
        httpx.post(f"{server}/runs/wait", json=body, timeout=PATIENCE_S).raise_for_status().json()
    )


def test_a_run_over_http_answers(server: str, folder: Path) -> None:
    answered = run(
        server,
        video=str(folder / "road.mp4"),
        query="a dog jumps",
        captions=str(folder / "road.jsonl"),
    )
    (interval,) = answered["grounding"]["intervals"]
    assert (interval["start_s"], interval["end_s"]) == (1.5, 3.5)


def test_a_remote_graph_answers_as_a_local_one(server: str, folder: Path) -> None:
    from langgraph.pregel.remote import RemoteGraph
    from langgraph_sdk import get_sync_client

    question = {"video": str(folder / "road.mp4"), "query": "a dog jumps"}
    with get_sync_client(url=server) as client:
        graph = RemoteGraph("whenabouts", sync_client=client)
        out = graph.invoke(question | {"captions": str(folder / "road.jsonl")})
    assert out["grounding"]["verdict"] == "found"
    assert out["grounding"]["by"] == "similarity"


def test_the_schema_and_the_picture_read_well_there(server: str) -> None:
    (assistant,) = httpx.post(f"{server}/assistants/search", json={}).json()
    at = f"{server}/assistants/{assistant['assistant_id']}"
    schemas = httpx.get(f"{at}/schemas").json()
    fields = schemas["input_schema"]["properties"]
    assert {name: field["title"] for name, field in fields.items()} == {
        "video": "Video",
        "query": "Query",
        "captions": "Captions file",
        "within": "Within",
        "every_time": "Every time",
    }
    options = schemas["context_schema"]["properties"]
    assert {name: field["title"] for name, field in options.items()} == {
        "reasoner": "Reasoner",
        "max_attempts": "Most attempts",
        "max_look_ups": "Most look-ups",
        "refine": "Look closer",
        "verify": "Judge",
        "direct": "Direct",
    }
    assert all(field["description"] for field in (*fields.values(), *options.values()))
    assert set(schemas["output_schema"]["properties"]) == {"grounding"}
    picture = httpx.get(f"{at}/graph").json()
    names = [node["id"] for node in picture["nodes"]]
    assert set(names[1:-1]) == {
        *("watch", "retrieve", "direct", "reason", "look_up", "check"),
        *("fall_back", "verify", "refine", "answer"),
    }


def test_a_run_decides_by_its_context_and_is_told_what_is_wrong_with_it(
    server: str, folder: Path
) -> None:
    def asked(**context: Any) -> Any:
        question = {"video": str(folder / "road.mp4"), "query": "a dog jumps"}
        question["captions"] = str(folder / "road.jsonl")
        body = {"assistant_id": "whenabouts", "input": question, "context": context}
        return httpx.post(f"{server}/runs/wait", json=body, timeout=PATIENCE_S).json()

    assert asked(max_attempts=2)["grounding"]["verdict"] == "found"
    error = asked(reasoner="nonsense:model")["__error__"]
    assert "nonsense:model" in error["message"]


def test_an_error_of_ours_is_told_in_its_own_words(server: str) -> None:
    error = run(server, video="nowhere.mp4", query="a dog")["__error__"]
    assert error["error"] == "VideoError"
    assert "there is no file nowhere.mp4" in error["message"]


def test_a_question_without_a_query_is_told_what_is_missing(server: str) -> None:
    error = run(server, video="road.mp4")["__error__"]
    assert error["error"] == "ValidationError"
    assert "query\n  Field required" in error["message"]
