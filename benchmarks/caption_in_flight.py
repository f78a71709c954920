"""Measure how near captioning by a service comes to the limit that its latency sets.

A server of its own (another process, on the loopback) answers every request after 200 ms. Three
ways to ask it, one after the other in the same minutes, in every round:

- ours: the OpenAI-compatible captioner with 16 requests in flight, from decoded frames to captions;
- bare: the same number of the same requests, made before, by 16 threads that do nothing but send
  and read bytes: what this machine and this server can do at all;
- sequential: one frame after the other through the captioner, a few of them only.

The ideal is ``frames / in_flight * latency``::

    python benchmarks/caption_in_flight.py
    python benchmarks/caption_in_flight.py --video ../shared/data/videos/one_by_one.mp4 --rate 4
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from tools.captioners.openai import OpenAICaptioner
from tools.timeline import Frame
from tools.video.reader import FrameReader, probe

PROMPT = "Describe what can be seen in one or two sentences. " * 12


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure captioning against its latency limit.")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--latency-s", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sequential-frames", type=int, default=15)
    parser.add_argument("--video", type=Path, help="take frames of this video, decoded on the way")
    parser.add_argument("--rate", type=float, default=1.0, help="frames a second of that video")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    # Not forked: the child must not inherit the threads of the numerical libraries.
    start = multiprocessing.get_context("spawn")
    server = start.Process(target=serve, args=(theirs, options.latency_s), daemon=True)
    server.start()
    try:
        measure(options, port=ours.recv())
    finally:
        server.terminate()
        server.join()


def measure(options: argparse.Namespace, *, port: int) -> None:
    """Print every round's seconds, and the ratios of their medians."""
    count: int = options.frames
    ideal_s = count / options.in_flight * options.latency_s
    rows: dict[str, list[float]] = {"decode": [], "ours": [], "bare": [], "sequential": []}
    caption(drawn_frames(options.in_flight), port, in_flight=options.in_flight)  # imports, threads
    for _ in range(options.rounds):
        started = time.perf_counter()
        frames = list(frames_of(options))
        rows["decode"].append(time.perf_counter() - started if options.video else 0.0)
        if len(frames) < count:
            raise SystemExit(f"{options.video} has {len(frames)} frames at that rate: --rate more")
        few = frames[: options.sequential_frames]
        del frames
        rows["ours"].append(caption(frames_of(options), port, in_flight=options.in_flight))
        rows["bare"].append(send_bare(count, port, in_flight=options.in_flight))
        seconds = caption(few, port, in_flight=1)
        rows["sequential"].append(seconds / len(few) * count)
    median = {name: statistics.median(row) for name, row in rows.items()}
    for name, row in rows.items():
        each = "  ".join(f"{one:6.2f}" for one in row)
        print(f"{name:10s} {each}  median {median[name]:6.2f} s")
    print(f"ideal      {ideal_s:.2f} s for {count} frames, {options.in_flight} in flight")
    print(f"(ours - decode) / ideal: {(median['ours'] - median['decode']) / ideal_s:.3f}")
    print(f"bare / ideal:            {median['bare'] / ideal_s:.3f}")
    print(f"sequential / ours:       {median['sequential'] / median['ours']:.1f}")


def frames_of(options: argparse.Namespace) -> Iterable[Frame]:
    """The frames to caption: of the video, or drawn ones that cost no decoding."""
    if options.video is None:
        return drawn_frames(options.frames)
    reader = FrameReader(probe(options.video), rate_hz=options.rate)
    return itertools.islice(reader, options.frames)


def drawn_frames(count: int) -> Iterable[Frame]:
    """Frames of 512 x 288 with something to compress in them; the same picture, other times."""
    rows, columns = np.mgrid[0:288, 0:512]
    waves = 128 + 100 * np.sin(rows / 9) * np.cos(columns / 13)
    image = np.stack([waves, waves[::-1], waves[:, ::-1]], axis=2).astype(np.uint8)
    luma = np.zeros((1, 36, 64), np.uint8)
    return (Frame(float(n), image, None, None, luma, np.array([float(n)])) for n in range(count))


def caption(frames: Iterable[Frame], port: int, *, in_flight: int) -> float:
    """Seconds until every frame has its caption."""
    captioner = OpenAICaptioner(
        "tiny",
        prompt=PROMPT,
        prompt_version="",
        api_key=None,
        base_url=f"http://127.0.0.1:{port}/v1",
        in_flight=in_flight,
    )
    started = time.perf_counter()
    captions = sum(said is not None for said in captioner.describe(frames, seen=()))
    seconds = time.perf_counter() - started
    if captions != captioner.usage.captions:
        raise SystemExit(f"{captions} captions of {captioner.usage}")
    return seconds


def send_bare(count: int, port: int, *, in_flight: int) -> float:
    """Seconds for this many requests of the same size by threads that only send and read."""
    body = json.dumps({"model": "tiny", "messages": "x" * 40_000}).encode()
    numbers = iter(range(count))
    lock = threading.Lock()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                if next(numbers, None) is None:
                    break
            connection.request("POST", "/v1/chat/completions", body)
            connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(in_flight)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def serve(ready: Connection, latency_s: float) -> None:
    """Answer every chat request with the same caption, after a fixed number of seconds."""
    message = {"role": "assistant", "content": "A man in a red shirt opens a wooden door."}
    reply = json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": "tiny",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912},
        }
    ).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(reply)}\r\n\r\n"
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(asked.split("content-length:")[1].split("\r\n")[0])
                await reader.readexactly(length)
                await asyncio.sleep(latency_s)
                writer.write(head.encode() + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    main()
