"""The data set on disk: conversations about pictures, and a manifest that says where they are from.

A folder holds::

    train.jsonl, held_out.jsonl   a conversation a line: images, prompt, completion
    images/DIGEST.jpg             pictures, named by the digest of their bytes
    manifest.json                 who said it and how, counts, cost, digests of the above
    replies.jsonl                 what was bought, as it came; a run that goes on starts from here

The lines are what TRL calls a conversational prompt-completion data set with images.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tools.errors import WhenaboutsError

TRAIN, HELD_OUT, MANIFEST, IMAGES = "train.jsonl", "held_out.jsonl", "manifest.json", "images"

Kind = Literal["description", "question"]


class TuningError(WhenaboutsError):
    """Tuning cannot be done so; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class TuningRow:
    """One question about pictures, and its answer.

    Attributes:
        images: Names of files in the folder of pictures, in time order.
        prompt: What is asked.
        completion: What the tuned model should say.
        video_id: The video that the pictures are of.
        time_s: Time of the first picture.
        kind: What is asked for.
        inside: Whether the event that the prompt speaks of is under way at that time.
    """

    images: tuple[str, ...]
    prompt: str
    completion: str
    video_id: str
    time_s: float
    kind: Kind
    inside: bool

    def as_line(self) -> str:
        """The conversation as a line of JSON."""
        return json.dumps(
            {
                "images": [f"{IMAGES}/{name}" for name in self.images],
                "prompt": [{"role": "user", "content": self.prompt}],
                "completion": [{"role": "assistant", "content": self.completion}],
                "video": self.video_id,
                "time_s": self.time_s,
                "kind": self.kind,
                "inside": self.inside,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_line(cls, line: str) -> TuningRow:
        """Read a line.

        Raises:
            ValueError: If it is not one; says how.
        """
        try:
            row = json.loads(line)
            prompt, completion = row["prompt"][-1]["content"], row["completion"][-1]["content"]
            images = tuple(str(name).removeprefix(f"{IMAGES}/") for name in row["images"])
            one = cls(
                images,
                prompt,
                completion,
                str(row["video"]),
                float(row["time_s"]),
                row["kind"],
                bool(row["inside"]),
            )
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as exc:
            raise ValueError(f"it is no conversation ({type(exc).__name__}: {exc})") from None
        if not (isinstance(prompt, str) and prompt.strip()):
            raise ValueError("its prompt is empty")
        if not (isinstance(completion, str) and completion.strip()):
            raise ValueError("its completion is empty")
        if not images or any("/" in name or "\\" in name or name[:1] == "." for name in images):
            raise ValueError("it names no picture, or one outside the folder of pictures")
        return one


@dataclass(frozen=True, slots=True)
class TuningData:
    """A data set that is as its manifest says.

    Attributes:
        folder: Where it lies.
        train: Conversations to train on.
        held_out: Conversations of other videos, to see when to stop.
        manifest: See ``write_data``.
    """

    folder: Path
    train: Sequence[TuningRow]
    held_out: Sequence[TuningRow]
    manifest: Mapping[str, Any]

    def image(self, name: str) -> Path:
        """The file of a picture."""
        return image_file(self.folder, name)


def write_data(
    folder: Path,
    train: Iterable[TuningRow],
    held_out: Iterable[TuningRow],
    about: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Write a data set; its pictures are there already. Returns the manifest.

    Args:
        folder: Where to.
        train: To train on.
        held_out: Of other videos.
        about: What the manifest says besides counts and digests.

    Raises:
        TuningError: If the disk does not take it.
    """
    sets = {TRAIN: list(train), HELD_OUT: list(held_out)}
    files = {}
    try:
        for name, rows in sets.items():
            text = "".join(f"{row.as_line()}\n" for row in rows)
            files[name] = digest(text.encode())
            _replace(folder / name, text)
        held_videos = sorted({row.video_id for row in sets[HELD_OUT]})
        manifest = {
            **about,
            "conversations": {name: len(rows) for name, rows in sets.items()},
            "images": len(
                {image for rows in sets.values() for row in rows for image in row.images}
            ),
            "files": files,
            "split": digest("\n".join(held_videos).encode()),
        }
        _replace(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    except OSError as exc:
        raise TuningError(
            f"{folder} cannot be written ({exc.strerror or exc}); what the teacher said is kept, "
            "and the same command goes on from there"
        ) from None
    return manifest


def read_data(folder: Path) -> TuningData:
    """Read a data set and see that it is as its manifest says, pictures included.

    Raises:
        TuningError: If it is not; says what differs.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = dict(manifest["files"])
        texts = {name: (folder / name).read_bytes() for name in (TRAIN, HELD_OUT)}
    except FileNotFoundError as exc:
        raise TuningError(
            f"{folder} holds no whole data set: {Path(str(exc.filename)).name} is missing; "
            "whenabouts tune data makes one"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise TuningError(f"{folder / MANIFEST} cannot be read: {exc}") from None
    sets: dict[str, list[TuningRow]] = {}
    for name, text in texts.items():
        if files.get(name) != digest(text):
            raise TuningError(
                f"{folder / name} is not what {MANIFEST} describes: it was changed afterwards; "
                "make the data anew, or take back the change"
            )
        sets[name] = []
        # A line ends with a newline alone: str.splitlines takes U+2028, which a teacher may write.
        lines = text.decode("utf-8", "replace").removesuffix("\n").split("\n") if text else []
        for number, line in enumerate(lines, 1):
            try:
                sets[name].append(TuningRow.from_line(line))
            except ValueError as exc:
                raise TuningError(f"{folder / name}, line {number}: {exc}") from None
    if not sets[TRAIN]:
        raise TuningError(f"{folder / TRAIN} has no conversation to train on")
    data = TuningData(folder, sets[TRAIN], sets[HELD_OUT], manifest)
    for image in sorted({name for rows in sets.values() for row in rows for name in row.images}):
        _check_image(data.image(image))
    return data


def keep_image(folder: Path, jpeg: bytes) -> str:
    """Put a picture into a data set, once; returns its name."""
    name = f"{digest(jpeg)[:32]}.jpg"
    file = image_file(folder, name)
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".part")
        beside.write_bytes(jpeg)
        beside.replace(file)
    return name


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def image_file(folder: Path, name: str) -> Path:
    """Where a picture of a data set lies."""
    return folder / IMAGES / name


def is_whole_image(folder: Path, name: str) -> bool:
    """Whether a picture is there, and has the bytes that its name says."""
    try:
        return digest(image_file(folder, name).read_bytes())[:32] == Path(name).stem
    except OSError:
        return False


def _check_image(file: Path) -> None:
    import cv2
    import numpy as np

    again = "run the same `whenabouts tune data` again: it takes the picture from its video anew"
    try:
        jpeg = file.read_bytes()
    except OSError as exc:
        raise TuningError(
            f"the picture {file} cannot be read ({exc.strerror or exc}); {again}"
        ) from None
    is_whole = digest(jpeg)[:32] == file.stem
    if not is_whole or cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) is None:
        raise TuningError(f"the picture {file} is broken; {again}")


def _replace(file: Path, text: str) -> None:
    beside = file.with_name(f"{file.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
