"""A world of drawn pictures, for trying the pipeline: things with marks, and what the marks mean.

A mark on a thing stands for what the thing does: a dot for sleeping, a cross for dancing. The tiny
base model has learnt to see marks and has no idea what they mean; that is what it is tuned on. This
shows that data, training and captions fit together and that a model learns from them. It says
nothing about real video.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_PX = 48
HALF_PX = 11
RATE_HZ = 4
COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (50, 70, 220),
    "yellow": (230, 210, 40),
}
SHAPES = ("circle", "square", "triangle")
MARKS = {"a dot": "sleeps", "a cross": "dances", "a bar": "swims", "a hole": "eats"}
"""What each mark stands for."""
PLAIN, WAITS = "no mark", "waits"


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: a thing at (x, y), in pixels, with a mark."""

    thing: str
    mark: str
    at: tuple[int, int]

    @property
    def action(self) -> str:
        """What the mark stands for."""
        return MARKS.get(self.mark, WAITS)

    @property
    def sentence(self) -> str:
        """What is being done."""
        return f"the {self.thing} {self.action}"

    @property
    def appearance(self) -> str:
        """What is there; says nothing of what is done."""
        return f"A {self.thing} with {self.mark}."

    def draw(self) -> NDArray[np.uint8]:
        """RGB, shape ``(48, 48, 3)``."""
        import cv2

        picture = np.full((SIDE_PX, SIDE_PX, 3), 235, np.uint8)
        colour, shape = self.thing.split()
        rgb, (x, y) = COLOURS[colour], self.at
        left, right, top, bottom = x - HALF_PX, x + HALF_PX - 1, y - HALF_PX, y + HALF_PX - 1
        if shape == "circle":
            cv2.circle(picture, self.at, HALF_PX, rgb, -1)
        elif shape == "square":
            cv2.rectangle(picture, (left, top), (right, bottom), rgb, -1)
        else:
            cv2.fillPoly(picture, [np.array([(x, top), (left, bottom), (right, bottom)])], rgb)
        dark, middle = (20, 20, 20), (x, y + 2)
        if self.mark == "a dot":
            cv2.circle(picture, middle, 3, dark, -1)
        elif self.mark == "a cross":
            cv2.line(picture, (x - 4, y - 2), (x + 4, y + 6), dark, 2)
            cv2.line(picture, (x + 4, y - 2), (x - 4, y + 6), dark, 2)
        elif self.mark == "a bar":
            cv2.line(picture, (x - 6, y + 2), (x + 6, y + 2), dark, 2)
        elif self.mark == "a hole":
            cv2.circle(picture, middle, 5, (235, 235, 235), -1)
        return picture


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be seen from one time to another, in seconds."""

    start_s: float
    end_s: float
    scene: Scene


def make_scene(chance: random.Random, *, thing: str = "", mark: str = "") -> Scene:
    """A picture by chance, of a given thing or with a given mark."""
    thing = thing or f"{chance.choice(list(COLOURS))} {chance.choice(SHAPES)}"
    x, y = (chance.randint(HALF_PX + 1, SIDE_PX - HALF_PX - 1) for _ in range(2))
    return Scene(thing, mark or chance.choice([*MARKS, PLAIN]), (x, y))


def make_events(chance: random.Random) -> list[Event]:
    """A video's worth: one thing, three marks, each once, and none in between."""
    thing = make_scene(chance).thing
    events, at_s = [], 0.0
    marks = chance.sample(list(MARKS), 3)
    for mark in [PLAIN, *(one for shown in marks for one in (shown, PLAIN))]:
        length_s = chance.randint(3, 6)
        scene = make_scene(chance, thing=thing, mark=mark)
        events.append(Event(at_s, at_s + length_s, scene))
        at_s += length_s
    return events


def write_video(path: Path, events: Sequence[Event]) -> Path:
    """Draw events into a file, four pictures a second."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE_HZ, options={"crf": "12"})
        stream.width = stream.height = SIDE_PX
        stream.pix_fmt = "yuv444p"
        for event in events:
            picture = event.scene.draw()
            for _ in range(round((event.end_s - event.start_s) * RATE_HZ)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
