"""Milliseconds of CPU to ask a library of hours by sight, all in all.

    python benchmarks/sight_library.py [--videos 10 100] [--store FOLDER]

A library is made of videos of an hour with one frame a second: scenes of eight seconds whose frames
are alike, no scene twice, and beside them one measured caption for each scene, as the classical
describer leaves it. The joint model has a half for words that only looks words up, so that its size
is not in the times; everything else is what ``ask --all`` runs. 100 hours are 360,000 frames, which
takes a quarter of an hour and 2 GB; --store keeps them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

# Before numpy is imported: it reads this once.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.api import Grounder
from agent.settings import load_settings
from tools.embedders.embedder import open_embedder
from tools.indexing.sight_pass import track_of
from tools.sight.frame_track import as_caption
from tools.sight.joint_model import OnnxJointModel
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.settings import Settings

HOUR_S, SCENE_S = 3600, 8
SCENES = HOUR_S // SCENE_S
DIMENSION = 512
MEASURED = Track("classical-3", "", "frame@1/s")
ASKED, WARM_UP = 20, 3
LIMIT_MS = 300.0
MOST_VIDEOS = 120
UNKNOWN = "[UNK]"


def word_of(scene: int) -> str:
    """The word that only this scene's frames are like."""
    letters = "bcdfghjklm"
    return "zo" + "".join(letters[int(digit)] for digit in f"{scene:06}")


def direction(seed: int | tuple[int, ...], spread: float = 1.0) -> NDArray[np.float32]:
    """A vector of about this length, anywhere."""
    drawn = np.random.default_rng(seed).standard_normal(DIMENSION) * spread / DIMENSION**0.5
    return np.asarray(drawn, np.float32)


def make_model(folder: Path) -> None:
    """A folder whose half for words adds up what each word points to; pictures are never asked."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    scenes = range(MOST_VIDEOS * SCENES)
    words = {word: at for at, word in enumerate(["[PAD]", UNKNOWN, *map(word_of, scenes)])}
    tokenizer = Tokenizer(WordLevel(words, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = Whitespace()
    table = np.stack([np.zeros(DIMENSION), 0.2 * direction((0, 7)), *map(direction, scenes)])
    pixels = np.random.default_rng(1).standard_normal((3 * 8 * 8, DIMENSION))

    def save(name: str, given: tuple[str, int, list[Any]], values: Any, nodes: Any) -> None:
        inputs = [helper.make_tensor_value_info(given[0], given[1], given[2])]
        if name == "text_model":
            inputs.append(helper.make_tensor_value_info("attention_mask", given[1], given[2]))
        made = helper.make_tensor_value_info(f"{name}_embeds", TensorProto.FLOAT, ["b", DIMENSION])
        graph = helper.make_graph(nodes, name, inputs, [made], values)
        opset = [helper.make_opsetid("", 13)]
        onnx.save(
            helper.make_model(graph, opset_imports=opset, ir_version=8), folder / f"{name}.onnx"
        )

    save(
        "text_model",
        ("input_ids", TensorProto.INT64, ["b", "n"]),
        [
            numpy_helper.from_array(table.astype(np.float32), "table"),
            numpy_helper.from_array(np.array([1]), "axis"),
        ],
        [
            helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
            helper.make_node("ReduceSum", ["rows", "axis"], ["text_model_embeds"], keepdims=0),
        ],
    )
    save(
        "vision_model",
        ("pixel_values", TensorProto.FLOAT, ["b", 3, 8, 8]),
        [numpy_helper.from_array(pixels.astype(np.float32), "weights")],
        [
            helper.make_node("Flatten", ["pixel_values"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["vision_model_embeds"]),
        ],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"shortest_edge": 8}}))


def write(settings: Settings, model: OnnxJointModel, videos: int) -> None:
    """Put as many videos into the store, as far as they are not there."""
    embedder = open_embedder(settings.embedder, cache=settings.cache_folder)
    rng = np.random.default_rng(2)
    seen = track_of(model, 1.0)
    folder = settings.store_folder
    with (
        CaptionStore.open(folder, embedder=embedder.name) as measured,
        CaptionStore.open(folder, embedder=model.name) as frames,
    ):
        there = {one.video_id for one in frames.records()}
        for number in range(videos):
            video_id = f"hour-{number:03}"
            if video_id in there:
                continue
            spans = [Interval(at * SCENE_S, (at + 1) * SCENE_S) for at in range(SCENES)]
            said = [
                Caption(
                    video_id,
                    one,
                    f"grey, brightness {at % 90}%",
                    "signal",
                    MEASURED,
                )
                for at, one in enumerate(spans)
            ]
            vectors = rng.standard_normal((SCENES, embedder.dimension)).astype(np.float32)
            measured.add(said, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
            measured.put_record(record(video_id, MEASURED, SCENES))
            looks = np.stack([direction(number * SCENES + at) for at in range(SCENES)])
            rows = np.repeat(looks, SCENE_S, axis=0) + direction((0, 8))
            rows += 0.5 * rng.standard_normal(rows.shape).astype(np.float32) / DIMENSION**0.5
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            at_s = (Interval(float(at), at + 1.0) for at in range(HOUR_S))
            frames.add([as_caption(video_id, one, seen) for one in at_s], rows)
            frames.put_record(record(video_id, seen, HOUR_S))
        # What was asked before is not read from the database again.
        for store in (measured, frames):
            for one in store.records():
                store.read(one.video_id, one.track)


def record(video_id: str, track: Track, captions: int) -> VideoRecord:
    """Of a complete track of an hour."""
    path = f"/{video_id}.mp4"
    return VideoRecord(video_id, path, float(HOUR_S), track, 1.0, True, "", "", captions)


def ask(settings: Settings, videos: int) -> dict[str, float]:
    """Milliseconds of CPU and of the clock, and how often the right video and scene came first."""
    rng = np.random.default_rng(videos)
    cpu_ms, wall_ms, right = [], [], 0
    with Grounder(settings) as grounder:
        for turn in range(WARM_UP + ASKED):
            video, scene = int(rng.integers(videos)), int(rng.integers(SCENES))
            query = f"a {word_of(video * SCENES + scene)}"
            begun = time.perf_counter(), time.process_time()
            best = grounder.find_all(query, limit=5)[0]
            if turn >= WARM_UP:
                wall_ms.append(1000 * (time.perf_counter() - begun[0]))
                cpu_ms.append(1000 * (time.process_time() - begun[1]))
            span = Interval(scene * SCENE_S, (scene + 1) * SCENE_S)
            right += best.video.id == f"hour-{video:03}" and bool(
                best.intervals and best.intervals[0].span.iou(span) > 0.5
            )
    return {
        "videos": videos,
        "CPU ms": round(statistics.median(cpu_ms)),
        "slowest CPU ms": round(max(cpu_ms)),
        "ms": round(statistics.median(wall_ms)),
        "limit": LIMIT_MS,
        "found first": right,
        "asked": WARM_UP + ASKED,
    }


def main() -> int:
    """Print one line of JSON for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, nargs="+", default=[10], help="sizes")
    parser.add_argument("--store", type=Path, help="folder that keeps what was written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = options.store or Path(scratch)
        folder = home / "model"
        if not folder.is_dir():
            folder.mkdir(parents=True)
            make_model(folder)
        settings = load_settings(
            home=home,
            store=home / "store",
            sight=str(folder),
            captioner="classical",
            reasoner="similarity",
        )
        model = OnnxJointModel(folder)
        for videos in sorted(options.videos):
            write(settings, model, videos)
            print(json.dumps(ask(settings, videos)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
