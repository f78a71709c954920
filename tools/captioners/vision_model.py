"""An image-text model in memory: a batch of looks in, a text for each out.

Any checkpoint that transformers loads as ``AutoModelForImageTextToText``: with a chat template it
is asked the prompt about one or several pictures; without one (BLIP and its kind) it is shown a
single picture and says what it sees.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.captioners.checkpoints import holds_conversations
from tools.captioners.looks import seconds_label
from tools.errors import CaptionerError

if TYPE_CHECKING:
    import torch

    from tools.captioners.looks import Look

DTYPES = ("auto", "float32", "bfloat16", "float16")

MAX_THREADS = 8
"""Threads of a processor; more would only wait for memory."""


class VisionModel:
    """Loads a checkpoint and writes texts with it.

    Args:
        folder: A whole checkpoint.
        adapter: Folder of a LoRA adapter made for it (peft), merged into the weights.
        device: ``auto`` (CUDA, else MPS, else CPU) or a torch device such as ``cuda:1``.
        dtype: One of ``DTYPES``; ``auto`` is bfloat16 on CUDA (float16 where the card has none),
            float16 on MPS, float32 on the CPU.
        threads: Of the processor; None for as many as there are, at most eight. Torch keeps one
            number for the whole process.

    Raises:
        CaptionerError: If the checkpoint or adapter cannot be loaded here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        adapter: Path | None = None,
        device: str = "auto",
        dtype: str = "auto",
        threads: int | None = None,
    ) -> None:
        import torch
        from transformers.utils import logging

        # Our errors say what matters; a bar and a dozen warnings for each load do not.
        logging.disable_progress_bar()
        logging.set_verbosity_error()
        torch.set_num_threads(threads or min(os.cpu_count() or 1, MAX_THREADS))
        self.device = _choose_device(device)
        self.dtype = _choose_dtype(dtype, self.device)
        self.asks = holds_conversations(folder)
        self._processor = _load_processor(folder)
        self._model = _load_model(folder, adapter, self.device, self.dtype)
        self._greedy = copy.deepcopy(self._model.generation_config)
        # Checkpoints bring sampling settings; without them the same frames get the same captions.
        self._greedy.update(do_sample=False, num_beams=1, temperature=None, top_p=None, top_k=None)
        self._greedy.max_length = None

    def write(self, looks: Sequence[Look], *, prompt: str, max_new_tokens: int) -> list[str]:
        """A text for each look, the same whatever else is in the batch, up to rounding.

        Args:
            looks: Their pictures come before the prompt; several each after its time.
            prompt: What to ask; not shown to a model without a chat template.
            max_new_tokens: Where a text is cut off.

        Returns:
            Texts on one line each; empty where the model said nothing.

        Raises:
            CaptionerError: If the model cannot be shown this.
            RuntimeError: If the batch does not fit, ``is_out_of_memory``.
        """
        import torch

        inputs = self._encode(looks, prompt).to(self.device, dtype=self.dtype)
        with torch.inference_mode():
            written = self._model.generate(
                **inputs, generation_config=self._greedy, max_new_tokens=max_new_tokens
            )
        texts = self._processor.batch_decode(
            _without_prompt(written, inputs.get("input_ids")), skip_special_tokens=True
        )
        return [" ".join(text.split()) for text in texts]

    def first_tokens(self, look: Look, *, prompt: str, count: int) -> list[tuple[str, float]]:
        """The likeliest first tokens of a reply, with the logarithms of their probabilities.

        Args:
            look: Its pictures come before the prompt.
            prompt: What to ask.
            count: How many.

        Raises:
            CaptionerError: If the model cannot be shown this.
            RuntimeError: If it does not fit, ``is_out_of_memory``.
        """
        import torch

        inputs = self._encode([look], prompt).to(self.device, dtype=self.dtype)
        with torch.inference_mode():
            written = self._model.generate(
                **inputs,
                generation_config=self._greedy,
                max_new_tokens=1,
                output_logits=True,
                return_dict_in_generate=True,
            )
        odds = written.logits[0][0].float().log_softmax(-1)
        best = odds.topk(min(count, len(odds)))
        texts = self._processor.tokenizer.batch_decode([[token] for token in best.indices.tolist()])
        return list(zip(texts, best.values.tolist(), strict=True))

    def _encode(self, looks: Sequence[Look], prompt: str) -> Any:
        from jinja2 import TemplateError
        from PIL import Image

        try:
            if not self.asks:
                pictures = [Image.fromarray(image) for look in looks for image in look.images]
                return self._processor(images=pictures, return_tensors="pt")
            return self._processor.apply_chat_template(
                [[{"role": "user", "content": _content(look, prompt)}] for look in looks],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                # On the left, so that every text goes on from its own prompt's last token.
                processor_kwargs={"padding": True, "padding_side": "left"},
            )
        except (TemplateError, ValueError, TypeError, KeyError) as exc:
            raise CaptionerError(
                f"this model's processor does not take {len(looks[0].images)} pictures and a "
                f"prompt: {_line(exc)}"
            ) from exc


def _check_whole(missing: Collection[str], folder: Path) -> None:
    if missing:
        raise CaptionerError(
            f"the weights in {folder} are not those of its config.json: {len(missing)} are "
            f"missing, {min(missing)} among them"
        )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that memory ran out; not every device has a class for it."""
    import torch

    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in text for words in ("out of memory", "can't allocate memory", "not enough memory")
    )


def free_memory() -> None:
    """Give the memory that torch keeps for later back to the devices."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _content(look: Look, prompt: str) -> list[dict[str, Any]]:
    from PIL import Image

    blocks: list[dict[str, Any]] = []
    for time_s, image in zip(look.times_s, look.images, strict=False):
        if len(look.images) > 1:
            blocks.append({"type": "text", "text": seconds_label(time_s)})
        blocks.append({"type": "image", "image": Image.fromarray(image)})
    return [*blocks, {"type": "text", "text": prompt}]


def _without_prompt(written: torch.Tensor, prompt: torch.Tensor | None) -> torch.Tensor:
    """The new tokens only: decoders repeat the prompt, encoder-decoders do not."""
    import torch

    if prompt is None:
        return written
    shown = prompt.shape[1]
    repeats = written.shape[1] >= shown and torch.equal(written[:, :shown], prompt)
    return written[:, shown:] if repeats else written


def _choose_device(device: str) -> torch.device:
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as exc:
        raise CaptionerError(
            f"torch has no device {device!r} here ({_line(exc)}); use auto, cpu, cuda or mps"
        ) from exc
    return chosen


def _choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    import torch

    if dtype not in DTYPES:
        raise CaptionerError(f"there is no dtype {dtype!r}; use one of {', '.join(DTYPES)}")
    if dtype != "auto":
        chosen: torch.dtype = getattr(torch, dtype)
        return chosen
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float16 if device.type == "mps" else torch.float32


def _load_processor(folder: Path) -> Any:
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except ImportError as exc:
        package = "torchvision" if "torchvision" in str(exc).lower() else None
        raise CaptionerError(
            f"the processor of {folder.name} needs a package that is not installed: "
            + (f"pip install {package}, the build made for your torch" if package else _line(exc))
        ) from exc
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise CaptionerError(f"the processor in {folder} cannot be loaded: {_line(exc)}") from exc
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or getattr(processor, "image_processor", None) is None:
        raise CaptionerError(f"the processor in {folder} does not take both pictures and text")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def _load_model(
    folder: Path, adapter: Path | None, device: torch.device, dtype: torch.dtype
) -> Any:
    from safetensors import SafetensorError
    from transformers import AutoModelForImageTextToText

    try:
        model, loaded = AutoModelForImageTextToText.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            dtype=dtype,
            device_map=str(device),
            output_loading_info=True,
        )
        _check_whole(loaded["missing_keys"], folder)
        return (adapt(model, adapter) if adapter else model).eval()
    except CaptionerError:
        raise
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as exc:
        if isinstance(exc, RuntimeError) and is_out_of_memory(exc):
            raise CaptionerError(
                f"{folder.name} does not fit into the memory of {device}; use a smaller model, or "
                "dtype bfloat16"
            ) from exc
        what = f"the adapter {adapter} on the model" if adapter else "the model"
        raise CaptionerError(f"{what} in {folder} cannot be loaded: {_line(exc)}") from exc


def adapt(model: Any, adapter: Path) -> Any:
    """Merge an adapter into a model's weights, so that it costs nothing from then on."""
    from peft import PeftModel

    with warnings.catch_warnings():
        # Messages between peft and transformers.
        warnings.simplefilter("ignore")
        # Of another base, it would leave part of itself out, with a warning.
        warnings.filterwarnings("error", message="Found missing adapter keys")
        try:
            adapted = PeftModel.from_pretrained(model, str(adapter.absolute()))
        except UserWarning as exc:
            raise ValueError("it was made for another model") from exc
    return adapted.merge_and_unload()


def _line(error: BaseException) -> str:
    """The first line of an error's text, cut to what fits into a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
