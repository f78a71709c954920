"""The transformers captioner: an image-text model on this machine, many frames at a time."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tools.captioners.checkpoints import find_model, fingerprint, holds_conversations, missing_parts
from tools.captioners.hub import choices
from tools.captioners.looks import LookMode, take_looks
from tools.captioners.protocol import Description, NoCaption
from tools.captioners.traced_calls import TracedCalls
from tools.errors import CaptionerError
from tools.llm.caption_text import caption_of
from tools.llm.thoughts import without_thoughts
from tools.text import one_line
from tools.user_paths import expand_user

if TYPE_CHECKING:
    from tools.captioners.looks import Look
    from tools.captioners.vision_model import VisionModel
    from tools.timeline import Frame

INSTALL = "pip install 'whenabouts[local]'"

GPU_BATCH = 32
CPU_BATCH = 4
"""A processor gains little from more, and an interrupted run loses the batch in hand."""

ANSWER_TOKENS = 400
"""Room for what is said of several frames at once, as JSON."""


class LocalCaptioner:
    """Describes frames with a checkpoint on this machine; it never downloads one.

    A model that says nothing of a look gets a ``NoCaption`` for it.

    The same frames get the same words: decoding is greedy. (Another batch size, device or dtype
    rounds differently, which now and then changes a word.) When memory runs out the batch is halved
    from then on, and the same frames are tried again.

    Args:
        model: A folder, or a name on the hub that ``tools.captioners.hub.download_model`` has
            fetched.
        prompt: What to ask of each look, rendered; a model without a chat template is not shown it.
        prompt_version: Of that prompt; with the query in it where the prompt shows one.
        mode: What is shown at a time.
        adapter: Folder of a LoRA adapter (peft) made for the model.
        device: ``auto``, or a torch device; see ``VisionModel``.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        batch_size: Looks at a time; None for 32 on a GPU and 4 on a processor.
        max_new_tokens: Where a caption is cut off.
        long_side_px: Larger pictures are made smaller. Frames come 512 px long at most, so this
            matters to grids.
        threads: Of the processor, for torch; None for as many as there are, at most eight.

    Raises:
        CaptionerError: If the extra is not installed, the model is not on this machine, or it
            cannot be shown frames that way.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        prompt: str,
        prompt_version: str,
        mode: LookMode | None = None,
        adapter: Path | None = None,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int | None = None,
        max_new_tokens: int = 96,
        long_side_px: int = 1024,
        threads: int | None = None,
    ) -> None:
        check_installed(adapter)
        self._folder = _whole_folder(model)
        self._adapter = _whole_adapter(adapter)
        self._name = Path(model).name if Path(model).is_dir() else str(model)
        self._asks = holds_conversations(self._folder)
        self._mode = mode or LookMode()
        if self._mode.kind == "clip" and not self._asks:
            raise CaptionerError(
                f"{self._name} has no chat template, so it can look at only one picture at a time; "
                "use frame or grid4"
            )
        self._prompt = prompt
        self._prompt_version = prompt_version
        self._device = device
        self._dtype = dtype
        self._batch_size = batch_size
        self._max_new_tokens = max_new_tokens
        self._long_side_px = long_side_px
        self._threads = threads
        self._lender: LocalCaptioner | None = None

    def asked(self, prompt: str, prompt_version: str) -> LocalCaptioner:
        """The same model asked something else; it is in memory once."""
        other = copy.copy(self)
        other._prompt, other._prompt_version = prompt, prompt_version  # noqa: SLF001  # its own kind
        other._lender = self._lender or self  # noqa: SLF001
        return other

    @property
    def most_together(self) -> None:
        """See ``TakesSeveral``."""
        return

    def shown_together(
        self, prompt: str, prompt_version: str, *, frames: int
    ) -> LocalCaptioner | None:
        """See ``TakesSeveral``."""
        if not self._asks:
            return None
        other = self.asked(prompt, prompt_version)
        other._mode = LookMode("clip", frames)  # noqa: SLF001  # its own kind
        other._max_new_tokens = max(self._max_new_tokens, ANSWER_TOKENS)  # noqa: SLF001
        return other

    @property
    def takes_questions(self) -> bool:
        """Whether it has a chat template."""
        return self._asks

    def first_tokens(self, look: Look, prompt: str, *, count: int) -> list[tuple[str, float]]:
        """The likeliest first tokens of its reply to a question; see ``VisionModel``.

        Raises:
            CaptionerError: If the model cannot be shown this, or memory runs out.
        """
        from tools.captioners.vision_model import is_out_of_memory

        try:
            return self._loaded.first_tokens(look, prompt=prompt, count=count)
        except RuntimeError as exc:
            if is_out_of_memory(exc):
                raise CaptionerError(
                    f"{self._name} runs out of memory on {self._loaded.device} with "
                    f"{len(look.images)} pictures"
                ) from None
            raise

    @cached_property
    def model(self) -> str:
        """``local:``, the name, and a digest of weights, settings, adapter and sizes."""
        parts = [fingerprint(self._folder), f"{self._max_new_tokens} {self._long_side_px}"]
        name = self._name
        if self._adapter:
            parts.append(fingerprint(self._adapter))
            name = f"{name}+{self._adapter.name}"
        digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]
        return f"local:{name}@{digest}"

    @property
    def prompt_version(self) -> str:
        return self._prompt_version if self._asks else ""

    @property
    def mode(self) -> str:
        return str(self._mode)

    def describe(
        self, frames: Iterable[Frame], *, seen: Container[float]
    ) -> Iterator[Description | NoCaption]:
        """Describe frames in batches; see ``Captioner``."""
        calls = TracedCalls.of_this_step()
        waiting: list[Look] = []
        for look in take_looks(frames, self._mode, seen=seen, long_side_px=self._long_side_px):
            waiting.append(look)
            if len(waiting) >= self.batch_size:
                yield from self._describe(waiting, calls)
                waiting = []
        yield from self._describe(waiting, calls)

    @property
    def batch_size(self) -> int:
        """Looks at a time: as given, or fewer once memory ran out."""
        if self._batch_size is None:
            self._batch_size = CPU_BATCH if self._loaded.device.type == "cpu" else GPU_BATCH
        return self._batch_size

    def _describe(
        self, looks: Sequence[Look], calls: TracedCalls
    ) -> Iterator[Description | NoCaption]:
        """Describe looks in time order, in halved batches from where memory runs out on."""
        from tools.captioners.vision_model import free_memory

        done = 0
        while done < len(looks):
            batch = looks[done : done + self.batch_size]
            times_s = [time_s for look in batch for time_s in look.times_s]
            pictures = [image for look in batch for image in look.images]
            with calls.call(self.model, self._prompt, times_s, pictures) as call:
                texts = self._try(batch)
                call.reply = "\n".join(texts or ["(memory ran out)"])
            if texts is not None:
                yield from map(_said, batch, texts)
                done += len(batch)
            elif len(batch) == 1:
                raise CaptionerError(
                    f"{self._name} runs out of memory on {self._loaded.device} with a single look; "
                    "use a smaller model, fewer pictures a look, or dtype bfloat16"
                )
            else:
                self._batch_size = len(batch) // 2
                free_memory()

    def _try(self, looks: Sequence[Look]) -> list[str] | None:
        """The texts, or None if memory ran out.

        The error is dropped here: it keeps alive every tensor of the frames it passed through.
        """
        from tools.captioners.vision_model import is_out_of_memory

        try:
            return self._loaded.write(
                looks, prompt=self._prompt, max_new_tokens=self._max_new_tokens
            )
        except RuntimeError as exc:
            if is_out_of_memory(exc):
                return None
            raise

    @cached_property
    def _loaded(self) -> VisionModel:
        if self._lender:
            return self._lender._loaded  # noqa: SLF001
        from tools.captioners.vision_model import VisionModel

        return VisionModel(
            self._folder,
            adapter=self._adapter,
            device=self._device,
            dtype=self._dtype,
            threads=self._threads,
        )


def _said(look: Look, text: str) -> Description | NoCaption:
    spoken = without_thoughts(text)
    caption = caption_of(spoken.text, cut_off=False)
    if text := one_line(caption.text):
        return Description(look.time_s, text, "vision", look.last_s)
    thought = spoken.thought or caption.thought
    reason = "the model thought and said nothing" if thought else "the model wrote nothing"
    return NoCaption(look.time_s, reason, look.last_s)


def check_installed(adapter: Path | None) -> None:
    """Whether the extra is here.

    Raises:
        CaptionerError: If not; says how to install it.
    """
    needed = ["torch", "transformers", "accelerate", *(["peft"] if adapter else [])]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise CaptionerError(
            f"captions by a model on this machine need {' and '.join(missing)}: {INSTALL}"
        )


def _whole_folder(model: str | Path) -> Path:
    found = find_model(model)
    if found:
        return found
    folder = expand_user(model)
    if folder.is_dir():
        missing = " and ".join(missing_parts(folder))
        raise CaptionerError(f"{folder} holds no image-text checkpoint: {missing} missing")
    raise CaptionerError(
        f"the model {model} is neither a folder nor in the hub's cache on this machine; fetch it "
        f"from the hub first; {choices()}"
    )


def _whole_adapter(adapter: Path | None) -> Path | None:
    if adapter is None:
        return None
    folder = expand_user(adapter).absolute()
    weights = ("adapter_model.safetensors", "adapter_model.bin")
    if not (folder / "adapter_config.json").is_file() or not any(
        (folder / name).is_file() for name in weights
    ):
        raise CaptionerError(
            f"{adapter} is not a LoRA adapter: it must hold adapter_config.json and {weights[0]}"
        )
    return folder
