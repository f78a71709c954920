"""Over standard input and output, and over streamable HTTP, with the SDK's own client."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from starlette.testclient import TestClient

from agent.cli.main import main
from agent.mcp.desk import Desk
from agent.mcp.speaking import MOST_BODY_BYTES, make_http_app
from tests.agent.loopback import on_loopback

pytestmark = pytest.mark.slow

TOKEN = "a long secret"
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
TAKES = {"accept": "application/json, text/event-stream"}


async def list_names(client: Any) -> tuple[set[str], list[str]]:
    tools = {tool.name for tool in (await client.list_tools()).tools}
    listed = await client.call_tool("list_videos", {})
    return tools, [one["name"] for one in listed.structured_content["videos"]]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_command_speaks_on_its_standard_streams(
    folder: Path, tmp_path: Path, mode: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "agent.cli", "mcp", str(folder), "--captioner", "classical"],
        env=os.environ | {"WHENABOUTS_HOME": str(home), "PYTHONPATH": str(Path.cwd())},
    )

    async def say() -> Any:
        async with Client(server, mode=mode) as client:
            await client.call_tool("index_video", {"video": "road.mp4"})
            await client.call_tool("estimate_cost", {"video": "road.mp4"})
            return await list_names(client)

    tools, videos = asyncio.run(say())
    assert "find_moment" in tools
    assert videos == ["road.mp4"]


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    with on_loopback(make_http_app(desk, token=TOKEN)) as base:
        yield f"{base}/mcp"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_http_answers_those_who_show_the_token(address: str, mode: str) -> None:
    async def say() -> Any:
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(streamable_http_client(address, http_client=http), mode=mode) as client,
        ):
            return await list_names(client)

    tools, videos = asyncio.run(say())
    assert "find_moment" in tools
    assert videos == ["road.mp4"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 400),
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_no_other_site_and_no_other_name_reaches_the_tools(
    desk: Desk, headers: dict[str, str], status: int
) -> None:
    with TestClient(make_http_app(desk), base_url="http://127.0.0.1:8766") as client:
        told = client.post("/mcp", json=HELLO, headers=TAKES | headers)
        assert told.status_code == status


def test_a_message_of_megabytes_is_not_read(desk: Desk) -> None:
    with TestClient(make_http_app(desk), base_url="http://127.0.0.1:8766") as client:
        told = client.post("/mcp", content=b" " * (MOST_BODY_BYTES + 1), headers=TAKES)
        assert told.status_code == 413


@pytest.mark.parametrize("shown", ["", "Bearer wrong", "Basic YTpi"])
def test_nothing_is_told_without_the_token(desk: Desk, shown: str) -> None:
    app = make_http_app(desk, token=TOKEN)
    with TestClient(app, base_url="http://127.0.0.1:8766") as client:
        told = client.post("/mcp", json=HELLO, headers=TAKES | {"authorization": shown})
        assert told.status_code == 401


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nowhere"], "nowhere is not a folder"),
        ([".", "--http", "99999"], "there is no port 99999"),
        ([".", "--http", "0", "--address", "192.0.2.1"], "no token is set"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mcp", *arguments]) == 2
    told = capsys.readouterr()
    assert why in told.err
    assert told.out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_it_though_the_client_is_still_there(
    folder: Path, number: int
) -> None:
    speaking = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "mcp", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert speaking.stdin is not None
    assert speaking.stdout is not None
    speaking.stdin.write(json.dumps(HELLO) + "\n")
    speaking.stdin.flush()
    assert json.loads(speaking.stdout.readline())["id"] == HELLO["id"]
    speaking.send_signal(number)
    assert speaking.wait() == 128 + number
    out, complained = speaking.communicate()
    assert out == ""
    assert "whenabouts: interrupted" in complained
