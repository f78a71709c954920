"""Draws videos that flash and beep together, joins them, and measures how far apart both come."""

import zlib
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.drawing import HEIGHT_PX, WIDTH_PX

FLASH_S = 0.2
FLASH_AT_S = 0.4
"""In each second, where flash and beep begin."""

_TS_BYTES = 188


def tone_hz(second: int) -> float:
    """Which tone the beep of a second has."""
    return 400 + 40.0 * second


def _is_on(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    within: NDArray[np.float64] = times_s % 1 + 1e-9
    return (within >= FLASH_AT_S) & (within < FLASH_AT_S + FLASH_S - 1e-6)


def draw_beeps(
    path: Path,
    seconds: range,
    *,
    clock_s: float = 0.0,
    rate_hz: int = 48_000,
    layout: str = "stereo",
    video_codec: str = "libx264",
    sound_codec: str = "aac",
    container: str | None = None,
    options: dict[str, str] | None = None,
    sound_from_s: float = 0.0,
    tone: float | None = None,
) -> Path:
    """A second of video and sound for each of ``seconds``; the tone tells which one it is.

    Args:
        path: Where to.
        seconds: Which seconds of a longer story these are.
        clock_s: Timestamp of the first frame.
        rate_hz: Of the sound.
        layout: Of the sound; FFmpeg's name, as are those that follow.
        video_codec: Of the pictures.
        sound_codec: Of the sound.
        container: None goes by the suffix.
        options: Of the container.
        sound_from_s: Where the sound begins.
        tone: Frequency of all beeps, in place of ``tone_hz``.
    """
    frame_rate = 25
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        picture: Any = out.add_stream(video_codec, rate=frame_rate)
        picture.width, picture.height, picture.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        picture.codec_context.gop_size = 15
        picture.bit_rate = 400_000
        sound: Any = out.add_stream(sound_codec, rate=rate_hz, layout=layout)
        sound.bit_rate = 128_000
        packets: list[Any] = []
        dark, bright = (np.full((HEIGHT_PX, WIDTH_PX, 3), one, np.uint8) for one in (20, 230))
        for index, is_on in enumerate(_is_on(np.arange(len(seconds) * frame_rate) / frame_rate)):
            frame = av.VideoFrame.from_ndarray(bright if is_on else dark, format="rgb24")
            frame.time_base = Fraction(1, frame_rate)
            frame.pts = index + round(clock_s * frame_rate)
            packets += picture.encode(frame)
        packets += picture.encode(None)
        times_s = np.arange(len(seconds) * rate_hz) / rate_hz
        hz = np.array([tone or tone_hz(second) for second in seconds])[times_s.astype(int)]
        wave = 0.5 * np.sin(2 * np.pi * hz * times_s) * _is_on(times_s)
        step = sound.codec_context.frame_size or 1024
        for start in range(round(sound_from_s * rate_hz), wave.size, step):
            piece = wave[start : start + step].astype(np.float32)
            channels = np.repeat(piece[None], sound.codec_context.layout.nb_channels, axis=0)
            heard = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
            heard.sample_rate, heard.time_base = rate_hz, Fraction(1, rate_hz)
            heard.pts = start + round(clock_s * rate_hz)
            if sound.codec_context.format.name != "fltp":
                resampler = av.AudioResampler(sound.codec_context.format.name, layout, rate_hz)
                for one in resampler.resample(heard):
                    packets += sound.encode(one)
            else:
                packets += sound.encode(heard)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda one: float((one.dts or 0) * one.time_base)):
            out.mux(packet)
    return path


def join(path: Path, parts: Sequence[Path]) -> Path:
    """One after the other, byte by byte."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def two_programmes(path: Path, first: Path, second: Path) -> Path:
    """Put two transport streams, whose packets have different numbers, beside each other."""
    streams = [_without_tables(part.read_bytes()) for part in (first, second)]
    maps = [_map_of(part.read_bytes()) for part in (first, second)]
    table = _programme_table(maps)
    total = sum(map(len, streams))
    content, taken = b"", [0, 0]
    for index in range(total):
        if index % 20 == 0:
            content += table[:3] + bytes([0x10 | index // 20 % 16]) + table[4:]
        shares = [taken[one] / max(1, len(streams[one])) for one in (0, 1)]
        one = 0 if shares[0] <= shares[1] and taken[0] < len(streams[0]) else 1
        if taken[one] == len(streams[one]):
            one = 1 - one
        content += streams[one][taken[one]]
        taken[one] += 1
    path.write_bytes(content)
    return path


def _packets(content: bytes) -> list[bytes]:
    return [content[at : at + _TS_BYTES] for at in range(0, len(content), _TS_BYTES)]


def _number(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def _without_tables(content: bytes) -> list[bytes]:
    return [packet for packet in _packets(content) if _number(packet) not in {0, 17}]


def _map_of(content: bytes) -> tuple[int, int]:
    """Number of the programme, and of the packets that hold its map."""
    table = next(packet for packet in _packets(content) if _number(packet) == 0)
    return int.from_bytes(table[13:15], "big"), int.from_bytes(table[15:17], "big") & 0x1FFF


def _programme_table(maps: Sequence[tuple[int, int]]) -> bytes:
    body = b"\0\1" + b"\xc1\0\0"
    for programme, number in maps:
        body += programme.to_bytes(2, "big") + (0xE000 | number).to_bytes(2, "big")
    section = b"\0" + (0xB000 | len(body) + 4).to_bytes(2, "big") + body
    section += _crc(section).to_bytes(4, "big")
    packet = b"\x47\x40\0\x10\0" + section
    return packet + b"\xff" * (_TS_BYTES - len(packet))


def _crc(content: bytes) -> int:
    """CRC-32/MPEG-2: that of zip, with bits in the other order, and not inverted."""
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in content)
    return int(f"{zlib.crc32(mirrored) ^ 0xFFFFFFFF:032b}"[::-1], 2)


class Measured:
    """When a written file flashes and beeps, by its own timestamps alone.

    Attributes:
        flashes_s: Middle of each whole flash.
        wave: The sound from 0 on.
        rate_hz: Its rate.
    """

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as container:
            frames = [
                (float(frame.pts * frame.time_base), float(frame.to_ndarray(format="gray").mean()))
                for frame in container.decode(video=0)
                if frame.pts is not None and frame.time_base
            ]
        bright = [level > 120 for _, level in frames]
        edges = [index for index in range(1, len(frames)) if bright[index] != bright[index - 1]]
        self.flashes_s = [
            (frames[on][0] + frames[off][0]) / 2 for on, off in pairwise(edges) if bright[on]
        ]
        with av.open(str(path)) as container:
            source = container.streams.audio[0]
            self.rate_hz = source.rate
            pieces: list[tuple[int, NDArray[np.float32]]] = []
            for frame in container.decode(source):
                assert frame.pts is not None
                assert frame.time_base is not None
                samples = np.asarray(frame.to_ndarray()[0], np.float32)
                at = round(float(frame.pts * frame.time_base) * self.rate_hz)
                pieces.append((max(0, at), samples[max(0, -at) :]))
        self.wave = np.zeros(max((at + one.size for at, one in pieces), default=0), np.float32)
        for at, samples in pieces:
            self.wave[at : at + samples.size] = samples

    def beep_after_flash_s(self, flash_s: float) -> float:
        """How much later than a flash its beep has its middle."""
        first = max(0, round((flash_s - 0.35) * self.rate_hz))
        near = self.wave[first : round((flash_s + 0.35) * self.rate_hz)].astype(float) ** 2
        assert near.sum() > 1, f"no beep at {flash_s:.2f} s"
        middle = float((near * np.arange(near.size)).sum() / near.sum())
        return (first + middle) / self.rate_hz - flash_s

    def hz_at(self, flash_s: float) -> float:
        """The tone of the beep at a flash."""
        first = round((flash_s - 0.08) * self.rate_hz)
        piece = self.wave[first : first + round(0.16 * self.rate_hz)]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(piece.size), 1 << 16))
        return float(np.argmax(spectrum)) * self.rate_hz / (1 << 16)
