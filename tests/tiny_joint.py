"""A tiny joint image-text model that knows drawn things: shapes, their colours and their places.

It is trained in seconds, so that what is looked for is really seen in tests.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 96, 72
SIDE_PX = 48
"""Of the square that the model looks at."""
WIDTH = 48
STEPS, BATCH = 600, 64
DRAWN = 4096
"""Pictures it learns from: drawing new ones in every step would take most of the time."""
WELL_BATCH = 96
"""Of one that is trained well: on new pictures in every step, in twice the time."""
UNKNOWN_SHARE = 0.15
"""Of the sentences it learns from, those about things that are never drawn."""

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 190, 60),
    "blue": (50, 80, 230),
    "yellow": (230, 220, 50),
    "white": (245, 245, 245),
    "purple": (160, 50, 190),
}
SHAPES = ("circle", "square", "triangle", "cross", "ring")
PLACES = {"left": (0.2, 0.5), "right": (0.8, 0.5), "top": (0.5, 0.22), "bottom": (0.5, 0.78)}
MIDDLE = (0.5, 0.5)
WORDS = (
    "[PAD] [UNK] a an the on at in is of photo video frame picture something thing empty nothing "
    "there appears"
).split()


@dataclass(frozen=True)
class Thing:
    """What is drawn: one shape, or nothing where there is no colour."""

    colour: str = ""
    shape: str = ""
    place: str = "middle"

    def words(self) -> set[str]:
        """Everything that is true of it."""
        return {self.colour, self.shape, self.place} if self.colour else {"empty"}

    def __str__(self) -> str:
        return f"a {self.colour} {self.shape} on the {self.place}" if self.colour else "nothing"


NOTHING = Thing()


def draw(thing: Thing, rng: np.random.Generator | None = None, *, level: int = 70) -> Picture:
    """A picture of it; with ``rng`` a little different each time."""
    shift, grow, noise = np.zeros(2), 1.0, 0.0
    if rng is not None:
        shift, grow, noise = rng.uniform(-0.05, 0.05, 2), rng.uniform(0.8, 1.25), 6.0
        level = int(rng.integers(30, 130))
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), level, np.uint8)
    if thing.colour:
        x, y = np.add(PLACES.get(thing.place, MIDDLE), shift)
        _draw_shape(picture, thing, (int(x * WIDTH_PX), int(y * HEIGHT_PX)), int(13 * grow))
    if rng is not None:
        noisy = picture + rng.normal(0, noise, picture.shape)
        picture = np.clip(noisy, 0, 255).astype(np.uint8)
    return picture


def _draw_shape(picture: Picture, thing: Thing, at: tuple[int, int], size: int) -> None:
    colour, (x, y) = COLOURS[thing.colour], at
    if thing.shape == "circle":
        cv2.circle(picture, at, size, colour, -1)
    elif thing.shape == "ring":
        cv2.circle(picture, at, size, colour, 4)
    elif thing.shape == "square":
        cv2.rectangle(picture, (x - size, y - size), (x + size, y + size), colour, -1)
    elif thing.shape == "cross":
        cv2.line(picture, (x - size, y), (x + size, y), colour, 7)
        cv2.line(picture, (x, y - size), (x, y + size), colour, 7)
    else:
        corners = np.array([(x, y - size), (x - size, y + size), (x + size, y + size)], np.int32)
        cv2.fillPoly(picture, [corners], colour)


def random_thing(rng: np.random.Generator) -> Thing:
    """One of them, now and then nothing."""
    if rng.random() < 0.08:
        return NOTHING
    colours, places = list(COLOURS), [*PLACES, "middle"]
    return Thing(str(rng.choice(colours)), str(rng.choice(list(SHAPES))), str(rng.choice(places)))


def caption(thing: Thing, rng: np.random.Generator) -> tuple[str, set[str]]:
    """A sentence that is true of it, and which of its words it says."""
    prefix = str(rng.choice(["", "a photo of ", "a video frame of "]))
    if rng.random() < UNKNOWN_SHARE:
        return prefix + _about_others(rng), {"unknown"}
    if not thing.colour:
        return prefix + str(rng.choice(["nothing", "an empty picture"])), {"empty"}
    said = {one for one in thing.words() if rng.random() < 0.75} or {thing.colour}
    colour = thing.colour if thing.colour in said else ""
    noun = thing.shape if thing.shape in said else str(rng.choice(["thing", "something"]))
    place = f"on the {thing.place}" if thing.place in said else ""
    verb = str(rng.choice(["", "is", "appears"])) if place else ""
    words = f"{prefix}a {colour} {noun} {verb} {place}".split()
    return " ".join(words), said


def _about_others(rng: np.random.Generator) -> str:
    """A sentence about things that are never drawn, a few words of which are known."""
    known = [*WORDS[2:], *(() if rng.random() < 0.5 else (*COLOURS, *SHAPES, *PLACES))]
    count = int(rng.integers(0, 8))
    words = [str(rng.choice(known)) if rng.random() < 0.5 else "[UNK]" for _ in range(count)]
    return " ".join(["[UNK]", *words])


def vocabulary() -> dict[str, int]:
    """Number of each word that it knows."""
    return {
        word: number for number, word in enumerate([*WORDS, *COLOURS, *SHAPES, *PLACES, "middle"])
    }


def save_tiny_joint(folder: Path, *, seed: int = 0, steps: int = STEPS, well: bool = False) -> Path:
    """Train one, and write it as ONNX with the usual file names; 0 steps leaves it untrained."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import Whitespace

    torch.manual_seed(seed)
    torch.set_num_threads(1)  # Threads that wait for each other are slow on a busy machine.
    words = vocabulary()
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    eye, ear = _halves(torch, len(words))
    _train(torch, (eye, ear), tokenizer, np.random.default_rng(seed), steps, well=well)
    (folder / "onnx").mkdir(parents=True)
    pixels = torch.zeros(2, 3, SIDE_PX, SIDE_PX)
    _export(torch, eye, (pixels,), folder / "onnx/vision_model.onnx", ["pixel_values"])
    ids = torch.zeros(2, 5, dtype=torch.long)
    names = ["input_ids", "attention_mask"]
    _export(torch, ear, (ids, torch.ones_like(ids)), folder / "onnx/text_model.onnx", names)
    tokenizer.save(str(folder / "tokenizer.json"))
    size = {"height": SIDE_PX, "width": SIDE_PX}
    preparation = {"size": size, "resample": 2, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(preparation))
    (folder / "config.json").write_text(json.dumps({"model_type": "tiny"}))
    return folder


def _halves(torch: Any, words: int) -> tuple[Any, Any]:
    nn = torch.nn

    class Ear(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(words, 64)
            self.join = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, WIDTH))

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            mask = attention_mask.unsqueeze(-1).float()
            return self.join((self.words(input_ids) * mask).sum(1) / mask.sum(1).clamp(min=1))

    eye = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 48, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(48 * 36, 128),
        nn.ReLU(),
        nn.Linear(128, WIDTH),
    )
    return eye, Ear()


def _train(
    torch: Any,
    halves: tuple[Any, Any],
    tokenizer: Any,
    rng: np.random.Generator,
    steps: int,
    *,
    well: bool,
) -> None:
    """Sigmoid loss over all pairs of a batch (Zhai et al., 2023): a caption may fit several."""
    eye, ear = halves
    scale = torch.nn.Parameter(torch.tensor(2.0))
    bias = torch.nn.Parameter(torch.tensor(-3.0))
    weights = [*eye.parameters(), *ear.parameters(), scale, bias]
    optimiser = torch.optim.Adam(weights, lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, max(steps, 1))
    drawn = [random_thing(rng) for _ in range(DRAWN if steps and not well else 0)]
    prepared = [_prepare([draw(thing, rng)])[0] for thing in drawn]
    for _ in range(steps):
        if well:
            things = [random_thing(rng) for _ in range(WELL_BATCH)]
            pixels = _prepare([draw(thing, rng) for thing in things])
        else:
            chosen = rng.integers(len(drawn), size=BATCH)
            things = [drawn[one] for one in chosen]
            pixels = np.stack([prepared[one] for one in chosen])
        said = [caption(thing, rng) for thing in things]
        tokens = tokenizer.encode_batch([text for text, _ in said])
        ids = torch.tensor([one.ids for one in tokens])
        mask = torch.tensor([one.attention_mask for one in tokens])
        fits = [[words <= thing.words() for _, words in said] for thing in things]
        pictures = torch.nn.functional.normalize(eye(torch.from_numpy(pixels)), dim=1)
        texts = torch.nn.functional.normalize(ear(ids, mask), dim=1)
        logits = pictures @ texts.T * scale.exp() + bias
        signs = torch.tensor(fits).float() * 2 - 1
        weight = torch.where(signs > 0, 4.0, 1.0)
        loss = -(torch.nn.functional.logsigmoid(logits * signs) * weight).sum() / len(things)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _prepare(pictures: Sequence[Picture]) -> NDArray[np.float32]:
    small = [cv2.resize(one, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for one in pictures]
    return np.stack(small).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1


def _export(torch: Any, half: Any, example: Any, file: Path, inputs: list[str]) -> None:
    import warnings

    kind = "text" if len(inputs) > 1 else "image"
    axes = {name: {0: "batch"} for name in inputs}
    if kind == "text":
        axes = {name: {0: "batch", 1: "length"} for name in inputs}
    output = f"{kind}_embeds"
    with warnings.catch_warnings():
        # The older exporter is deprecated; the newer one needs a package more, and takes longer.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            half.eval(),
            example,
            str(file),
            input_names=inputs,
            output_names=[output],
            dynamic_axes=axes | {output: {0: "batch"}},
            dynamo=False,
        )
