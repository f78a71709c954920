"""Small, short events drawn into rooms that are filmed badly: grain, flicker, shaking, zooming."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.timeline import Frame, Interval

WIDTH_PX, HEIGHT_PX = 320, 180
CLIP_S = 14.0

CONDITIONS = (
    *("plain", "grain", "flicker", "mains", "exposure", "compression"),
    *("shake", "sway", "pan", "zoom"),
)
"""``mains`` is light that differs from row to row, as lamps flicker while a picture is taken."""

_NO_LUMA = np.zeros((1, 36, 64), np.uint8)
_GRAIN, _LITTLE_GRAIN = 14, 3

Picture = NDArray[np.float32]


class DrawnClip(NamedTuple):
    """A clip, and when something is there that covers 1 to 5% of the picture for 1 to 2 s."""

    frames: Iterator[Frame]
    event: Interval


class _Event(NamedTuple):
    span: Interval
    rows: slice
    columns: slice
    levels: int


def draw_clip(random: np.random.Generator, condition: str, *, rate_hz: float) -> DrawnClip:
    """The next clip.

    Args:
        random: What is random in it: the room, and where and when something is there, what shape it
            has (two fifths are thinner than a block), and by how many levels it differs, 30 to 60.
        condition: One of ``CONDITIONS``.
        rate_hz: Frames per second.
    """
    room = _room(random)
    event = _event(random)
    return DrawnClip(_frames(random, room, event, condition, rate_hz), event.span)


def _room(random: np.random.Generator) -> Picture:
    """Half as large again as the picture, so that a camera can move in it."""
    size = (WIDTH_PX * 3 // 2, HEIGHT_PX * 3 // 2)
    edges = cv2.INTER_NEAREST if random.random() < 0.5 else cv2.INTER_CUBIC
    things = random.integers(60, 200, (13, 23, 3)).astype(np.float32)
    surface = random.integers(-25, 26, (90, 160, 3)).astype(np.float32)
    return np.asarray(
        cv2.resize(things, size, interpolation=edges)
        + cv2.resize(surface, size, interpolation=cv2.INTER_LINEAR),
        np.float32,
    )


def _event(random: np.random.Generator) -> _Event:
    share, length_s, start_s = random.uniform((0.01, 1, 5), (0.05, 2, 8))
    ratio = random.choice([0.04, 0.4, 1.0, 2.5, 40.0])
    high = min(round((share * WIDTH_PX * HEIGHT_PX / ratio) ** 0.5), HEIGHT_PX - 1)
    wide = min(round(share * WIDTH_PX * HEIGHT_PX / high), WIDTH_PX - 1)
    left, top = random.integers(0, (WIDTH_PX - wide, HEIGHT_PX - high))
    left, top = int(left) + WIDTH_PX // 4, int(top) + HEIGHT_PX // 4
    levels = int(random.choice([-1, 1]) * random.integers(30, 60))
    span = Interval(float(start_s), float(start_s + length_s))
    return _Event(span, slice(top, top + high), slice(left, left + wide), levels)


def _frames(
    random: np.random.Generator, room: Picture, event: _Event, condition: str, rate_hz: float
) -> Iterator[Frame]:
    for time_s in np.arange(0, CLIP_S, 1 / rate_hz):
        shown = room.copy()
        if event.span.start_s <= time_s < event.span.end_s:
            shown[event.rows, event.columns] += event.levels
        seen = _lit(random, _filmed(random, shown, condition, time_s), condition, time_s)
        seen = seen + random.normal(
            0, _GRAIN if condition == "grain" else _LITTLE_GRAIN, seen.shape
        )
        image: Any = np.clip(seen, 0, 255).astype(np.uint8)
        if condition == "compression":
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(12, 25))]
            image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
        yield Frame(float(time_s), image, None, None, _NO_LUMA, np.array([time_s]))


def _filmed(random: np.random.Generator, room: Picture, condition: str, time_s: float) -> Picture:
    """What of the room is in the picture."""
    left, top, zoom = WIDTH_PX / 4, HEIGHT_PX / 4, 1.0
    if condition == "shake":
        left, top = left + random.uniform(-3, 3), top + random.uniform(-3, 3)
    elif condition == "sway":
        left, top = left + 6 * np.sin(1.3 * time_s), top + 3 * np.cos(0.9 * time_s)
    elif condition == "pan":
        left += 1.5 * (time_s - CLIP_S / 2)
    elif condition == "zoom":
        zoom += 0.004 * time_s
    middle = np.array([WIDTH_PX, HEIGHT_PX]) / 2
    corner = middle - zoom * (np.array([left, top]) + middle)
    matrix = np.array([[zoom, 0, corner[0]], [0, zoom, corner[1]]], np.float32)
    size = (WIDTH_PX, HEIGHT_PX)
    return np.asarray(cv2.warpAffine(room, matrix, size, flags=cv2.INTER_LINEAR), np.float32)


def _lit(random: np.random.Generator, seen: Picture, condition: str, time_s: float) -> Any:
    if condition == "flicker":
        return seen * (1 + random.uniform(-0.06, 0.06))
    if condition == "mains":
        rows = 0.03 * np.sin(np.linspace(0, 6, HEIGHT_PX) + 5 * time_s)
        return seen * (1 + 0.05 * np.sin(2 * np.pi * 50.15 * time_s) + rows[:, None, None])
    if condition == "exposure":
        return seen * (1 + 0.02 * (time_s - CLIP_S / 2))
    return seen
