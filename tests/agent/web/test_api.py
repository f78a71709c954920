"""The HTTP API: from a video in a folder to answers, pictures, clips and corrections."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from agent.api import Grounder, Grounding
from agent.cli.main import main
from agent.web.rooms import Rooms
from evaluation.datasets import own
from evaluation.runs.videos import VideoFolder
from tests.agent.web.serving import API, MOST_BYTES, client_of, describe, events_of, video_id
from tests.drawing import draw_video, even_times, gray
from tests.fakes import BrightnessCaptioner
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


def ask(client: TestClient, video: str, query: str = "brightness 40", **more: Any) -> Any:
    return client.post(f"{API}/videos/{video}/ask", json={"query": query, **more})


def test_a_described_video_answers_as_the_grounder_does(
    client: TestClient, grounder: Grounder, folder: Path
) -> None:
    video = video_id(client)
    assert describe(client, video)["state"] == "done"
    answered = ask(client, video).json()
    told = Grounding.model_validate(answered["answer"])
    assert told.intervals == grounder.find(folder / "road.mp4", "brightness 40").intervals
    assert client.get(f"{API}/answers/{answered['id']}").json() == answered
    assert client.get(f"{API}/videos/{video}/answers").json() == [answered]


def test_no_reply_can_steer_the_terminal_that_it_is_read_in(
    client: TestClient, folder: Path
) -> None:
    name = "a\u202e\x9b31m\x1b[2J.mp4"
    (folder / name).write_bytes((folder / "road.mp4").read_bytes())
    replies = [
        client.get(f"{API}/videos"),
        client.get(f"{API}/videos/\x9b31m\u202e"),
        client.post(f"{API}/videos/x/ask", json={"query": 1, "\x9b\u202e": 2}),
    ]
    assert {one["name"] for one in replies[0].json()} == {"road.mp4", name}
    for reply in replies:
        assert set("\u202e\x9b\x1b").isdisjoint(reply.content.decode())


def test_what_the_page_keeps_is_private_and_is_forgotten_with_threads(
    client: TestClient, grounder: Grounder, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = video_id(client)
    describe(client, video)
    ask(client, video)
    assert client.get(f"{API}/videos/{video}/thumbnail?t=1").status_code == 200
    client.post(f"{API}/videos", content=(folder / "road.mp4").read_bytes())
    home = grounder.settings.home
    kept = [grounder.settings.page_folder, grounder.settings.pictures_folder]
    files = [one for place in kept for one in (place, *place.rglob("*"))]
    assert len([one for one in files if one.is_file()]) >= 3
    assert [oct(one.stat().st_mode) for one in files if one.stat().st_mode & 0o077] == []
    assert main(["forget", str(folder / "road.mp4")]) == 0
    assert "answers on the page still hold captions of it: 1" in capsys.readouterr().err
    assert main(["forget", str(folder / "road.mp4"), "--threads"]) == 0
    holding = [
        one for one in home.rglob("*") if one.is_file() and b"brightness 4" in one.read_bytes()
    ]
    assert holding == []


def test_an_answer_about_what_is_forgotten_meanwhile_is_told_and_not_kept(
    client: TestClient, rooms: Rooms, grounder: Grounder, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = video_id(client)
    describe(client, video)
    find = grounder.find

    def find_and_forget(*asked: Any, **options: Any) -> Any:
        answer = find(*asked, **options)
        grounder.forget(answer.video.id)
        return answer

    monkeypatch.setattr(grounder, "find", find_and_forget)
    answer = client.post(f"/api/v1/videos/{video}/ask", json={"query": "brightness 0"}).json()
    assert answer["answer"]["verdict"] == "found"
    assert answer["id"] == ""
    assert rooms.asker.answers(video, limit=9) == []


def test_the_stream_tells_each_step_and_ends_with_the_answer(client: TestClient) -> None:
    video = video_id(client)
    describe(client, video)
    told = events_of(client, "POST", f"{API}/videos/{video}/ask/events", json={"query": "a dog"})
    steps = [values["node"] for name, values in told if name == "step"]
    assert steps[:3] == ["watch", "retrieve", "reason"]
    assert told[-1][0] == "answer"
    assert told[-1][1]["answer"]["query"] == "a dog"


def test_a_video_that_is_not_described_is_not_described_by_a_question(
    client: TestClient, captioner: BrightnessCaptioner
) -> None:
    video = video_id(client)
    refused = ask(client, video)
    assert refused.status_code == 409
    assert refused.json()["detail"] == "road.mp4 is not described yet; describe it first"
    assert captioner.described_s == []
    # The stream, which the page uses, says the same.
    told = events_of(client, "POST", f"{API}/videos/{video}/ask/events", json={"query": "a"})
    assert told == [("fault", refused.json() | {"status": 409})]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"query": ""}, "query"),
        ({"query": "  "}, "the query is empty"),
        ({"query": "a", "within": [3, 1]}, "3"),
        ({"query": "a", "nonsense": 1}, "nonsense"),
        ({"query": "\ud800"}, "unicode"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_in_a_sentence(
    client: TestClient, body: dict[str, Any], why: str
) -> None:
    video = video_id(client)
    describe(client, video)
    told = client.post(
        f"{API}/videos/{video}/ask",
        content=json.dumps(body),
        headers={"content-type": "application/json"},
    )
    assert told.status_code == 422
    assert why in told.json()["detail"]


@pytest.mark.parametrize(
    "body", [b'{"query": NaN}', b'{"query": "a", "within": [NaN, 1]}', b"{", b"\xff"]
)
def test_a_body_that_is_no_question_is_no_fault_of_the_server(
    client: TestClient, body: bytes
) -> None:
    path = f"{API}/videos/{video_id(client)}/ask"
    told = client.post(path, content=body, headers={"content-type": "application/json"})
    assert told.status_code in {400, 422}
    assert isinstance(told.json()["detail"], str)


def test_one_video_being_described_does_not_keep_another_from_being_asked(
    folder: Path,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        if holding:
            begun.set()
            go_on.wait(PATIENCE_S)

    holding = False
    with (
        Grounder(captioner=BrightnessCaptioner(before_saying=hold)) as grounder,
        client_of(Rooms(grounder, [folder])) as client,
    ):
        describe(client, video_id(client))
        draw_video(folder / "river.mp4", even_times(24, 8.0), picture=lambda n: gray(50 - n))
        holding = True
        river = video_id(client, "river.mp4")
        job = client.post(f"{API}/jobs", json={"video": river}).json()
        try:
            assert begun.wait(PATIENCE_S)
            assert ask(client, video_id(client)).status_code == 200
            assert "being described" in ask(client, river).json()["detail"]
            # A second tab gets the same job.
            assert client.post(f"{API}/jobs", json={"video": river}).json()["id"] == job["id"]
        finally:
            go_on.set()
        ended = events_of(client, "GET", f"{API}/jobs/{job['id']}/events")[-1][1]
    assert ended["state"] == "done"


def test_sixteen_questions_at_once_are_answered_as_one_by_one(client: TestClient) -> None:
    video = video_id(client)
    describe(client, video)
    queries = [f"brightness {5 * n}" for n in range(16)]

    def found(query: str) -> Any:
        return ask(client, video, query).json()["answer"]["intervals"]

    alone = [found(query) for query in queries]
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(found, queries)) == alone


def test_thumbnails_are_of_the_keyframe_before_a_time_or_exact(
    client: TestClient, folder: Path
) -> None:
    path = f"{API}/videos/{video_id(client)}/thumbnail"

    def brightness(**query: Any) -> float:
        told = client.get(path, params=query)
        assert told.headers["content-type"] == "image/jpeg"
        picture = cv2.imdecode(np.frombuffer(told.content, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        return float(picture.mean())

    assert brightness(t=3.0) == pytest.approx(0, abs=3)
    assert brightness(t=3.0, exact=True) == pytest.approx(24 * 5, abs=3)
    assert brightness(t=999, exact=True) == pytest.approx(47 * 5, abs=3)
    assert client.get(path, params={"t": "nan"}).status_code == 422


def test_a_clip_is_cut_exactly_and_sent_in_ranges(client: TestClient, tmp_path: Path) -> None:
    path = f"{API}/videos/{video_id(client)}/clip"
    whole = client.get(path, params={"start": 1, "end": 3})
    part = client.get(path, params={"start": 1, "end": 3}, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    (tmp_path / "clip.mp4").write_bytes(whole.content)
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        assert clip.duration is not None
        assert clip.duration / 1e6 == pytest.approx(2.0, abs=0.05)
    for start, end in ((3, 1), (1, 1), (0, 9999), (900, 901)):
        assert client.get(path, params={"start": start, "end": end}).status_code == 422


def test_a_video_that_is_gone_is_said_to_be_gone_and_is_still_answered(
    client: TestClient, folder: Path
) -> None:
    video = video_id(client)
    describe(client, video)
    (folder / "road.mp4").unlink()
    told = client.get(f"{API}/videos/{video}/file")
    assert told.status_code == 404
    assert "road.mp4 is gone" in told.json()["detail"]
    assert ask(client, video).status_code == 200


def test_eval_own_measures_on_the_corrections_of_the_page_by_their_name(
    client: TestClient, rooms: Rooms, folder: Path, tmp_path: Path, capsys: Any
) -> None:
    asked = ["--videos", str(folder), "--out", str(tmp_path / "run"), "--captioner", "classical"]
    assert main(["eval", "own", "--annotations", "corrections", *asked]) == 2
    assert "nothing was corrected on the page yet" in capsys.readouterr().err
    rooms.corrections.put("road.mp4", "brightness 120", 8.0, [(4.0, 6.0)])
    rooms.corrections.put("road.mp4", "brightness 40", 8.0, [])
    rooms.corrections.remove("road.mp4", "brightness 40")
    assert main(["eval", "own", "--annotations", "corrections", *asked]) == 0
    (row,) = (tmp_path / "run" / "results.jsonl").read_text().splitlines()
    assert json.loads(row)["query"] == "brightness 120"
    rooms.corrections.remove("road.mp4", "brightness 120")
    assert main(["eval", "own", "--annotations", "corrections", *asked]) == 2
    assert f"{rooms.corrections.file} holds no annotation" in capsys.readouterr().err


def test_corrections_are_what_eval_own_reads(client: TestClient, rooms: Rooms) -> None:
    video = video_id(client)

    def correct(query: str, *intervals: tuple[float, float]) -> Any:
        body = {"video": video, "query": query, "intervals": intervals}
        return client.put(f"{API}/corrections", json=body)

    correct("a dog")
    correct("a dog", (1, 2), (4.5, 5))
    correct("a cat", (3, 4))
    correct("a cat")
    assert correct("a cow", (5, 900)).status_code == 422
    assert correct("a cow", (5, 4)).status_code == 422
    exported = client.get(f"{API}/corrections/export").content
    assert exported == rooms.corrections.file.read_bytes()
    queries = own.read(rooms.corrections.file, {}).queries
    assert {one.text: one.windows.tolist() for one in queries} == {
        "a dog": [[1, 2], [4.5, 5]],
        "a cat": [],
    }
    body = {"video": "road.mp4", "query": "a dog"}
    assert [
        row["query"] for row in client.post(f"{API}/corrections/withdraw", json=body).json()["rows"]
    ] == ["a cat"]


@pytest.mark.parametrize(
    "written", [b'{"video": "road', b"[1, 2]\n", b'{"video": 1}\n', b"\xff\xfe\n", b"\0\n"]
)
def test_a_damaged_row_of_corrections_is_named_and_nothing_is_lost(
    client: TestClient, rooms: Rooms, written: bytes
) -> None:
    correction = {"video": video_id(client), "query": "a car", "intervals": [[1, 2]]}
    assert client.put(f"{API}/corrections", json=correction).status_code == 200
    good = rooms.corrections.file.read_bytes()
    rooms.corrections.file.write_bytes(good + written)
    withdrawal = {"video": "road.mp4", "query": "a car"}
    for told in (
        client.get(f"{API}/corrections"),
        client.get(f"{API}/corrections/export"),
        client.put(f"{API}/corrections", json=correction),
        client.post(f"{API}/corrections/withdraw", json=withdrawal),
    ):
        assert told.status_code == 422
        assert "line 2 of " in told.json()["detail"]
    assert rooms.corrections.file.read_bytes() == good + written


def test_the_api_is_described_and_every_fault_in_it_has_the_same_form(client: TestClient) -> None:
    described = client.get(f"{API}/openapi.json").json()
    assert {"/api/v1/videos", "/api/v1/jobs", "/api/v1/videos/{video_id}/ask"} <= set(
        described["paths"]
    )
    assert "Grounding" in described["components"]["schemas"]


def test_a_follow_up_goes_on_from_the_answer_that_it_is_said_to(client: TestClient) -> None:
    video = video_id(client)
    describe(client, video)
    first = ask(client, video, every_time=True).json()
    path = f"{API}/videos/{video}/follow-up/events"

    def say(said: str, after: str) -> list[tuple[str, dict[str, Any]]]:
        return events_of(client, "POST", path, json={"said": said, "after": after})

    told = say("what happens after that?", first["id"])
    assert told[0][0] == "understood"
    second = told[-1][1]
    assert second["turn"]["turn"] == 2
    assert second["turn"]["results"][0]["captions"]
    third = say("and after that?", second["id"])[-1][1]
    assert third["turn"]["turn"] == 3
    # What is no question is no fault either, and a clip is there to be fetched.
    ((name, note),) = say("thanks", third["id"])
    assert (name, "you are welcome" in note["detail"]) == ("note", True)
    (cut,) = say("cut that out", first["id"])[-1][1]["turn"]["results"]
    assert (cut["outcome"], "the link Clip below" in cut["words"]) == ("cut", True)
    assert client.get(cut["clip"]).headers["content-type"] == "video/mp4"
    fault = say("cut out 9:00 to 9:30", first["id"])[-1][1]
    assert fault["detail"] == "9:00.0 is past the end: road.mp4 is 0:06.0 long"
    fault = say("and her?", first["id"])[-1][1]
    assert "is not understood" in fault["detail"]
    assert "--reasoner" not in fault["detail"]
    # The same answer can be gone on from once more, and by another server.
    assert say("what happens after that?", first["id"])[-1][1]["turn"]["turn"] == 2
    ((name, fault),) = say("and after that?", "0123456789abcdef")
    assert (name, fault["status"]) == ("fault", 404)
    assert "ask the question once more" in fault["detail"]


def test_the_course_of_a_video_and_of_an_answer_are_drawn_from_what_is_stored(
    client: TestClient, folder: Path
) -> None:
    (folder / "road.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nHello there\n")
    video = video_id(client)
    empty = client.get(f"{API}/videos/{video}/timeline").json()
    assert empty == {"cuts_s": [], "said": []}
    describe(client, video)
    course = client.get(f"{API}/videos/{video}/timeline").json()
    assert course["said"] == [{"start_s": 1.0, "end_s": 3.0, "text": "Hello there"}]
    kept = ask(client, video, "brightness 120").json()
    points = client.get(f"{API}/answers/{kept['id']}/relevance").json()
    values = [one["value"] for one in points]
    assert (min(values), max(values)) == (0.0, 1.0)
    assert [one["start_s"] for one in points] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    ("form", "begins", "kind"),
    [
        ("edl", "TITLE:", "text/plain"),
        ("fcpxml", "<?xml", "application/xml"),
        ("csv", "video", "text/csv"),
        ("vtt", "WEBVTT", "text/vtt"),
        ("json", "{", "application/json"),
    ],
)
def test_an_answer_is_taken_away_in_each_form(
    client: TestClient, form: str, begins: str, kind: str
) -> None:
    video = video_id(client)
    describe(client, video)
    kept = ask(client, video, "brightness 120").json()
    path = f"{API}/answers/{kept['id']}/markers/{form}"
    told = client.get(path, params={"start_timecode": "01:00:00:00"})
    assert told.text.startswith(begins)
    assert told.headers["content-type"].startswith(kind)
    assert f'filename="answer-{kept["id"]}.{form}"' in told.headers["content-disposition"]
    if form == "edl":
        assert "01:00:0" in told.text
        assert client.get(path, params={"start_timecode": "noon"}).status_code == 422
    assert client.get(f"{API}/answers/{kept['id']}/markers/docx").status_code == 422


def test_videos_of_one_name_are_corrected_apart_and_found_by_eval(
    grounder: Grounder, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for place in (folder / "more", other):
        place.mkdir()
        draw_video(place / "road.mp4", even_times(8, 8.0), picture=gray)
    rooms = Rooms(grounder, [folder, other])
    with client_of(rooms) as client:
        videos = rooms.library.videos()
        assert [one.name for one in videos] == ["road.mp4"] * 3
        for video in videos:
            describe(client, video.id)
            body = {"video": video.id, "query": "a dog", "intervals": [[0, 0.5]]}
            assert len(client.put(f"{API}/corrections", json=body).json()["rows"]) == 1
        rows = client.get(f"{API}/corrections").json()["rows"]
    assert len(rows) == 3
    paths = {VideoFolder(folder).path(row["video"]).resolve() for row in rows}
    assert paths == {one.path for one in videos}


def fill_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_an_answer_that_a_full_disk_does_not_keep_is_told_all_the_same(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = video_id(client)
    describe(client, video)
    monkeypatch.setattr("agent.web.asking.write_whole", fill_disk)
    told = ask(client, video)
    assert told.status_code == 200
    assert told.json()["id"] == ""
    assert told.json()["answer"]["verdict"] == "found"
    # What is corrected is not: nothing of it would be left.
    monkeypatch.setattr("agent.web.corrections.write_whole", fill_disk)
    body = {"video": video, "query": "a dog", "intervals": []}
    refused = client.put(f"{API}/corrections", json=body)
    assert (refused.status_code, refused.json()["detail"][:16]) == (507, "the disk is full")


def test_an_odd_name_of_a_file_does_not_break_the_markers_of_it(
    client: TestClient, folder: Path
) -> None:
    times_s = [0.0, 0.1, 0.9, 1.0, 2.5, 2.6, 4.0]
    draw_video(folder / "odd\r\nx-evil: 1.mp4", times_s)
    video = next(one["id"] for one in client.get(f"{API}/videos").json() if "odd" in one["name"])
    describe(client, video)
    kept = ask(client, video, "brightness 40").json()
    told = client.get(f"{API}/answers/{kept['id']}/markers/csv")
    assert told.status_code == 200
    assert "x-evil" not in told.headers


def test_an_upload_lands_where_the_users_folder_is_a_link(
    grounder: Grounder, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "link").symlink_to(own)
    monkeypatch.setattr(type(grounder.settings), "page_folder", tmp_path / "link")
    with client_of(Rooms(grounder, [], most_bytes=MOST_BYTES)) as client:
        sent = client.post(
            f"{API}/videos", params={"name": "a.mp4"}, content=(folder / "road.mp4").read_bytes()
        )
        assert sent.status_code == 201
        assert [one["name"] for one in client.get(f"{API}/videos").json()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("bytes=abc", 400),
        ("bytes", 400),
        ("pages=1-2", 400),
        ("bytes=9-1", 400),
        ("bytes=99999999-", 416),
        ("bytes=99999999-999999990,0-1", 416),
    ],
)
def test_a_range_that_cannot_be_sent_is_refused_as_all_else_is(
    client: TestClient, wanted: str, status: int
) -> None:
    path = f"{API}/videos/{video_id(client)}/file"
    told = client.get(path, headers={"range": wanted})
    assert told.status_code == status
    assert list(told.json()) == ["detail"]
    assert ("content-range" in told.headers) == (status == 416)


@pytest.mark.parametrize("what", ["file", "thumbnail?t=1", "clip?start=1&end=2"])
def test_who_has_a_file_is_told_that_it_is_the_same_and_goes_on_where_sending_broke_off(
    client: TestClient, what: str
) -> None:
    path = f"{API}/videos/{video_id(client)}/{what}"
    whole = client.get(path)
    headers = {name: whole.headers[name] for name in ("etag", "last-modified")}
    for asked in ("if-none-match", "if-modified-since"):
        known = headers["etag" if asked == "if-none-match" else "last-modified"]
        again = client.get(path, headers={asked: known})
        assert (again.status_code, again.content, again.headers["etag"]) == (
            304, b"", headers["etag"],
        )  # fmt: skip
        assert client.get(path, headers={asked: "another"}).content == whole.content
    rest = client.get(path, headers={"range": "bytes=9-", "if-range": headers["etag"]})
    assert (rest.status_code, rest.content) == (206, whole.content[9:])


def test_head_tells_what_get_would_send_and_sends_nothing(client: TestClient) -> None:
    video = f"{API}/videos/{video_id(client)}"
    for path in (f"{API}/videos", video, f"{video}/file", f"{video}/thumbnail", f"{API}/jobs"):
        head, got = client.head(path), client.get(path)
        assert (head.status_code, head.headers["content-length"]) == (
            200, got.headers["content-length"],
        )  # fmt: skip
    assert client.head(f"{API}/videos/none").status_code == 404


@pytest.mark.parametrize("kind", [RuntimeError, PermissionError])
def test_what_breaks_without_a_plan_is_told_without_its_insides(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def burst() -> None:
        raise kind("the secret of /home/me")

    monkeypatch.setattr(rooms, "cards", burst)
    client = client_of(rooms)
    with pytest.raises(kind):  # The server shows it in its terminal.
        client.get(f"{API}/videos")
    client = type(client)(client.app, base_url=str(client.base_url), raise_server_exceptions=False)
    told = client.get(f"{API}/videos")
    assert told.status_code == 500
    assert told.json()["detail"].startswith(f"a fault in whenabouts ({kind.__name__})")
