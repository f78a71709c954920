"""Who may ask: no other site's page, nobody without the token, and no path outside the folders."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from agent.api import Grounder, Settings
from agent.cli.main import main
from agent.errors import SettingsError
from agent.web.app import MOST_BODY_BYTES
from agent.web.guarding import Guard
from agent.web.library import Library, NotServedError
from agent.web.rooms import Rooms
from agent.web.serving import serve
from agent.web.uploads import BLOCK_BYTES
from tests.agent.web.serving import API, MOST_BYTES, app_of, client_of, video_id
from tests.drawing import draw_video, even_times

pytestmark = pytest.mark.slow

TOKEN = "a long secret"


def test_another_host_name_is_refused(client: TestClient) -> None:
    foreign = ["evil.example", "127.0.0.1.evil.example", "", "[::1", "192.168.0.7", "me@127.0.0.1"]
    for host in foreign:
        assert client.get(f"{API}/videos", headers={"host": host}).status_code == 400


def test_two_host_names_are_refused_whichever_comes_first(rooms: Rooms) -> None:
    told: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        told.append(message)

    names = [(b"host", b"127.0.0.1"), (b"host", b"evil.example")]
    for headers in (names, names[::-1]):
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
        asyncio.run(Guard(app_of(rooms), address="127.0.0.1")(scope, receive, send))
        assert told[-2]["status"] == 400


def test_the_loopback_is_known_by_its_names(client: TestClient) -> None:
    for host in ["localhost:8765", "127.0.0.1", "[::1]:8765", "LOCALHOST"]:
        assert client.get(f"{API}/videos", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://[::1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_sites_page_can_neither_post_nor_look(
    client: TestClient, headers: dict[str, str]
) -> None:
    video = video_id(client)
    assert client.post(f"{API}/jobs", json={"video": video}, headers=headers).status_code == 403
    assert client.get(f"{API}/videos", headers=headers).status_code == 403
    assert client.get(f"{API}/jobs").json() == []


def test_our_own_page_may_post(client: TestClient) -> None:
    headers = {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    job = client.post(f"{API}/jobs", json={"video": video_id(client)}, headers=headers)
    assert job.status_code == 202


@pytest.fixture
def secret(rooms: Rooms) -> Iterator[TestClient]:
    with client_of(rooms, address="0.0.0.0", token=TOKEN) as opened:
        yield opened


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer é".encode("latin-1")},
        {"cookie": "whenabouts_token=wrong"},
        {"cookie": "\x01=;;="},
    ],
)
def test_nothing_is_told_without_the_token(secret: TestClient, headers: dict[str, Any]) -> None:
    for path in ("/", "/main.js", f"{API}/videos", f"{API}/openapi.json"):
        assert secret.get(path, headers=headers).status_code == 401


def test_the_token_is_shown_in_a_header_or_once_in_the_address(secret: TestClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert secret.get(f"{API}/videos", headers=headers).status_code == 200
    assert secret.get("/?token=wrong").status_code == 401
    opened = secret.get(f"/?token={TOKEN}", follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict"} <= set(opened.headers["set-cookie"].split("; "))
    assert secret.get(f"{API}/videos").status_code == 200


def test_a_token_in_the_address_does_not_stay_there_and_what_else_it_said_does(
    secret: TestClient,
) -> None:
    link = "v=0123&q=a+man+%26+a+dog%0D%0A&t="
    for _ in ("first shown", "shown before, with the cookie"):
        opened = secret.get(f"/?token={TOKEN}&{link}&token=x", follow_redirects=False)
        assert (opened.status_code, opened.headers["location"]) == (303, f"/?{link}")
        assert opened.headers["cache-control"] == "no-store"
    secret.cookies.clear()
    assert secret.get(f"{API}/videos?token={TOKEN}").status_code == 401


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::"])
def test_an_address_that_others_can_reach_needs_a_token(grounder: Grounder, address: str) -> None:
    with pytest.raises(SettingsError, match="no token is set; set WHENABOUTS_TOKEN"):
        serve(grounder, [], address=address, port=0, most_bytes=1, say=print)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nowhere"], "nowhere is not a folder"),
        (["--port", "99999"], "there is no port 99999"),
        (["--address", "192.0.2.1"], "no token is set"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 2
    assert why in capsys.readouterr().err


# --- paths


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fetc%2fpasswd", "%2e%2e", "%00", "road.mp4", "..\\..\\x", "a" * 5000, "%ff"],
)
def test_a_path_names_no_video(client: TestClient, name: str) -> None:
    for what in ["file", "thumbnail", "clip?start=0&end=1", "answers"]:
        assert client.get(f"{API}/videos/{name}/{what}").status_code == 404


@pytest.mark.parametrize("path", ["/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "//etc/passwd"])
def test_the_pages_files_are_all_that_is_served_beside_the_api(
    client: TestClient, path: str
) -> None:
    assert client.get(path).status_code == 404


def test_a_link_out_of_the_folder_is_not_served(tmp_path: Path, folder: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    draw_video(outside / "secret.mp4", even_times(8, 8.0))
    (folder / "link.mp4").symlink_to(outside / "secret.mp4")
    (folder / "below").symlink_to(outside)
    library = Library([folder], tmp_path / "uploads")
    (road,) = library.videos()
    assert road.name == "road.mp4"
    # The file is replaced by a link after it was listed.
    road.path.unlink()
    road.path.symlink_to(outside / "secret.mp4")
    with pytest.raises(NotServedError, match=r"road\.mp4 is not in a served folder any more"):
        library.video(road.id)


# --- uploads


def upload(client: TestClient, content: Any, name: str = "mine.mp4") -> Any:
    return client.post(f"{API}/videos", params={"name": name}, content=content)


@pytest.mark.parametrize(
    "name",
    [
        "../../x.mp4",
        "/etc/x.mp4",
        "..\\x.mp4",
        "<script>x</script>.mp4",
        "",
        "a\x1b[2J.mp4",
        "x" * 900,
    ],
)
def test_an_upload_has_a_name_of_our_own_on_the_disk(
    client: TestClient, rooms: Rooms, folder: Path, name: str
) -> None:
    told = upload(client, (folder / "road.mp4").read_bytes(), name)
    assert told.status_code == 201
    (file,) = (path for path in rooms.uploads.folder.iterdir() if path.suffix == ".mp4")
    assert file.stem.isalnum()
    assert len(file.stem) == 24
    shown = told.json()["name"]
    assert "\x1b" not in shown
    assert len(shown) <= 120
    assert client.get(f"{API}/videos/{told.json()['id']}/file").content == file.read_bytes()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 415),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n", 415),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", 415),
        (b"<svg onload=alert(1)>", 415),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(500), 415),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(MOST_BYTES), 413),
    ],
)
def test_what_is_no_video_or_too_large_is_refused_and_not_kept(
    client: TestClient, rooms: Rooms, content: bytes, status: int
) -> None:
    told = upload(client, content)
    assert told.status_code == status
    assert str(rooms.uploads.folder) not in told.json()["detail"]
    assert list(rooms.uploads.folder.glob("*")) == []


def test_an_upload_that_does_not_tell_its_size_is_held_to_it_all_the_same(
    client: TestClient, rooms: Rooms
) -> None:
    blocks = (b"\x00\x00\x00\x18ftypmp42" + bytes(BLOCK_BYTES) for _ in range(3))
    assert upload(client, blocks).status_code == 413
    assert list(rooms.uploads.folder.glob("*")) == []


@pytest.mark.parametrize("tells_size", [True, False])
def test_a_question_of_megabytes_is_not_read(client: TestClient, tells_size: bool) -> None:
    body = b'{"video": "' + b"a" * MOST_BODY_BYTES + b'"}'
    sent = body if tells_size else iter([body[:900_000], body[900_000:]])
    told = client.post(f"{API}/jobs", content=sent, headers={"content-type": "application/json"})
    assert told.status_code == 413
    assert list(told.json()) == ["detail"]


def test_an_upload_may_be_larger_than_a_question(grounder: Grounder, folder: Path) -> None:
    rooms = Rooms(grounder, [folder], most_bytes=4 * MOST_BODY_BYTES)
    video = (folder / "road.mp4").read_bytes()
    # What follows the last box of a film is not looked at.
    body = (
        video + (2 * MOST_BODY_BYTES).to_bytes(4, "big") + b"free" + bytes(2 * MOST_BODY_BYTES - 8)
    )
    with client_of(rooms) as opened:
        assert opened.post(f"{API}/videos?name=long.mp4", content=body).status_code == 201


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"video":', "the body is not JSON: "),
        (b"null", "the body has to be a JSON object"),
        (b"{}", "video: Field required"),
    ],
)
def test_what_a_body_lacks_is_said(client: TestClient, body: bytes, why: str) -> None:
    told = client.post(f"{API}/jobs", content=body, headers={"content-type": "application/json"})
    assert told.status_code == 422
    assert told.json()["detail"].startswith(why)


def test_a_full_disk_is_said_to_be_full(
    client: TestClient, rooms: Rooms, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agent.web.uploads._write_all", fail)
    told = upload(client, (folder / "road.mp4").read_bytes())
    assert told.status_code == 507
    assert "the disk is full" in told.json()["detail"]
    assert list(rooms.uploads.folder.glob("*")) == []


def test_the_token_is_a_secret_of_the_settings() -> None:
    assert TOKEN not in repr(Settings(token=SecretStr(TOKEN)))
