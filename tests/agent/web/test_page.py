"""The page in a real Chromium: from an upload to a seeking player, with nothing but loopback."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.api import Grounder
from agent.web.rooms import Rooms
from tests.agent.loopback import on_loopback
from tests.agent.web.serving import API, app_of
from tests.drawing import draw_video, even_times, halves
from tests.fakes import BrightnessCaptioner
from tests.patience import PATIENCE_S
from tests.web_sites import movie, site_on_loopback

pytestmark = [
    pytest.mark.slow,
    # Playwright leaves its event loop and pipes to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATIENCE_MS = PATIENCE_S * 1000
SCRIPT = "<img src=x onerror=\"document.title='broken'\">"
PHONE = {"width": 390, "height": 844}


class ScriptingCaptioner(BrightnessCaptioner):
    """Its captions hold markup that would run if the page read it as HTML."""

    def describe(self, frames: Any, *, seen: Any) -> Iterator[Any]:
        for one in super().describe(frames, seen=seen):
            yield replace(one, text=f"{one.text} {SCRIPT}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on the PATH; apt-get install chromium runs the page's tests")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            # A container's root has no sandbox; any name but the loopback leads nowhere.
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield opened
        opened.close()


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with (
        Grounder(captioner=ScriptingCaptioner()) as grounder,
        on_loopback(app_of(Rooms(grounder, [folder]))) as base,
    ):
        yield base


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if is_fault(said) else None)
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(address)
    opened.wait_for_selector("body[data-ready]")
    yield opened
    context.close()
    assert faults == []
    assert [url for url in asked if not url.startswith((address, "blob:"))] == []


def is_fault(said: Any) -> bool:
    """An error of the page; that a request was refused or lost is noted by the browser itself."""
    noted = ("the server responded with a status of 4", "net::ERR_FAILED")
    return said.type == "error" and not any(one in said.text for one in noted)


def ask(page: Any, query: str) -> None:
    page.fill("#query", query)
    page.press("#query", "Enter")
    page.wait_for_selector(".badge")


def upload(page: Any, folder: Path, name: str) -> None:
    draw_video(folder.parent / "mine.mp4", even_times(48, 8.0))
    content = (folder.parent / "mine.mp4").read_bytes()
    page.set_input_files("#file", {"name": name, "mimeType": "video/mp4", "buffer": content})
    page.wait_for_selector("#index :text('Described')")


def test_from_an_upload_to_a_seeking_player_and_a_correction(
    page: Any, folder: Path, address: str
) -> None:
    upload(page, folder, "mine.mp4")
    ask(page, "brightness 120")
    assert page.inner_text(".badge") == "found"
    start_s = page.evaluate("Number(document.querySelector('[data-edge=start_s]').ariaValueNow)")
    page.wait_for_function(
        f"() => Math.abs(document.querySelector('#player').currentTime - {start_s}) < 0.05"
    )
    assert page.locator(".evidence img").count() >= 2
    # The edge is moved by key, and noted.
    page.focus("[data-edge=end_s]")
    page.keyboard.press("ArrowLeft")
    page.click("#save")
    page.wait_for_selector("#noted")
    (row,) = page.request.get(f"{address}{API}/corrections").json()["rows"]
    assert row["query"] == "brightness 120"
    assert row["start"] == start_s
    # The link leads to the same answer.
    page.goto(page.url)
    page.wait_for_selector(".badge")
    assert page.input_value("#query") == "brightness 120"


def test_on_a_wide_screen_the_lists_scroll_and_the_page_does_not(page: Any, folder: Path) -> None:
    for number in range(20):
        shutil.copy(folder / "road.mp4", folder / f"road {number} {'x' * 180}.mp4")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.click("#videos button >> nth=0")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_pictures_of_an_answer_lie_where_there_is_room_for_them(page: Any) -> None:
    described(page)
    ask(page, "brightness 120")
    shown = page.locator(".evidence button").count()
    assert shown >= 2
    for width_px in (1280, 1600, 1920):
        page.set_viewport_size({"width": width_px, "height": 900})
        page.wait_for_selector("#shown .evidence")
        boxes = [one.bounding_box() for one in page.locator("#shown .evidence button").all()]
        assert len({box["y"] for box in boxes}) == 1, "all of them in one row"
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        talk = page.evaluate(
            "(() => { const one = document.querySelector('#follow').getBoundingClientRect();"
            " return one.bottom })()"
        )
        assert talk <= 900, "the follow-up can be written without scrolling"
    page.set_viewport_size(PHONE)
    page.wait_for_selector("#answer .evidence")
    assert page.locator(".evidence button").count() == shown


def test_a_retry_of_the_text_model_is_shown_while_it_lasts(page: Any, address: str) -> None:
    retry = {"message": "no answer from http://x", "attempt": 2, "attempts": 3, "wait_s": 1.0}
    told = "".join(
        f"event: {name}\ndata: {json.dumps(values)}\n\n"
        for name, values in (
            ("step", {"node": "reason"}),
            ("retry", retry),
            ("retry", retry | {"attempt": 3}),
            ("fault", {"detail": "it is gone", "status": 502}),
        )
    )
    page.route(f"{address}{API}/videos/*/ask/events", lambda route: route.fulfill(body=told))
    page.click("#videos button")
    page.fill("#query", "a car")
    page.press("#query", "Enter")
    page.wait_for_selector("#fault:not([hidden])")
    assert page.locator("#steps li").all_inner_texts() == [
        "reason",
        "no answer from http://x; trying again (3 of 3)",
    ]


def test_a_correction_that_cannot_be_taken_back_says_why(page: Any, address: str) -> None:
    video = page.request.get(f"{address}{API}/videos").json()[0]["id"]
    row = {"video": video, "query": "a car", "intervals": []}
    page.request.put(f"{address}{API}/corrections", data=row)
    page.click("#show-corrections")
    page.route(f"{address}{API}/corrections/withdraw", lambda route: route.abort())
    page.click("#rows button")
    page.wait_for_selector("#rows .fault:text('does not answer')")


def test_markup_in_names_captions_and_questions_is_shown_as_text(page: Any, folder: Path) -> None:
    upload(page, folder, f"{SCRIPT}.mp4")
    ask(page, f"brightness 120 {SCRIPT}")
    page.wait_for_selector(".evidence button")
    assert SCRIPT in page.inner_text("#answer h3")
    assert SCRIPT in page.inner_text(".evidence button >> nth=0")
    assert SCRIPT in page.inner_text("#videos")
    assert page.locator("img[onerror]").count() == 0
    assert page.title() != "broken"


def test_keys_seek_pick_and_explain_themselves(page: Any) -> None:
    page.click("#videos button")
    page.click("#describe")
    page.wait_for_selector("#index :text('Described')")
    ask(page, "brightness 120")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.querySelector('#player').readyState >= 1")
    page.evaluate("document.querySelector('#player').currentTime = 2")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => Math.abs(document.querySelector('#player').currentTime - 3) < 0.01"
    )
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(
        "() => Math.abs(document.querySelector('#player').currentTime - 3.125) < 0.01"
    )
    page.keyboard.press("n")
    page.keyboard.press("]")
    page.keyboard.press("?")
    assert page.locator("#help[open]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_every_control_has_a_name(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE)
    page.click("#videos button")
    page.wait_for_selector("#talk:not([hidden])")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button, a, input')].filter(one =>
            !(one.innerText || one.textContent || one.ariaLabel || one.labels?.length)).length"""
    )
    assert unnamed == 0


def test_a_file_that_is_no_video_is_refused_in_words(page: Any) -> None:
    page.set_input_files(
        "#file", {"name": "notes.mp4", "mimeType": "video/mp4", "buffer": b"only some notes"}
    )
    page.wait_for_selector("#upload [role=alert]")
    assert "does not begin as a video file does" in page.inner_text("#upload")


def described(page: Any) -> None:
    page.click("#videos button")
    page.click("#describe")
    page.wait_for_selector("#index :text('Described')")


def test_that_a_video_is_not_described_is_no_longer_said_when_it_is(page: Any) -> None:
    page.click("#videos button")
    page.wait_for_selector("#describe")
    page.fill("#query", "brightness 120")
    page.press("#query", "Enter")
    page.wait_for_selector("#fault:not([hidden])")
    assert "not described yet" in page.inner_text("#fault")
    page.click("#describe")
    page.wait_for_selector("#index :text('Described')")
    page.wait_for_selector("#fault", state="hidden")


def test_of_a_file_that_cannot_be_read_nothing_is_said_to_work(page: Any, folder: Path) -> None:
    (folder / "notes.mp4").write_bytes(b"only some notes")
    page.reload()
    page.click("#videos button:has-text('notes.mp4')")
    page.wait_for_selector("#index :text('cannot be read as a video')")
    page.wait_for_function("() => document.querySelector('#player').error")
    assert page.is_hidden("#fault")


def test_a_follow_up_goes_on_from_the_answer(page: Any) -> None:
    described(page)
    assert not page.is_visible("#follow")
    ask(page, "brightness 80")
    page.fill("#said", "what happens after that?")
    page.press("#said", "Enter")
    page.wait_for_selector("#answer :text('Understood as')")
    assert page.inner_text("#answer h3") == "“what happens after that?”"
    assert "understood: " in page.inner_text("#steps")
    page.fill("#said", "and after that?")
    page.press("#said", "Enter")
    page.wait_for_selector("#answer h3 >> text=and after that")


def test_what_is_said_to_an_answer_and_is_no_question_is_neither_a_fault_nor_that_answer(
    page: Any,
) -> None:
    described(page)
    ask(page, "brightness 80")

    def say(said: str) -> None:
        page.fill("#said", said)
        page.press("#said", "Enter")

    say("thanks")
    page.wait_for_selector("#note:has-text('you are welcome')")
    assert not page.is_visible("#fault")
    assert page.is_visible("#older")
    say("and her?")
    page.wait_for_selector("#fault:has-text('is not understood')")
    assert "--reasoner" not in page.inner_text("#fault")
    assert page.is_visible("#older")
    assert not page.is_visible("#note")
    say("cut that out")
    page.wait_for_selector("#answer :text('the link Clip below')")
    assert not page.is_visible("#fault")
    assert not page.is_visible("#older")
    box = page.locator("#answer .badge").bounding_box()
    assert box["height"] < 40, "nothing of the timeline's looks"
    with page.expect_download() as loading:
        page.click("#answer .tools a.main")
    assert Path(loading.value.path()).stat().st_size > 0


def test_play_it_plays_the_answer(page: Any) -> None:
    described(page)
    ask(page, "brightness 80")
    page.evaluate("document.querySelector('#player').currentTime = 0")
    page.fill("#said", "play it")
    page.press("#said", "Enter")
    page.wait_for_function(
        "() => document.querySelector('#player').played.length > 0"
        " && document.querySelector('#player').currentTime > 0.5"
    )


def test_the_timeline_shows_cuts_what_is_said_how_well_it_fits_and_what_nobody_saw(
    page: Any, folder: Path
) -> None:
    (folder / "road.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nHello <b>there</b>\n")
    described(page)
    ask(page, "brightness 120")
    page.wait_for_selector("#timeline .said")
    page.wait_for_selector("#timeline .curve path")
    assert page.get_attribute("#timeline .said", "title") == "Hello there"
    box = page.locator("#timeline").bounding_box()
    page.hover("#timeline", position={"x": box["width"] / 3, "y": 8})
    page.wait_for_selector("#timeline .preview :text('“Hello there”')")


def test_markers_are_downloaded_in_every_form(page: Any) -> None:
    described(page)
    ask(page, "brightness 120")
    page.click(".markers summary")
    for name, begins in (("EDL", "TITLE:"), ("WebVTT", "WEBVTT"), ("FCPXML", "<?xml")):
        with page.expect_download() as loading:
            page.click(f".markers a:text-is('{name}')")
        assert Path(loading.value.path()).read_text().startswith(begins)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(page: Any, scheme: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is missing"
    ).Axe()
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    def serious() -> list[str]:
        response = axe.run(page).response
        assert len(response["passes"]) > 10
        told = response["violations"]
        return [
            f"{one['id']}: {node['html']}"
            for one in told
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    assert serious() == []
    described(page)
    ask(page, "brightness 120")
    page.click(".card summary >> nth=-1")
    assert serious() == []
    page.keyboard.press("Escape")
    page.click("#show-help")
    assert serious() == []
    page.keyboard.press("Escape")
    page.click("#show-corrections")
    assert serious() == []


def test_a_video_that_is_deleted_while_it_plays_is_said_to_be_gone(page: Any, folder: Path) -> None:
    described(page)
    ask(page, "brightness 120")
    (folder / "road.mp4").unlink()
    # The browser asks for more of it than it has.
    page.evaluate("document.querySelector('#player').src += '?more'")
    page.wait_for_selector("#fault:not([hidden])")
    assert "or it is gone" in page.inner_text("#fault")
    # The answer is still there, and another question is still answered.
    ask(page, "brightness 40")


def test_a_server_that_dies_in_mid_index_or_mid_answer_is_said_to_be_gone(page: Any) -> None:
    page.click("#videos button")
    page.route("**/jobs/*/events", lambda route: route.abort())
    page.route("**/ask/events", lambda route: route.abort())
    page.click("#describe")
    page.wait_for_selector("#index [role=alert]")
    assert "What it finished is kept" in page.inner_text("#index")
    page.fill("#query", "a dog")
    page.press("#query", "Enter")
    page.wait_for_selector("#fault:not([hidden])")
    assert "The server does not answer" in page.inner_text("#fault")
    # It is there again: the job that was under way is shown.
    page.unroute("**/jobs/*/events")
    page.unroute("**/ask/events")
    page.reload()
    page.wait_for_selector("#index :text('Described'), #videos :text('ready')")


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_job_that_did_not_end_well_can_be_gone_on_with_at_once(page: Any, state: str) -> None:
    page.click("#videos button")
    job = {"id": "a", "state": state, "message": f"it was {state}"}
    page.route("**/jobs", lambda route: route.fulfill(json=job))
    told = f"event: job\ndata: {json.dumps(job)}\n\n"
    page.route(
        "**/jobs/a/events", lambda route: route.fulfill(body=told, content_type="text/event-stream")
    )
    page.click("#describe")
    page.wait_for_selector(f"#index :text('it was {state}')")
    page.unroute("**/jobs")
    page.unroute("**/jobs/a/events")
    page.click("#index #describe")
    page.wait_for_selector("#index :text('Described')")


def test_an_edge_is_dragged_with_the_mouse(page: Any) -> None:
    page.click("#videos button")
    page.click("#describe")
    page.wait_for_selector("#index :text('Described')")
    ask(page, "brightness 120")
    page.wait_for_selector(".curve", state="attached")  # The last that is drawn.
    edge = "[data-edge=start_s]"
    before_s = float(page.get_attribute(edge, "aria-valuenow"))
    box = page.locator(edge).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    width_px = page.locator("#timeline").bounding_box()["width"]
    duration_s = float(page.get_attribute(edge, "aria-valuemax"))
    moved_s = float(page.get_attribute(edge, "aria-valuenow")) - before_s
    assert moved_s == pytest.approx(40 / width_px * duration_s, abs=0.1)


def test_two_tabs_follow_one_job(page: Any, address: str) -> None:
    page.click("#videos button")
    with page.context.expect_page():
        page.evaluate("window.open(location.href)")
    other = page.context.pages[-1]
    other.wait_for_selector("#describe")
    page.click("#describe")
    other.click("#describe")
    for tab in (page, other):
        tab.wait_for_selector("#index :text('Described')")
    assert len(page.request.get(f"{address}{API}/jobs").json()) <= 2


def test_a_link_is_fetched_once_its_size_was_shown_and_agreed_to(
    browser: Any, folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed")
    there = draw_video(tmp_path / "there.mp4", even_times(48, 8.0)).read_bytes()
    with (
        site_on_loopback() as (site, pages),
        Grounder(captioner=BrightnessCaptioner()) as grounder,
    ):
        pages.pages["/talk.mp4"] = movie(there)
        rooms = Rooms(grounder, [folder])
        rooms.links._takes_inside = True
        with on_loopback(app_of(rooms)) as base:
            page = browser.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(base)
            page.fill("#link", f"{site}/talk.mp4")
            page.press("#link", "Enter")
            page.wait_for_selector("#link-job .main")
            assert f"{len(there) / 1e6:.1f} MB" in page.inner_text("#link-job")
            # A page that is loaded again shows the offer that is open.
            page.reload()
            page.click("#link-job .main")
            page.wait_for_selector("#index :text('Described')")
            assert page.inner_text("#title") == f"{site}/talk.mp4"
            page.close()


def test_where_links_cannot_be_fetched_none_is_asked_for(
    browser: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.web.link_jobs.is_held_outside", lambda: False)
    with (
        Grounder(captioner=BrightnessCaptioner()) as grounder,
        on_loopback(app_of(Rooms(grounder, [folder]))) as base,
    ):
        page = browser.new_page()
        page.goto(base)
        page.wait_for_selector("body[data-ready]")
        page.wait_for_load_state("networkidle")
        assert not page.is_visible("#link-form")
        page.close()


def test_what_describing_takes_is_said_first_and_nothing_is_paid_unasked(
    page: Any, folder: Path
) -> None:
    page.click("#videos button")
    page.wait_for_selector("#forecast")
    assert "Less than a minute, free, by brightness." in page.inner_text("#forecast")
    # With a price, a new video is not described before somebody wants it.
    told = {"usd": 1.25, "minutes": 3.2, "captioner": "openai:m", "names_things": True}
    page.route("**/estimate", lambda route: route.fulfill(json=told))
    draw_video(folder.parent / "mine.mp4", even_times(48, 8.0))
    page.set_input_files("#file", folder.parent / "mine.mp4")
    page.wait_for_selector("#forecast:has-text('About 3 min, about $1.25, by openai:m')")
    assert page.is_visible("#describe")
    assert page.request.get(page.url.partition("?")[0] + "api/v1/jobs").json() == []
    told |= {"names_things": False, "usd": 0}
    page.click("#videos button >> nth=0")
    page.wait_for_selector("#forecast:has-text('does not name things')")


def test_a_cut_stands_on_the_timeline_where_the_describer_found_it(
    browser: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    colours = [((200, 40, 40), (20, 20, 60)), ((20, 90, 30), (240, 240, 200))]
    times_s = even_times(48, 8.0)
    draw_video(folder / "road.mp4", times_s, picture=lambda index: halves(*colours[index // 24]))
    with Grounder() as grounder, on_loopback(app_of(Rooms(grounder, [folder]))) as base:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(base)
        described(page)
        ask(page, "when is there a cut?")
        page.wait_for_selector("#timeline .cut")
        assert page.get_attribute("#timeline .cut", "title") == "cut at 0:03.0"
        assert page.evaluate("document.querySelector('#timeline .cut').style.left") == "50%"
        page.close()


def test_a_copy_of_a_described_video_can_be_asked_at_once(
    page: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is in a file that was written a moment ago is not remembered.
    monkeypatch.setattr("tools.video.identity._SETTLED_S", -60.0)
    upload(page, folder, "mine.mp4")
    shutil.copyfile(folder.parent / "mine.mp4", folder / "copy.mp4")
    page.reload()
    page.click("#videos button:has-text('copy.mp4')")
    page.wait_for_selector("#videos button:has-text('copy.mp4'):has-text('ready')")
    assert page.locator("#describe").count() == 0
