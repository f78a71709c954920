"""How well sight finds what is asked for in labelled videos, for those who have a model.

    python -m evaluation.sight_on_videos VIDEOS --sight siglip2-base [--yes]

VIDEOS is a folder with videos (VID.mp4) and ``ground_truth.jsonl``: ``vid``, ``query`` and
``relevant_windows`` a line. The JSON that is printed names the model.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from agent.api import Grounder, load_settings
from tools.terminal import put_json
from tools.timeline import Interval


def main() -> None:
    """Ask each question by sight and the classical describer alone, and print figures."""
    parser = argparse.ArgumentParser(description="R@1 and mIoU of sight on labelled videos")
    parser.add_argument("videos", type=Path)
    parser.add_argument("--sight", default="siglip2-base")
    parser.add_argument("--yes", action="store_true", help="fetch the model without asking")
    args = parser.parse_args()
    settings = load_settings(captioner="classical", reasoner="similarity", sight=args.sight)
    lines = (args.videos / "ground_truth.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    ious, found, model = [], 0, ""
    with Grounder(settings, confirm=lambda _name, _bytes: args.yes) as grounder:
        for row in rows:
            answer = grounder.find(args.videos / f"{row['vid']}.mp4", row["query"])
            model = answer.models.sight or model
            found += answer.verdict == "found"
            best = [*answer.intervals, *answer.candidates][:1]
            windows = [Interval(*window) for window in row["relevant_windows"]]
            ious.append(max((one.iou(best[0].span) for one in windows), default=0.0) if best else 0)
    count = max(1, len(ious))
    told = {
        "sight": model,
        "queries": len(ious),
        "found": found / count,
        "mIoU": sum(ious) / count,
        **{f"R@1 at {bar}": sum(one >= bar for one in ious) / count for bar in (0.3, 0.5, 0.7)},
    }
    put_json(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
