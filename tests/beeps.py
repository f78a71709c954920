"""Draws videos that flash and beep together, joins them, and measures how far apart both come."""

from __future__ import annotations

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
    pictures_from_s: float = 0.0,
    sound_from_s: float = 0.0,
    sound_until_s: float | None = None,
    sounds: int = 1,
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
        pictures_from_s: Where the pictures begin.
        sound_from_s: Where the sound begins.
        sound_until_s: Where it ends; None: with the pictures. Beyond them it is silent.
        sounds: How many there are; each is 1 kHz higher than the one before.
        tone: Frequency of all beeps, in place of ``tone_hz``.
    """
    frame_rate = 25
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        picture: Any = out.add_stream(video_codec, rate=frame_rate)
        picture.width, picture.height, picture.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        picture.codec_context.gop_size = 15
        picture.bit_rate = 400_000
        streams: list[Any] = [
            out.add_stream(sound_codec, rate=rate_hz, layout=layout) for _ in range(sounds)
        ]
        packets: list[Any] = []
        dark, bright = (np.full((HEIGHT_PX, WIDTH_PX, 3), one, np.uint8) for one in (20, 230))
        first = round(pictures_from_s * frame_rate)
        for index in range(first, len(seconds) * frame_rate):
            is_on = _is_on(np.array([index / frame_rate]))[0]
            frame = av.VideoFrame.from_ndarray(bright if is_on else dark, format="rgb24")
            frame.time_base = Fraction(1, frame_rate)
            frame.pts = index + round(clock_s * frame_rate)
            packets += picture.encode(frame)
        packets += picture.encode(None)
        for number, sound in enumerate(streams):
            sound.bit_rate = 128_000
            packets += _encoded(
                sound,
                seconds,
                clock_s=clock_s,
                from_s=sound_from_s,
                until_s=sound_until_s,
                tone=tone,
                higher_hz=1000.0 * number,
            )
        for packet in sorted(packets, key=lambda one: float((one.dts or 0) * one.time_base)):
            out.mux(packet)
    return path


def _encoded(
    sound: Any,
    seconds: range,
    *,
    clock_s: float,
    from_s: float,
    until_s: float | None,
    tone: float | None,
    higher_hz: float,
) -> list[Any]:
    rate_hz, layout = sound.rate, sound.layout.name
    times_s = np.arange(round((until_s or len(seconds)) * rate_hz)) / rate_hz
    hz = np.array([tone or tone_hz(second) + higher_hz for second in seconds])
    told = hz[np.minimum(times_s.astype(int), len(seconds) - 1)]
    wave = 0.5 * np.sin(2 * np.pi * told * times_s) * _is_on(times_s) * (times_s < len(seconds))
    packets: list[Any] = []
    step = sound.codec_context.frame_size or 1024
    for start in range(round(from_s * rate_hz), wave.size, step):
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
    return packets + list(sound.encode(None))


def cut_without_decoding(path: Path, source: Path, from_s: float) -> Path:
    """What ``ffmpeg -ss … -c copy`` writes: packets from the keyframe before, and an edit list."""
    with av.open(str(source)) as whole, av.open(str(path), "w") as out:
        streams = {one.index: out.add_stream_from_template(one) for one in whole.streams}
        whole.seek(round(from_s * av.time_base))
        for packet in whole.demux():
            if packet.dts is None or packet.pts is None or not packet.time_base:
                continue
            shift = round(from_s / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = streams[packet.stream.index]
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


def _flashes_s(frames: Sequence[tuple[float, float]]) -> list[float]:
    bright = [level > 120 for _, level in frames]
    edges = [index for index in range(1, len(frames)) if bright[index] != bright[index - 1]]
    return [(frames[on][0] + frames[off][0]) / 2 for on, off in pairwise(edges) if bright[on]]


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
        self.flashes_s = _flashes_s(frames)
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

    @classmethod
    def of(
        cls, frames: Sequence[tuple[float, float]], wave: NDArray[np.float32], rate_hz: int
    ) -> Measured:
        """The same of what was decoded already: times and brightness of frames, and the sound."""
        measured = cls.__new__(cls)
        measured.flashes_s, measured.wave, measured.rate_hz = _flashes_s(frames), wave, rate_hz
        return measured

    def beeps_at(self, flash_s: float) -> bool:
        """Whether there is any sound at a flash."""
        return float((self._near(flash_s) ** 2).sum()) > 1

    def beep_after_flash_s(self, flash_s: float) -> float:
        """How much later than a flash its beep has its middle."""
        assert self.beeps_at(flash_s), f"no beep at {flash_s:.2f} s"
        near = self._near(flash_s) ** 2
        first = max(0, round((flash_s - 0.35) * self.rate_hz))
        middle = float((near * np.arange(near.size)).sum() / near.sum())
        return (first + middle) / self.rate_hz - flash_s

    def _near(self, flash_s: float) -> NDArray[np.float64]:
        first = max(0, round((flash_s - 0.35) * self.rate_hz))
        return self.wave[first : round((flash_s + 0.35) * self.rate_hz)].astype(float)

    def hz_at(self, flash_s: float) -> float:
        """The tone of the beep at a flash."""
        first = round((flash_s - 0.08) * self.rate_hz)
        piece = self.wave[first : first + round(0.16 * self.rate_hz)]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(piece.size), 1 << 16))
        return float(np.argmax(spectrum)) * self.rate_hz / (1 << 16)
