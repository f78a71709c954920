"""The datasets by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.datasets import (
    activitynet,
    charades_cd,
    charades_cg,
    charades_sta,
    own,
    qvhighlights,
    tacos,
)
from evaluation.datasets.query import Annotations
from evaluation.datasets.qvhighlights_files import source_of


def _itself(video_id: str) -> str:
    return video_id


@dataclass(frozen=True, slots=True)
class Dataset:
    """How to read one dataset.

    Attributes:
        name: As on the command line.
        says: What it is, in a line.
        form: What its annotations look like.
        read: Reads a file, with lengths of videos that the file itself says nothing of.
        source_of: From a video's name, that of what it was cut from; its own where it is whole.
    """

    name: str
    says: str
    form: str
    read: Callable[[Path, Mapping[str, float]], Annotations]
    source_of: Callable[[str], str] = _itself


DATASETS: Mapping[str, Dataset] = {
    one.name: one
    for one in (
        Dataset("own", "labels of your own", own.FORM, own.read),
        Dataset(
            "qvhighlights",
            "moment retrieval in 150 s of YouTube",
            qvhighlights.FORM,
            qvhighlights.read,
            source_of,
        ),
        Dataset(
            "charades-sta",
            "what people do at home, half a minute each",
            f"{charades_sta.FORM}, or JSON Lines {qvhighlights.FORM}",
            charades_sta.read,
        ),
        Dataset(
            "charades-cd",
            "the same, with events at times as in training (iid) or at others (ood)",
            charades_cd.FORM,
            charades_cd.read,
        ),
        Dataset(
            "charades-cg",
            "the same with novel words, or novel compositions; also spl_test.json",
            charades_cg.FORM,
            charades_cg.read,
        ),
        Dataset(
            "activitynet",
            "ActivityNet Captions: events of two minutes of YouTube",
            f"{activitynet.FORM}, or JSON Lines {qvhighlights.FORM}",
            activitynet.read,
        ),
        Dataset("tacos", "cooking, five minutes each", tacos.FORM, tacos.read),
    )
}
