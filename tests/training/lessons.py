"""What tests of ``tune data`` share: a teacher's replies, and the command."""

import json
from pathlib import Path

from agent.cli.main import main
from tests.servers import Answer, Asked, says
from training.teacher import NOT_SHOWN

INSIDE, OUTSIDE = "marked this moment", "another time of the video"


def lesson(asked: Asked) -> Answer:
    """A reply that fits what was asked."""
    visible = INSIDE in asked.text
    said = "It dances on a grey floor." if visible else f"{NOT_SHOWN} It waits."
    questions = [{"question": "What does it do?", "answer": "It moves."}]
    return says(json.dumps({"visible": visible, "description": said, "questions": questions}))


def arguments(videos: Path, out: Path, *more: str) -> list[str]:
    """Those of ``whenabouts``."""
    labels = str(videos / "labels.csv")
    where = ["--annotations", labels, "--videos", str(videos), "--out", str(out)]
    return ["tune", "data", "--dataset", "own", *where, *more]


def tune(videos: Path, out: Path, *more: str) -> int:
    """Run it here; returns the exit code."""
    return main(arguments(videos, out, *more))
