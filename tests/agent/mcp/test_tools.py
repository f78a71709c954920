"""What the tools return to the SDK's own client, in memory and in both eras of the protocol."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from agent.api import Grounder, Grounding
from agent.mcp.desk import Desk
from agent.mcp.picture_tools import MOST_PICTURE_BYTES
from agent.mcp.speaking import make_server
from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner
from tests.web_sites import movie, site_on_loopback

pytestmark = pytest.mark.slow

NAMES = {
    *("list_videos", "index_video", "index_status", "estimate_cost"),
    *("find_moment", "read_captions", "show_evidence", "cut_clip"),
}


def talk(desk: Desk, say: Callable[[Any], Awaitable[Any]], *, mode: str = "auto") -> Any:
    async def connect() -> Any:
        async with Client(make_server(desk), mode=mode) as client:
            return await say(client)

    return asyncio.run(connect())


def call(desk: Desk, tool: str, **arguments: Any) -> Any:
    return talk(desk, lambda client: client.call_tool(tool, arguments))


def described(desk: Desk) -> Desk:
    handle = call(desk, "index_video", video="road.mp4").structured_content["handle"]
    status: dict[str, Any] = {"state": "waiting"}
    while status["state"] in {"waiting", "running"}:
        status = call(desk, "index_status", handle=handle, wait_s=20).structured_content
    assert status["state"] == "done"
    return desk


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_result_has_the_form_that_the_tool_published(desk: Desk, mode: str) -> None:
    asked = {
        "list_videos": {},
        "index_video": {"video": "road.mp4"},
        "estimate_cost": {"video": "road.mp4"},
        "find_moment": {"video": "road.mp4", "query": "brightness 40"},
        "read_captions": {"video": "road.mp4", "start_s": 1, "end_s": 3},
        "show_evidence": {"video": "road.mp4", "start_s": 1, "end_s": 3},
        "cut_clip": {"video": "road.mp4", "start_s": 1, "end_s": 3},
    }
    described(desk)

    async def say(client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() == NAMES
        assert all(len(tool.description) > 60 for tool in tools.values())
        handle = ""
        for name, arguments in asked.items():
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result.content
            jsonschema.validate(result.structured_content, tools[name].output_schema)
            handle = result.structured_content.get("handle", handle)
        status = await client.call_tool("index_status", {"handle": handle})
        jsonschema.validate(status.structured_content, tools["index_status"].output_schema)

    talk(desk, say, mode=mode)


def test_the_answer_is_the_published_one_under_its_published_schema(
    desk: Desk, folder: Path
) -> None:
    described(desk)

    async def say(client: Any) -> Any:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        query = {"video": "road.mp4", "query": "brightness 40"}
        return tools["find_moment"].output_schema, await client.call_tool("find_moment", query)

    schema, result = talk(desk, say)
    assert schema == Grounding.model_json_schema(by_alias=True)
    answer = Grounding.model_validate(result.structured_content)
    own = desk.grounder.find(folder / "road.mp4", "brightness 40")
    assert answer.intervals == own.intervals
    assert result.content[0].text.startswith("found: ")


def test_no_text_of_a_tool_can_steer_the_terminal_of_a_client(desk: Desk, folder: Path) -> None:
    steers = "\u202e\x9b31m\x1b[2J"
    (folder / f"a{steers}.mp4").write_bytes((folder / "road.mp4").read_bytes())
    described(desk)
    for tool, arguments in (
        ("list_videos", {}),
        ("find_moment", {"video": "road.mp4", "query": f"brightness 40 {steers}"}),
        ("find_moment", {"video": f"b{steers}.mp4", "query": "brightness 40"}),
        ("find_moment", {"video": f"a{steers}.mp4", "query": "brightness 40"}),
        ("index_status", {"handle": steers}),
        ("index_video", {"video": steers}),
    ):
        said = "".join(one.text for one in call(desk, tool, **arguments).content)
        assert set("\u202e\x9b\x1b").isdisjoint(said), (tool, said)


def test_the_steps_of_a_search_are_told_as_progress(desk: Desk) -> None:
    described(desk)
    told: list[tuple[float, str]] = []

    async def note(progress: float, _: float | None, message: str | None) -> None:
        told.append((progress, message or ""))

    arguments = {"video": "road.mp4", "query": "a dog"}
    talk(desk, lambda one: one.call_tool("find_moment", arguments, progress_callback=note))
    assert [message for _, message in told][:3] == ["watch", "retrieve", "reason"]
    assert [progress for progress, _ in told] == sorted({progress for progress, _ in told})


def test_a_client_that_gives_up_ends_the_search(folder: Path) -> None:
    reached: list[str] = []

    async def say(client: Any) -> None:
        gave_up = asyncio.Event()

        async def note(_: float, __: float | None, message: str | None) -> None:
            reached.append(message or "")
            gave_up.set()

        arguments = {"video": "road.mp4", "query": "a dog"}
        asking = asyncio.ensure_future(
            client.call_tool("find_moment", arguments, progress_callback=note)
        )
        await gave_up.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        # The server answers on.
        assert not (await client.call_tool("list_videos", {})).is_error

    with Grounder(captioner=BrightnessCaptioner()) as grounder:
        desk = Desk(grounder, [folder])
        desk.open()
        talk(described(desk), say)
        desk.close()
    assert reached[0] == "watch"


def test_a_video_that_is_not_described_is_not_described_by_a_question(desk: Desk) -> None:
    result = call(desk, "find_moment", video="road.mp4", query="a dog")
    assert result.is_error
    assert "road.mp4 is not described yet; call index_video first" in result.content[0].text
    assert desk.grounder.records() == []


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../outside/secret.mp4",
        "link.mp4",
        "below/secret.mp4",
        "",
        "\x00",
        "é" * 3000,
    ],
)
def test_nothing_outside_the_folders_can_be_named(desk: Desk, folder: Path, name: str) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    draw_video(outside / "secret.mp4", even_times(8, 8.0))
    (folder / "link.mp4").symlink_to(outside / "secret.mp4")
    (folder / "below").symlink_to(outside)
    for tool in NAMES - {"list_videos", "index_status"}:
        arguments = {"video": name, "query": "a dog", "start_s": 0, "end_s": 1}
        result = call(desk, tool, **arguments)
        assert result.is_error, tool
        assert "\x00" not in result.content[0].text
    listed = call(desk, "list_videos").structured_content["videos"]
    assert [one["name"] for one in listed] == ["road.mp4"]


def test_a_video_is_named_by_id_path_or_a_name_that_only_one_has(desk: Desk, folder: Path) -> None:
    (folder / "more").mkdir()
    draw_video(folder / "more" / "road.mp4", even_times(8, 8.0))
    first, second = desk.library.videos()
    both = {first.path: first, second.path: second}
    assert desk.library.named("more/road.mp4") == both[folder / "more" / "road.mp4"]
    assert desk.library.named(str(folder / "road.mp4")) == both[folder / "road.mp4"]
    assert desk.library.named(first.id) == first
    # In a served folder, its name is its path.
    assert desk.library.named("road.mp4") == both[folder / "road.mp4"]
    (folder / "road.mp4").rename(folder / "street.mp4")
    (folder / "again").mkdir()
    (folder / "again" / "road.mp4").write_bytes(b"another")
    result = call(desk, "cut_clip", video="road.mp4", start_s=0, end_s=1)
    assert "2 videos are called road.mp4: name one by id" in result.content[0].text


def test_the_evidence_is_pictures_around_both_edges_that_fit_into_a_message(
    tmp_path: Path, desk: Desk, folder: Path
) -> None:
    noise = np.random.default_rng(1)
    draw_video(
        folder / "noise.mkv",
        even_times(14, 4.0),
        picture=lambda _: noise.integers(0, 255, (540, 960, 3), np.uint8),
    )
    result = call(desk, "show_evidence", video="noise.mkv", start_s=1, end_s=2)
    told = result.structured_content["pictures"]
    assert [(one["place"], one["time_s"]) for one in told] == [
        ("before", 0.0),
        ("start", 1.0),
        ("middle", pytest.approx(1.45, abs=0.1)),
        ("end", pytest.approx(1.9, abs=0.1)),
        ("after", 3.0),
    ]
    pictures = result.content[1:]
    assert len(pictures) == 5
    assert sum(len(one.data) for one in pictures) <= MOST_PICTURE_BYTES
    for one in pictures:
        assert one.mime_type == "image/jpeg"
        jpeg = np.frombuffer(base64.b64decode(one.data), np.uint8)
        assert cv2.imdecode(jpeg, cv2.IMREAD_COLOR) is not None


def test_an_interval_of_the_whole_video_has_nothing_before_or_after(desk: Desk) -> None:
    described(desk)
    result = call(desk, "show_evidence", video="road.mp4", start_s=0, end_s=6)
    told = result.structured_content["pictures"]
    assert [one["place"] for one in told] == ["start", "middle", "end"]
    assert told[0]["captions"] == ["brightness 0 by vision"]
    inside = call(desk, "show_evidence", video="road.mp4", start_s=1, end_s=3)
    assert all(one["captions"] for one in inside.structured_content["pictures"])
    for start_s, end_s in ((3, 3), (4, 2), (60, 61)):
        assert call(desk, "show_evidence", video="road.mp4", start_s=start_s, end_s=end_s).is_error


def test_a_clip_is_a_link_that_this_server_reads(desk: Desk) -> None:
    async def say(client: Any) -> Any:
        cut = await client.call_tool("cut_clip", {"video": "road.mp4", "start_s": 1, "end_s": 2.5})
        link = cut.content[1]
        read = await client.read_resource(link.uri)
        for wrong in ("1-nan", "2-1", "0-9999"):
            with pytest.raises(MCPError):
                await client.read_resource(link.uri.replace("1.000-2.500", wrong))
        return cut, link, read.contents[0]

    cut, link, read = talk(desk, say)
    content = base64.b64decode(read.blob)
    assert (link.type, link.mime_type, read.mime_type) == (
        "resource_link",
        "video/mp4",
        "video/mp4",
    )
    assert content == Path(cut.structured_content["file"]).read_bytes()
    assert link.size == len(content)


def test_many_captions_come_in_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.mcp.asking_tools.PAGE_CHARACTERS", 110)
    described(desk)
    read: list[str] = []
    at: float | None = 0.0
    while at is not None:
        page = call(desk, "read_captions", video="road.mp4", start_s=at, end_s=6)
        read += [one["text"] for one in page.structured_content["captions"]]
        at = page.structured_content["next_s"]
    assert len(read) == len(set(read)) == 6


def test_who_asks_for_an_unknown_handle_is_told_what_to_do(desk: Desk) -> None:
    result = call(desk, "index_status", handle="gone")
    assert result.is_error
    assert "call index_video" in result.content[0].text


def test_a_link_is_offered_with_its_size_and_fetched_only_when_that_is_agreed_to(
    desk: Desk, tmp_path: Path
) -> None:
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed")
    there = draw_video(tmp_path / "there.mp4", even_times(24, 8.0)).read_bytes()

    def status(handle: str, wait_s: float = 20) -> Any:
        return call(desk, "index_status", handle=handle, wait_s=wait_s).structured_content

    with site_on_loopback() as (address, pages):
        pages.pages["/talk.mp4"] = movie(there)
        link = f"{address}/talk.mp4"
        refused = call(desk, "index_video", video=link, fetch=True).structured_content
        assert "leads into this machine" in status(refused["handle"])["message"]
        assert pages.asked == []
        desk.links._takes_inside = True
        # Agreed to before anything was offered: nobody knew how much.
        begun = call(desk, "index_video", video=link, fetch=True).structured_content
        offered = status(begun["handle"])
        assert offered["state"] == "offered"
        assert f"{len(there) / 1e6:.1f} MB: to fetch it, ask the user" in offered["message"]
        assert not list(desk.grounder.settings.cache_folder.glob("links/*/*.mp4"))
        assert (
            call(desk, "index_video", video=link, fetch=True).structured_content["handle"]
            == (begun["handle"])
        )
        now = status(begun["handle"])
        while now["state"] in {"fetching", "waiting", "running"}:
            now = status(begun["handle"])
        assert (now["state"], now["handle"], now["name"]) == ("done", begun["handle"], link)
    found = call(desk, "find_moment", video=link, query="brightness 40")
    assert not found.is_error
    listed = call(desk, "list_videos").structured_content["videos"]
    assert [one["name"] for one in listed] == [link, "road.mp4"]
