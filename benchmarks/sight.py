"""Speed and memory of sight: frames a second of ViT-B/32, and warm questions on hours of frames.

    python benchmarks/sight.py [--hours 1 100]

Weights are random: they are as many and as large as CLIP's, and say nothing about accuracy. Needs
the extra `local`, whose transformers draws the architecture.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.grounding.grounder import ground
from tools.grounding.other_frames import OtherFrames
from tools.kept_captions import KeptFrames
from tools.retrieval.sight_evidence import SIGHT
from tools.sight.frame_track import sight_track

if TYPE_CHECKING:
    from numpy.typing import NDArray

THREADS = 2
PICTURES = 96
WIDTH, HEIGHT = 512, 288
WIDTH_OF_VECTORS = 512


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, nargs="*", default=[1.0, 100.0])
    hours = parser.parse_args().hours
    told: dict[str, Any] = {"questions": [question(one) for one in hours]}
    with tempfile.TemporaryDirectory() as scratch:
        folder = draw_clip(Path(scratch))
        told["peak MB"] = peak_mb(folder)
        told["frames"] = frames(folder)
    print(json.dumps(told, indent=2))


def draw_clip(folder: Path) -> Path:
    """CLIP ViT-B/32 with random weights, in a process of its own: torch takes memory."""
    import multiprocessing

    process = multiprocessing.get_context("spawn").Process(target=export_clip, args=(folder,))
    process.start()
    process.join()
    return folder


def export_clip(folder: Path) -> None:
    """Write the half for pictures; the half for words is not needed to look at frames."""
    import torch
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    class Eye(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.clip = CLIPVisionModelWithProjection(
                CLIPVisionConfig(projection_dim=WIDTH_OF_VECTORS)
            )

        def forward(self, pixel_values: Any) -> Any:
            return self.clip(pixel_values=pixel_values).image_embeds

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Eye().eval(),
            (torch.zeros(2, 3, 224, 224),),
            str(folder / "vision_model.onnx"),
            input_names=["pixel_values"],
            output_names=["image_embeds"],
            dynamic_axes={"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}},
            dynamo=False,
        )
    (folder / "text_model.onnx").write_bytes(b"not read here")
    (folder / "tokenizer.json").write_text("{}")
    preparation = {"size": {"shortest_edge": 224}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(preparation))


def frames(folder: Path) -> dict[str, float]:
    """Frames a second, all in all and of the forward pass alone."""
    import onnxruntime

    from tools.sight.joint_model import BATCH_PICTURES, OnnxJointModel

    model = OnnxJointModel(folder, threads=THREADS)
    pictures = some_pictures()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    # Threads that spin while they wait count as work, and take the processor from others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(folder / "vision_model.onnx", options)
    batch = np.zeros((BATCH_PICTURES, 3, 224, 224), np.float32)
    model.embed_pictures(pictures[:BATCH_PICTURES])
    session.run(None, {"pixel_values": batch})
    whole, bare = [], []
    # In turns, so that a busy machine slows both.
    for first in range(0, PICTURES, BATCH_PICTURES):
        begun = now()
        model.embed_pictures(pictures[first : first + BATCH_PICTURES])
        between = now()
        session.run(None, {"pixel_values": batch})
        whole.append(between - begun)
        bare.append(now() - between)
    whole_s, bare_s = (np.median(one, axis=0) / BATCH_PICTURES for one in (whole, bare))
    return {
        "frames a second": round(1 / whole_s[0], 1),
        "forward pass alone": round(1 / bare_s[0], 1),
        "frames a CPU second": round(1 / whole_s[1], 1),
        "forward pass alone, CPU": round(1 / bare_s[1], 1),
        "share": round(float(bare_s[0] / whole_s[0]), 3),
        "share of CPU": round(float(bare_s[1] / whole_s[1]), 3),
    }


def some_pictures() -> list[NDArray[np.uint8]]:
    """Noise of the size that frames have."""
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 255, (PICTURES, HEIGHT, WIDTH, 3), dtype=np.uint8))


def now() -> NDArray[np.float64]:
    """Wall time and CPU time, in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def peak_mb(folder: Path) -> float:
    """Peak memory of a process that only looks at frames, in MB."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    process = context.Process(target=look_alone, args=(folder, told))
    process.start()
    found: float = told.get()
    process.join()
    return found


def look_alone(folder: Path, told: Any) -> None:
    """Look at frames, and tell the memory that it took."""
    from tools.sight.joint_model import OnnxJointModel

    OnnxJointModel(folder, threads=THREADS).embed_pictures(some_pictures())
    told.put(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3))


def question(hours: float) -> dict[str, float]:
    """Milliseconds of one warm question to a video of this many hours, without the text model."""
    count = int(hours * 3600)
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(count, WIDTH_OF_VECTORS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query, texts = vectors[0] + np.float32(0.1), vectors[:40]
    others = OtherFrames(vectors[:: max(1, count // 256)], texts, 0.3)
    # As a store keeps the frames of a video that was asked, with what follows from them alone.
    halves = vectors.astype(np.float16)
    track = sight_track("sight:random", "frame@1/s")
    at_s = np.arange(count, dtype=np.float64)
    frames = KeptFrames("video", track, np.stack([at_s, at_s + 1], axis=1))
    spent = []
    for _ in range(6):
        begun = now()
        ground(
            "a question",
            query,
            frames,
            halves,
            duration_s=float(count),
            background=texts[:0],
            calibration=SIGHT,
            others=others,
        )
        spent.append(now() - begun)
    wall_ms, cpu_ms = 1000 * np.median(spent[1:], axis=0)
    told = {"ms": round(float(wall_ms), 1), "CPU ms": round(float(cpu_ms), 1)}
    return {"hours": hours, "frames": count, **told}


if __name__ == "__main__":
    main()
