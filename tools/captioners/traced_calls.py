"""Calls of image models as spans below the step that they are made for.

Image models are asked in threads of their own, where LangChain finds no callbacks, and frames must
not reach any that pass them on as they are. So the callbacks around a step are taken where it
begins, and only those that declare that they keep pictures out of what they tell.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManager, CallbackManagerForLLMRun
    from langchain_core.outputs import LLMResult

    from tools.timeline import Image

MOST_CALLS = 50
"""Most calls told of one step: an hour of video has thousands. Failed ones are always told."""


@dataclass(slots=True)
class Call:
    """One call under way; set these before it ends.

    Attributes:
        reply: What the model said.
        tokens_in: As the service counts them; None where it does not.
        tokens_out: As above.
        usd: What it cost; None where that is not known.
    """

    reply: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None


class TracedCalls:
    """The calls of one step. Many threads may make some at the same time.

    Args:
        around: The callbacks of the step; None where nobody listens.
    """

    def __init__(self, around: CallbackManager | None) -> None:
        self._around = around
        self._left = MOST_CALLS
        self._lock = threading.Lock()

    @classmethod
    def of_this_step(cls) -> TracedCalls:
        """For the step that this thread is in; nothing is told where nobody listens."""
        if "langchain_core.runnables.config" not in sys.modules:
            return cls(None)
        from langchain_core.callbacks import CallbackManager
        from langchain_core.runnables.config import ensure_config

        config = ensure_config()
        around = config.get("callbacks") or []
        # A manager made in the usual way would add LangSmith's own tracer, where that is on.
        listening = around if isinstance(around, list) else around.handlers
        handlers = [one for one in listening if getattr(one, "keeps_pictures_out", False)]
        if not handlers:
            return cls(None)
        parent = None if isinstance(around, list) else around.parent_run_id
        return cls(CallbackManager(handlers, parent_run_id=parent, metadata=config.get("metadata")))

    @contextmanager
    def call(
        self, model: str, prompt: str, times_s: Sequence[float], pictures: Sequence[bytes | Image]
    ) -> Iterator[Call]:
        """Tell of the block as one call of a model.

        Args:
            model: Its name.
            prompt: What it is told.
            times_s: When each picture was, in seconds of the video.
            pictures: What it is shown; listeners put placeholders in their place.
        """
        call = Call()
        if self._around is None:
            yield call
            return
        with self._lock:
            is_told, self._left = self._left > 0, self._left - 1
        run = self._begin(model, prompt, times_s, pictures) if is_told else None
        try:
            yield call
        except BaseException as exc:
            (run or self._begin(model, prompt, times_s, pictures)).on_llm_error(exc)
            raise
        if run:
            run.on_llm_end(_result(call))

    def _begin(
        self, model: str, prompt: str, times_s: Sequence[float], pictures: Sequence[bytes | Image]
    ) -> CallbackManagerForLLMRun:
        from langchain_core.callbacks import CallbackManager
        from langchain_core.messages import HumanMessage

        assert self._around is not None
        shown: list[str | dict[Any, Any]] = [{"type": "text", "text": prompt}]
        shown += [{"type": "image", "image": picture} for picture in pictures]
        facts = {"ls_model_name": model, "frame_times_s": [*times_s]}
        manager = CallbackManager(
            self._around.handlers,
            parent_run_id=self._around.parent_run_id,
            metadata=self._around.metadata | facts,
        )
        (run,) = manager.on_chat_model_start(
            {"name": model}, [[HumanMessage(content=shown)]], name=model
        )
        return run


def _result(call: Call) -> LLMResult:
    from langchain_core.messages import AIMessage
    from langchain_core.messages.ai import UsageMetadata
    from langchain_core.outputs import ChatGeneration, LLMResult

    tokens_in, tokens_out = call.tokens_in or 0, call.tokens_out or 0
    message = AIMessage(
        call.reply,
        usage_metadata=UsageMetadata(
            input_tokens=tokens_in, output_tokens=tokens_out, total_tokens=tokens_in + tokens_out
        ),
        response_metadata={} if call.usd is None else {"usd": call.usd},
    )
    return LLMResult(generations=[[ChatGeneration(message=message)]])
