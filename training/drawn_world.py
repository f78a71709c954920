"""A world of drawn pictures: two shapes, and what one does to the other. For trying the pipeline.

It shows that data, training and captions fit together and that a model learns from them. It says
nothing about real video.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_PX = 48
SIZE_PX = 12
RATE_HZ = 4
COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (50, 70, 220),
    "yellow": (230, 210, 40),
}
SHAPES = ("circle", "square", "triangle")
ACTIONS = {
    "sits on": (0, -SIZE_PX),
    "hangs under": (0, SIZE_PX),
    "pushes from the left": (-SIZE_PX, 0),
    "pushes from the right": (SIZE_PX, 0),
}
"""What the first shape does, with its place beside the second one in pixels."""
APART = "is far from"
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: two shapes at their centres (x, y, in pixels), and what the first one does."""

    first: str
    second: str
    first_at: tuple[int, int]
    second_at: tuple[int, int]
    action: str

    @property
    def sentence(self) -> str:
        """What is being done."""
        return f"the {self.first} {self.action} the {self.second}"

    @property
    def places(self) -> str:
        """What is where; says nothing of what is done."""
        return (
            f"A {self.first} {_place(self.first_at)}, and a {self.second} {_place(self.second_at)}."
        )

    def draw(self) -> NDArray[np.uint8]:
        """RGB, shape ``(48, 48, 3)``."""
        picture = np.full((SIDE_PX, SIDE_PX, 3), 235, np.uint8)
        for named, at in ((self.second, self.second_at), (self.first, self.first_at)):
            _draw(picture, named, at)
        return picture


@dataclass(frozen=True, slots=True)
class Event:
    """What is done from one time to another, in seconds."""

    start_s: float
    end_s: float
    scene: Scene


def make_scene(
    chance: random.Random, *, pair: tuple[str, str] | None = None, action: str = ""
) -> Scene:
    """A picture by chance, of a given pair or with a given action."""
    first, second = pair or make_pair(chance)
    action = action or chance.choice([*ACTIONS, APART])
    half = SIZE_PX // 2
    while True:
        second_at = (chance.randint(half, SIDE_PX - half), chance.randint(half, SIDE_PX - half))
        if action == APART:
            first_at = (chance.randint(half, SIDE_PX - half), chance.randint(half, SIDE_PX - half))
            fits = math.dist(first_at, second_at) > 2 * SIZE_PX
        else:
            dx, dy = ACTIONS[action]
            first_at = (second_at[0] + dx, second_at[1] + dy)
            fits = all(half <= value <= SIDE_PX - half for value in first_at)
        if fits:
            return Scene(first, second, first_at, second_at, action)


def make_pair(chance: random.Random) -> tuple[str, str]:
    """Two different things, such as a red circle and a blue square."""
    things = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    first, second = chance.sample(things, 2)
    return first, second


def make_events(chance: random.Random) -> list[Event]:
    """A video's worth: one pair, each action once, nothing in between."""
    pair = make_pair(chance)
    actions = chance.sample(list(ACTIONS), 3)
    events, at_s = [], 0.0
    for action in [APART, *(one for action in actions for one in (action, APART))]:
        length_s = chance.randint(3, 6)
        events.append(Event(at_s, at_s + length_s, make_scene(chance, pair=pair, action=action)))
        at_s += length_s
    return events


def write_video(path: Path, events: Sequence[Event]) -> Path:
    """Draw events into a file, four pictures a second; a thing wobbles a little as it stays."""
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


def _place(at: tuple[int, int]) -> str:
    column, row = (min(2, value * 3 // SIDE_PX) for value in at)
    return f"at the {ROWS[row]} {COLUMNS[column]}"


def _draw(picture: NDArray[np.uint8], named: str, at: tuple[int, int]) -> None:
    import cv2

    colour, shape = named.split()
    rgb, (x, y), half = COLOURS[colour], at, SIZE_PX // 2
    if shape == "circle":
        cv2.circle(picture, (x, y), half, rgb, -1)
    elif shape == "square":
        cv2.rectangle(picture, (x - half, y - half), (x + half - 1, y + half - 1), rgb, -1)
    else:
        corners = np.array([(x, y - half), (x - half, y + half - 1), (x + half, y + half - 1)])
        cv2.fillPoly(picture, [corners], rgb)
