"""What the tests of the server share."""

import json
from collections import defaultdict
from typing import Any, cast

from fastapi import FastAPI
from starlette.testclient import TestClient

from agent.web.app import make_app
from agent.web.rooms import Rooms

API = "/api/v1"
MOST_BYTES = 200_000


class _Standing:
    """Stands for the rooms of one test after the other."""

    rooms: Rooms
    is_open = False

    def open(self) -> None:
        self.is_open = True
        self.rooms.open()

    def close(self) -> None:
        self.rooms.close()
        self.is_open = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rooms, name)


_BUILT: dict[tuple[str, str], list[tuple[_Standing, FastAPI]]] = defaultdict(list)


def app_of(rooms: Rooms, *, address: str = "127.0.0.1", token: str = "") -> FastAPI:
    """The application, over these rooms; building one takes a seventh of a CPU-second."""
    built = _BUILT[address, token]
    standing, app = next((one for one in built if not one[0].is_open), (None, None))
    if standing is None or app is None:
        standing = _Standing()
        app = make_app(cast("Rooms", standing), address=address, token=token)
        built.append((standing, app))
    standing.rooms = rooms
    return app


def client_of(rooms: Rooms, *, host: str = "127.0.0.1", **options: Any) -> TestClient:
    return TestClient(app_of(rooms, **options), base_url=f"http://{host}:8765")


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
