"""What files and replies that are far too large cost: memory and seconds of each, and how it ends.

Every attack runs in a process of its own, of which the peak of resident memory is read; what serves
it runs in another one. Linux only::

    python benchmarks/size_attacks.py
    python benchmarks/size_attacks.py --attack gzip-bomb
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agent.settings import load_settings
from tools.captioners.file import read_captions
from tools.errors import WhenaboutsError
from tools.llm.caption_text import caption_of
from tools.llm.client import Patience, Service
from tools.llm.negotiation import ServiceRequest
from tools.subtitles.files import read_subtitles
from tools.video.reader import FrameReader, probe

MB = 1_000_000
MOST_MB, MOST_S = 400.0, 30.0
"""Bounds of each attack. A frame of the largest size that is decoded has 80 million pixels."""

CHUNK = 1 << 20
HELLO = ServiceRequest([{"role": "user", "content": "What is seen?"}], {"max_tokens": 100})

Body = Iterator[bytes]


def spaces() -> Body:
    """A reply of 100 MB."""
    yield b'{"choices": ['
    yield from (b" " * MB for _ in range(100))


def endless() -> Body:
    """A stream that says a word again and again."""
    piece = b'data: {"choices": [{"delta": {"content": "door "}}]}\n\n'
    while True:
        yield piece * (CHUNK // len(piece))


def gzip_bomb() -> Body:
    """Ten GB of blanks in 10 MB, of which a client that unpacks before it counts dies."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * (10 * MB)
    for _ in range(1000):
        yield packer.compress(block)
    yield packer.flush()


def numbers() -> Body:
    """Small numbers and objects, which take many times their size when they are read."""
    yield b'{"choices": ['
    yield b"[{}]," * (4 * MB // 5 - 10)
    yield b"[]]}"


def huge_caption() -> Body:
    """A caption of 900,000 characters, which repeats itself."""
    yield json.dumps(
        {
            "choices": [
                {"message": {"content": "A door is open. " * 56_000}, "finish_reason": "stop"}
            ]
        }
    ).encode()


REPLIES: dict[str, tuple[Callable[[], Body], str]] = {
    "reply-of-100-mb": (spaces, ""),
    "endless-stream": (endless, "content-type: text/event-stream\r\n"),
    "gzip-bomb": (gzip_bomb, "content-encoding: gzip\r\n"),
    "numbers": (numbers, ""),
    "huge-caption": (huge_caption, ""),
}


def many_captions(path: Path) -> None:
    """300 MB of captions."""
    line = '{{"t": {}, "caption": "a door"}}\n'
    with path.open("w", encoding="utf-8") as file:
        for number in range(300 * MB // 36):
            file.write(line.format(number / 100))


def short_captions(path: Path) -> None:
    """As many of the shortest captions as are read."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(400_000):
            file.write(f'{{"t":{number / 1000},"caption":"a"}}\n')


def blank_words(path: Path) -> None:
    """One cue of 130,000 words: 390 kB."""
    path.write_text("1\n00:00:00,000 --> 00:00:09,000\n" + "ab " * 130_000 + "\n")


def short_cues(path: Path) -> None:
    """As many cues as a subtitle file may hold."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(16 * MB // 45):
            minutes, seconds = divmod(number // 10, 60)
            clock = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02},{number % 10}"
            file.write(f"{number}\n{clock}00 --> {clock}50\n{number:x}\n\n")


def huge_settings(path: Path) -> None:
    """A settings file of 100 MB."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(100 * MB // 25):
            file.write(f"NAME_{number:08}=value {number % 9999}\n")


def draw_png(path: Path, width: int, height: int, rows: int) -> None:
    """A black picture that claims a size, with the first rows of it only."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(1)
    row = bytes(1 + 3 * width)
    data = b"".join([*(packer.compress(row) for _ in range(rows)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def look_at(path: Path) -> int:
    """How many frames a video has that can be shown."""
    return sum(1 for _ in FrameReader(probe(path), rate_hz=1))


FILES: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], object]]] = {
    "captions-of-300-mb": (
        "a.jsonl",
        many_captions,
        lambda path: read_captions(path, video_id="v", duration_s=1e9),
    ),
    "short-captions": (
        "a.jsonl",
        short_captions,
        lambda path: read_captions(path, video_id="v", duration_s=1e9),
    ),
    "blank-separated-words": ("a.srt", blank_words, read_subtitles),
    "short-cues": ("a.srt", short_cues, read_subtitles),
    "settings-of-100-mb": ("a.env", huge_settings, load_settings),
    "picture-of-3.6-gigapixels": ("a.png", lambda path: draw_png(path, 60_000, 60_000, 1), look_at),
    "largest-picture": ("a.png", lambda path: draw_png(path, 12_288, 6_480, 6_480), look_at),
}


def main() -> int:
    """Run each attack and print its cost; 1 if one is over the bounds."""
    parser = argparse.ArgumentParser(description="Measure what far too large inputs cost.")
    parser.add_argument(
        "--attack", choices=[*REPLIES, *FILES], action="append", help="default: all"
    )
    parser.add_argument("--suffer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.suffer:
        suffer(*options.suffer)
        return 0
    over = 0
    for name in options.attack or [*REPLIES, *FILES]:
        with prepared(name) as target:
            command = [sys.executable, __file__, "--suffer", name, target]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name:26} ends with {done.returncode}: {done.stderr[-200:]}")
            over += 1
            continue
        told = json.loads(done.stdout)
        is_over = told["mb"] > MOST_MB or told["seconds"] > MOST_S
        over += is_over
        mark = "OVER" if is_over else "    "
        print(f"{name:26} {mark} {told['mb']:6.0f} MB {told['seconds']:6.1f} s  {told['end']}")
    print(f"bounds: {MOST_MB:.0f} MB and {MOST_S:.0f} s; {over} over")
    return int(over > 0)


@contextmanager
def prepared(name: str) -> Iterator[str]:
    """The address of a server or the path of a file that attacks."""
    if name in REPLIES:
        with serving(*REPLIES[name]) as address:
            yield address
        return
    file_name, write, _ = FILES[name]
    with tempfile.TemporaryDirectory(prefix="whenabouts-size-") as scratch:
        path = Path(scratch) / file_name
        write(path)
        yield str(path)


@contextmanager
def serving(body: Callable[[], Body], headers: str) -> Iterator[str]:
    """Sends the body to everyone who asks."""

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\n"
                connection.sendall(head.encode())
                for piece in body():
                    connection.sendall(piece)
            except OSError:
                pass  # The client has left.

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


def suffer(name: str, target: str) -> None:
    """Undergo an attack in this process, and print what it took."""
    before_mb = memory_mb("VmRSS")
    started_s = time.monotonic()
    try:
        if name in REPLIES:
            patience = Patience(timeout_s=20, max_retries=0)
            service = Service("m", api_key=None, base_url=target, patience=patience)
            text = service.chat(HELLO).text
            end = f"a caption of {len(caption_of(text, cut_off=True).text):,} characters"
        else:
            found = FILES[name][2](Path(target))
            end = f"read: {found}" if isinstance(found, int) else "read"
    except WhenaboutsError as exc:
        end = f"refused: {exc}".replace(target, "…")[:90]
    seconds = time.monotonic() - started_s
    print(json.dumps({"mb": memory_mb("VmHWM") - before_mb, "seconds": seconds, "end": end}))


def memory_mb(field: str) -> float:
    """A line of what the kernel says of this process's memory."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / MB
    raise RuntimeError(f"/proc/self/status does not say {field}")


if __name__ == "__main__":
    sys.exit(main())
