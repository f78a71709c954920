"""A checkpoint on this machine that is shown frames and asked for one word, with its odds."""

from __future__ import annotations

import io
import math
import threading
from typing import TYPE_CHECKING

import numpy as np

from tools.captioners.image_model import FrameAnswer, FrameQuestion
from tools.captioners.looks import Look
from tools.errors import CaptionerError
from tools.llm.completion import Completion

if TYPE_CHECKING:
    from tools.captioners.local import LocalCaptioner
    from tools.captioners.traced_calls import TracedCalls
    from tools.llm.outage import Outages


class LocalImageModel:
    """Answers with the first token of a reply; one question at a time, whoever asks.

    Args:
        captioner: Has the checkpoint; it is in memory once.

    Attributes:
        name: That of the captioner's model.

    Raises:
        CaptionerError: If the model cannot be asked anything.
    """

    def __init__(self, captioner: LocalCaptioner) -> None:
        if not captioner.takes_questions:
            raise CaptionerError(
                f"{captioner.model} has no chat template: it says what it sees, and cannot be asked"
            )
        self.name = captioner.model
        self._captioner = captioner
        self._asking = threading.Lock()

    @property
    def most_frames(self) -> None:
        """See ``AskedModel``."""
        return

    def ask(
        self,
        question: FrameQuestion,
        calls: TracedCalls,
        *,
        stopping: threading.Event | None = None,  # noqa: ARG002  # nothing is tried twice here
        until: float = math.inf,  # noqa: ARG002
        outages: Outages | None = None,  # noqa: ARG002
    ) -> FrameAnswer:
        """See ``ImageModel``; ``later`` and ``response_format`` are for longer replies.

        Raises:
            CaptionerError: If the model cannot be shown this, or memory runs out.
        """
        times_s = [one.time_s for one in question.frames]
        jpegs = [one.jpeg for one in question.frames]
        look = Look(tuple(times_s), tuple(map(_picture, jpegs)))
        with self._asking, calls.call(self.name, question.prompt, times_s, jpegs) as call:
            tokens = self._captioner.first_tokens(look, question.prompt, count=question.odds or 1)
            rows = [{"token": text, "logprob": logprob} for text, logprob in tokens]
            call.reply = tokens[0][0].strip()
        reply = Completion(
            text=tokens[0][0].strip(),
            refusal="",
            finish="stop",
            thought=False,
            fault="",
            logprobs=[{**rows[0], "top_logprobs": rows}],
        )
        return FrameAnswer(reply, 0.0, 0, 0)

    def most_usd(self, prompt: str, frames: int) -> float | None:  # noqa: ARG002
        """Nothing: it runs here."""
        return 0.0


def _picture(jpeg: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    from PIL import Image

    with Image.open(io.BytesIO(jpeg)) as opened:
        return np.asarray(opened.convert("RGB"))
