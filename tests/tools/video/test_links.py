"""Videos by their links: told, agreed to, fetched once, and nothing but a video is kept."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drawing import draw_video, even_times
from tests.web_sites import Site, movie, site_on_loopback
from tools.errors import VideoError
from tools.video import outward, yt_dlp_process
from tools.video.link_names import is_link, shown_name
from tools.video.links import ABANDONED_S, Links

pytestmark = pytest.mark.slow

HLS = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.fixture
def site() -> Iterator[tuple[str, type[Site]]]:
    with site_on_loopback() as opened:
        yield opened


@pytest.fixture
def video(tmp_path: Path) -> bytes:
    return draw_video(tmp_path / "a.mp4", even_times(16, 8.0)).read_bytes()


def needs_yt_dlp() -> None:
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed")


def test_a_link_is_told_agreed_to_fetched_once_and_kept_by_content(
    site: tuple[str, type[Site]], video: bytes, tmp_path: Path
) -> None:
    needs_yt_dlp()
    address, pages = site
    pages.pages |= {"/talks/one.mp4": movie(video), "/again.mp4?x=1": movie(video)}
    told: list[str] = []
    asked: list[tuple[str, int]] = []

    def agree(what: str, size_bytes: int) -> bool:
        assert told  # What is asked about was said before.
        asked.append((what, size_bytes))
        if len(asked) == 1:
            assert not list(tmp_path.glob("cache/links/*/*"))
        return True

    kept = Links(tmp_path / "cache", tell=told.append, confirm=agree)
    path = kept.fetch(f"{address}/talks/one.mp4")
    assert path.read_bytes() == video
    assert shown_name(path) == f"{address}/talks/one.mp4"
    assert path.name.endswith("_talks_one.mp4")
    assert f"{len(video) / 1e6:.1f} MB, to be fetched with yt-dlp" in told[0]
    assert asked == [(f"“one” ({address}/talks/one.mp4)", len(video))]
    requests = len(pages.asked)
    assert kept.fetch(f"{address}/talks/one.mp4") == path
    assert (len(pages.asked), len(asked)) == (requests, 1)
    # The same video by another link is the same file.
    assert kept.fetch(f"{address}/again.mp4?x=1") == path
    assert len(list(tmp_path.glob("cache/links/*/*.mp4"))) == 1


def test_without_agreement_nothing_is_fetched(
    site: tuple[str, type[Site]], video: bytes, tmp_path: Path
) -> None:
    needs_yt_dlp()
    address, pages = site
    pages.pages["/one.mp4"] = movie(video)
    for confirm in (None, lambda *_: False):
        with pytest.raises(VideoError, match="nobody agreed to fetch it; --yes agrees"):
            Links(tmp_path, tell=print, confirm=confirm).fetch(f"{address}/one.mp4")
    assert not list(tmp_path.glob("links/*"))


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}, b"nothing"),
        (302, {"Location": "/one.mp4"}, b""),  # In a circle.
        (302, {"Location": "file:///etc/passwd"}, b""),
        (200, {"Content-Type": "text/html"}, b"<h1>no video</h1>"),
        (200, {"Content-Type": "application/vnd.apple.mpegurl"}, HLS),
        (200, {"Content-Type": "video/mp4"}, b"root:x:0:0:not a video" * 40),
        (200, {"Content-Type": "video/mp4"}, b"\x00\x00\x00\x18ftypmp42" + bytes(900)),
        (200, {"Content-Type": "video/mp4", "Content-Length": "900000"}, b"\x00\x00\x00\x18ftyp"),
    ],
    ids=["absent", "circle", "file", "page", "playlist", "text", "broken", "cut off"],
)
def test_what_is_no_video_is_said_to_be_none_and_not_kept(
    site: tuple[str, type[Site]], tmp_path: Path, answer: Any
) -> None:
    needs_yt_dlp()
    address, pages = site
    pages.pages["/one.mp4"] = answer
    link = f"{address}/one.mp4"
    with pytest.raises(VideoError) as refused:
        Links(tmp_path, tell=print, confirm=lambda *_: True).fetch(link)
    assert link in str(refused.value)
    assert "root:" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.glob("links/*"))


def test_a_host_that_is_not_there_is_said_in_its_own_words(tmp_path: Path) -> None:
    needs_yt_dlp()
    with pytest.raises(VideoError, match=r"cannot fetch http://127\.0\.0\.1:9/a\.mp4: .*refused"):
        Links(tmp_path, tell=print, confirm=lambda *_: True).fetch("http://127.0.0.1:9/a.mp4")


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/in.mp4", "http://[::1]:{port}/in.mp4"])
def test_a_public_link_leads_to_nothing_inside_this_network(
    site: tuple[str, type[Site]],
    video: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
) -> None:
    needs_yt_dlp()
    address, pages = site
    # The loopback server is also the proxy through which the public address is reached.
    monkeypatch.setenv("http_proxy", address)
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.2,[::1],::1,10.0.0.1")
    inside = target.format(port=address.rpartition(":")[2]).replace("127.0.0.1", "127.0.0.2")
    public = "http://93.184.216.34"
    pages.pages |= {
        f"{public}/out.mp4": (302, {"Location": inside}, b""),
        f"{public}/one.mp4": movie(video),
        "/in.mp4": movie(video),
    }
    kept = Links(tmp_path, tell=print, confirm=lambda *_: True)
    with pytest.raises(VideoError, match="inside this network, and is not followed"):
        kept.fetch(f"{public}/out.mp4")
    assert "/in.mp4" not in pages.asked
    assert kept.fetch(f"{public}/one.mp4").read_bytes() == video


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("10.1.1.1", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("64:ff9b::7f00:1", True),
        ("2002:7f00:1::", True),
        ("224.0.0.1", True),
        ("93.184.216.34", False),
        ("64:ff9b::5db8:d822", False),
        ("2606:2800:220:1::1", False),
    ],
)
def test_addresses_inside_are_known_in_every_spelling(address: str, inside: bool) -> None:
    assert outward.is_inside(address) is inside


def test_without_yt_dlp_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yt_dlp_process, "find_yt_dlp", lambda: None)
    with pytest.raises(VideoError, match=r"pip install 'whenabouts\[link\]'"):
        Links(tmp_path, tell=print, confirm=lambda *_: True).fetch("https://example.org/a")


# --- a yt-dlp that misbehaves


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Links]:
    """A program in place of yt-dlp: what it says of a link, and what it does to fetch it."""

    def make(told: object, does: str = "", **options: Any) -> Links:
        program = tmp_path / "yt.py"
        said = told if isinstance(told, str) else json.dumps(told)
        program.write_text(
            "import os, sys, time\n"
            f"if '--dump-single-json' in sys.argv:\n    print({said!r})\n    sys.exit()\n{does}\n"
        )
        monkeypatch.setattr(yt_dlp_process, "find_yt_dlp", lambda: [sys.executable, str(program)])
        return Links(tmp_path, tell=print, confirm=lambda *_: True, **options)

    return make


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"_type": "playlist", "entries": []}, "is a list of videos"),
        ({"title": "now", "is_live": True}, "is live, and has no end yet"),
        ({"title": "a", "filesize": 9e12}, "is larger than 20000 MB"),
        ("no JSON", "yt-dlp says nothing of"),
        ("[1]", "yt-dlp says nothing of"),
        ("[" * 100_000, "yt-dlp says nothing of"),
    ],
)
def test_what_cannot_be_fetched_is_refused_before_it_is(
    fake: Callable[..., Links], told: object, why: str
) -> None:
    with pytest.raises(VideoError, match=why):
        fake(told, "raise SystemExit(9)").fetch("https://example.org/a")


def test_a_download_that_does_not_end_is_ended_at_the_limit_and_not_kept(
    fake: Callable[..., Links], tmp_path: Path
) -> None:
    endless = (
        "out = open('video.mp4', 'wb', 0)\n"
        "while True:\n    out.write(bytes(65536)); time.sleep(0.001)"
    )
    kept = fake({"title": "a"}, endless, most_bytes=2_000_000)
    with pytest.raises(VideoError, match="is larger than 2 MB"):
        kept.fetch("https://example.org/a")
    assert not list(tmp_path.glob("links/*"))


def test_a_name_with_control_characters_is_shown_as_text(
    fake: Callable[..., Links], tmp_path: Path, capsys: pytest.CaptureFixture[str], video: bytes
) -> None:
    (tmp_path / "source.mp4").write_bytes(video)
    copy = f"import shutil; shutil.copy({str(tmp_path / 'source.mp4')!r}, 'video.mp4')"
    kept = fake({"title": "\x1b[2Jbad\nname\u202e", "filesize": "a lot"}, copy)
    path = kept.fetch("https://user:secret@example.org/watch?v=../../x")
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "secret" not in said + str(path) + shown_name(path)
    assert path.parent.parent == tmp_path / "links"


@pytest.mark.parametrize(
    "link",
    ["https://", "https:///a", "https://[::1", "https://a b/", "http://a/\x07", "https://a\n"],
)
def test_what_is_no_address_is_refused(tmp_path: Path, link: str) -> None:
    assert is_link(link)
    with pytest.raises(VideoError, match="is no address of a video"):
        Links(tmp_path, tell=print, confirm=lambda *_: True).fetch(link)


@pytest.mark.parametrize("name", ["a.mp4", "C:\\a.mp4", "file:///a.mp4", "ftp://a/b.mp4", "-o"])
def test_only_addresses_of_the_web_are_links(name: str) -> None:
    assert not is_link(name)


def test_a_file_beside_a_video_does_not_rename_it(tmp_path: Path) -> None:
    (tmp_path / "clip.name").write_text("https://another.example/")
    assert shown_name(tmp_path / "clip.mp4") == "clip.mp4"


def test_what_a_killed_program_left_half_fetched_is_removed_and_nothing_younger(
    site: tuple[str, type[Site]], video: bytes, tmp_path: Path
) -> None:
    needs_yt_dlp()
    old, young = tmp_path / "links" / ".fetching-old", tmp_path / "links" / ".fetching-young"
    for part in (old, young):
        part.mkdir(parents=True)
        (part / "video.mp4.part").write_bytes(b"half")
    long_ago = time.time() - 2 * ABANDONED_S
    os.utime(old, (long_ago, long_ago))
    site[1].pages["/one.mp4"] = movie(video)
    Links(tmp_path, tell=print, confirm=lambda *_: True).fetch(f"{site[0]}/one.mp4")
    assert not old.exists()
    assert young.exists()
