"""The page in Chromium, uploads and thumbnails: python benchmarks/page.py [--upload-mb 2000].

With `--picture docs/page.png` it draws the picture of the page instead.

Serves the lobby of `examples/` from a store of its own, and prints the time until the page can be
used, the time from the key that asks to the seeking player (without a text model), the time of a
thumbnail of a drawn 1080p video, and how much more memory the server held during an upload.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np

from agent.cli.demo import draw_demo_clip

LOBBY = Path(__file__).resolve().parents[1] / "examples" / "lobby"
QUERY = "a blonde with very long hair comes to the table"
CLI = [sys.executable, "-m", "agent.cli"]
ASKED = ["something enters", QUERY, "a man in black stands at the table", "a woman leaves"]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upload-mb", type=int, default=2000)
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE.png",
        help="measure nothing, and draw an answered page",
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        videos = Path(scratch, "videos")
        videos.mkdir()
        shutil.copy(LOBBY / "lobby.mp4", videos)
        if not asked.picture:
            draw_large(videos / "large.mp4")
        environment = os.environ | {"WHENABOUTS_HOME": str(Path(scratch, "home"))}
        first = [*CLI, "ask", str(videos / "lobby.mp4"), QUERY]
        captions = ["--captions", str(LOBBY / "lobby.jsonl")]
        subprocess.run([*first, *captions], env=environment, check=True, capture_output=True)
        serving = subprocess.Popen(
            [*CLI, "serve", str(videos), "--port", "0"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert serving.stderr is not None
        try:
            url = next(word for word in serving.stderr.readline().split() if "://" in word)
            if asked.picture:
                draw_page(url, asked.picture)
                return
            time_page(url)
            time_thumbnails(url)
            weigh_upload(url, serving.pid, asked.upload_mb, Path(scratch))
        finally:
            serving.terminate()
            serving.wait()


def draw_large(out: Path) -> None:
    """A minute in 1080p with keyframes as far apart as encoders put them."""
    import av

    picture = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 255, (1080, 1920, 3), np.uint8), (31, 31), 0
    )
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for number in range(25 * 30):
            shown = np.roll(picture, 3 * number, axis=1).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode(None))


def draw_page(url: str, out: Path) -> None:
    """The page with an answer, as `docs/page.png` shows it: light, on a wide screen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        page.goto(url)
        page.click("#videos button:has-text('lobby')")
        page.wait_for_function("() => document.querySelector('#player').readyState >= 2")
        page.fill("#query", QUERY)
        page.press("#query", "Enter")
        page.wait_for_selector(".badge")
        # From its first word on, as a field shows it that nobody writes in.
        page.evaluate("document.querySelector('#query').blur()")
        page.wait_for_function(
            "() => [...document.querySelectorAll('img')].every((one) => one.complete)"
            " && !document.querySelector('#player').seeking"
        )
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out)
        browser.close()


def time_page(url: str) -> None:
    """Until it can be used, and from the key that asks to the player that has found its place."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no chromium on the PATH: the page is not measured")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        usable, found = [], []
        for query in ASKED:
            page = browser.new_page()
            page.add_init_script(
                "new MutationObserver(() => { if (document.body?.dataset.ready)"
                " window.ready ??= performance.now(); })"
                ".observe(document, {subtree: true, attributes: true, childList: true})"
            )
            page.goto(url)
            page.wait_for_function("() => window.ready")
            usable.append(page.evaluate("window.ready"))
            page.click("#videos button:has-text('lobby')")
            page.wait_for_function("() => document.querySelector('#player').readyState >= 2")
            page.fill("#query", query)
            page.evaluate(
                "document.querySelector('#query').addEventListener('keydown',"
                " () => { window.asked = performance.now(); });"
                "document.querySelector('#player').addEventListener('seeked',"
                " () => { window.sought ??= performance.now(); })"
            )
            page.press("#query", "Enter")
            page.wait_for_selector(".badge")
            if page.inner_text(".badge") == "found":
                page.wait_for_function("() => window.sought")
                found.append(page.evaluate("window.sought - window.asked"))
            page.close()
        browser.close()
    print(f"page usable after {statistics.median(usable):.0f} ms (longest {max(usable):.0f} ms)")
    print(f"from key to seek: {', '.join(f'{one:.0f}' for one in found)} ms")


def time_thumbnails(url: str) -> None:
    """Each asked for the first time."""
    with httpx.Client(base_url=f"{url}api/v1", timeout=60, trust_env=False) as client:
        video = next(one for one in client.get("/videos").json() if one["name"] == "large.mp4")
        took = []
        for number in range(12):
            began = time.perf_counter()
            told = client.get(f"/videos/{video['id']}/thumbnail", params={"t": 2.1 * number})
            took.append((time.perf_counter() - began) * 1000)
            assert told.status_code == 200, told.text
    print(
        f"thumbnail of 1080p: median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms"
    )


def weigh_upload(url: str, pid: int, megabytes: int, scratch: Path) -> None:
    """Send a video that is mostly padding, and look at the server's memory meanwhile."""
    clip = scratch / "clip.mp4"
    draw_demo_clip(clip)
    head = clip.read_bytes()
    padding = megabytes * 1_000_000 - len(head)

    def body() -> Iterator[bytes]:
        yield head
        # A box that every reader passes over, with a length of 64 bits.
        yield b"\x00\x00\x00\x01free" + padding.to_bytes(8, "big")
        for _ in range((padding - 16) // 1_000_000):
            yield bytes(1_000_000)
        yield bytes((padding - 16) % 1_000_000)

    def held_mb() -> float:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    before = held_mb()
    host = url.removeprefix("http://").strip("/")
    connection = http.client.HTTPConnection(host, timeout=600)
    began = time.perf_counter()
    connection.request(
        "POST",
        "/api/v1/videos?name=large.mp4",
        body=body(),
        headers={"content-length": str(megabytes * 1_000_000)},
    )
    reply = connection.getresponse()
    told = json.loads(reply.read())
    seconds = time.perf_counter() - began
    if reply.status != 201:
        sys.exit(f"the upload was refused: {told}")
    print(f"upload of {megabytes} MB: {seconds:.1f} s, {held_mb() - before:.0f} MB more memory")


if __name__ == "__main__":
    main()
