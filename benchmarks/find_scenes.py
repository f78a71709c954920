"""Shot cuts against the true joins of a composed video, and against PySceneDetect.

    pip install scenedetect
    python benchmarks/find_scenes.py [VIDEOS]

Ours are found on the way, in the pass that samples frames for captions; PySceneDetect reads every
frame with OpenCV. A cut counts as found within 0.25 s.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.indexing.scenes import SceneFinder
from tools.video.reader import FrameReader, probe

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "videos"

NEAR_S = 0.25


def ours(path: Path) -> list[float]:
    """Cuts found while sampling one frame a second."""
    reader = FrameReader(probe(path), rate_hz=1.0, earlier=False)
    finder = SceneFinder()
    for frame in reader:
        finder.watch(frame)
    return [scene.start_s for scene in finder.scenes(reader.decoded_until_s)[1:]]


def theirs(path: Path, name: str) -> list[float]:
    """Cuts found by one of PySceneDetect's detectors, with its defaults."""
    # Not an import statement: it is no dependency, and has no types.
    scenedetect = importlib.import_module("scenedetect")
    detector = getattr(scenedetect, name)()
    scenes = scenedetect.detect(str(path), detector)
    return [float(start.seconds) for start, _ in scenes[1:]]


def agreeing(some_s: list[float], others_s: list[float]) -> int:
    """How many of the first are near one of the others."""
    return sum(any(abs(one - other) <= NEAR_S for other in others_s) for one in some_s)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description="Compare shot cuts with true joins.")
    parser.add_argument(
        "videos", type=Path, nargs="?", default=FOLDER, help="folder of the recorded videos"
    )
    folder: Path = parser.parse_args().videos
    if not folder.exists():
        print(f"skipped: no videos at {folder}; name the folder")
        return
    if not importlib.util.find_spec("scenedetect"):
        print("skipped: PySceneDetect is missing; pip install scenedetect")
        return
    path = folder / "permissive_composite.mp4"
    segments = json.loads((folder / "permissive_composite_segments.json").read_text())
    true_s = [segment["start"] for segment in segments[1:]]
    print(f"{path.name}: {len(true_s)} joins (and cuts inside its parts, which are not listed)")
    for name in ("ours", "ContentDetector", "AdaptiveDetector", "HistogramDetector"):
        started_s = time.process_time()
        found_s = ours(path) if name == "ours" else theirs(path, name)
        spent_s = time.process_time() - started_s
        print(
            f"{name:18s} {len(found_s):3d} cuts, {agreeing(found_s, true_s) / len(found_s):4.0%} "
            f"of them joins, {agreeing(true_s, found_s) / len(true_s):4.0%} of the joins found, "
            f"{spent_s:5.1f} CPU seconds with decoding"
        )


if __name__ == "__main__":
    main()
