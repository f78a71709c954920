"""What is asked for by a picture, in place of words: frames alone can answer that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import SightError
from tools.sight.photo import read_photo
from tools.sight.words import PictureAsked

if TYPE_CHECKING:
    from agent.watching.sight import SeenVideo, Sight

NO_MODEL = (
    "finding by picture needs a model that looks at frames: --sight siglip2-base, clip-vit-b32 or "
    "the folder of one; `whenabouts setup` says which suits this machine"
)


class FramesByPicture:
    """Finds frames that look like a picture; see ``agent.graph.dependencies.FramesSeen``.

    Args:
        sight: What has looked, or will look, at frames.
        file: The picture.

    Raises:
        SightError: If the picture cannot be read, or there is no model that looks at frames.
    """

    by_picture = True

    def __init__(self, sight: Sight, file: Path) -> None:
        picture = read_photo(file)  # A wrong file is told before a model is fetched for it.
        if not sight.name:
            raise SightError(NO_MODEL)
        self._sight = sight
        self._asked = PictureAsked(sight.model, picture)

    def read(self, video_id: str) -> SeenVideo | None:
        """The frames of a video, and what compares the picture with them."""
        seen = self._sight.read(video_id)
        if seen is None:
            return None
        # Pictures and words lie apart: how like texts are to frames says nothing of pictures.
        others = replace(seen.evidence.others, texts=seen.evidence.others.texts[:0])
        evidence = replace(seen.evidence, words=self._asked, others=others, by_picture=True)
        return replace(seen, evidence=evidence)

    def likeliest(self, query: str, video_ids: Sequence[str]) -> list[str]:
        """Which of these videos have frames like the picture, the best first."""
        return self._sight.near(self._asked.embed([query])[0], video_ids)

    def unseen(self, video_ids: Sequence[str]) -> dict[str, str]:
        """Why frames say nothing of some of these videos."""
        return self._sight.unseen(video_ids)
