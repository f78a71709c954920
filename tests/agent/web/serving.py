"""What the tests of the server share."""

import json
from typing import Any

from starlette.testclient import TestClient

from agent.web.app import make_app
from agent.web.rooms import Rooms

API = "/api/v1"
MOST_BYTES = 200_000


def client_of(rooms: Rooms, *, host: str = "127.0.0.1", **options: Any) -> TestClient:
    return TestClient(make_app(rooms, **options), base_url=f"http://{host}:8765")


def video_id(client: TestClient, name: str = "road.mp4") -> str:
    found: str = next(
        one["id"] for one in client.get(f"{API}/videos").json() if one["name"] == name
    )
    return found


def describe(client: TestClient, video: str) -> dict[str, Any]:
    """Index a video, and wait for the job's last state."""
    job = client.post(f"{API}/jobs", json={"video": video}).json()
    return events_of(client, "GET", f"{API}/jobs/{job['id']}/events")[-1][1]


def events_of(
    client: TestClient, method: str, path: str, **asked: Any
) -> list[tuple[str, dict[str, Any]]]:
    text = client.request(method, path, **asked).text
    blocks = [block for block in text.replace("\r\n", "\n").split("\n\n") if "data: " in block]
    return [
        (
            block.partition("event: ")[2].partition("\n")[0],
            json.loads(block.partition("data: ")[2].partition("\n")[0]),
        )
        for block in blocks
    ]
