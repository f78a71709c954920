"""The model that is tuned: whether it can be, and how it is loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tools.captioners.checkpoints import find_model, holds_conversations, missing_parts
from tools.user_paths import expand_user
from training.conversations import TuningError

INSTALL = "pip install 'whenabouts[train]'"

NOT_TRAINED = re.compile(
    r"vision|visual|image|connector|projector|aligner|merger|lm_head|embed", re.IGNORECASE
)
"""Parts that stay as they are: what sees, and what hands on what was seen."""

HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")


def check_installed() -> None:
    """Whether the extra is here.

    Raises:
        TuningError: If not; says how to install it.
    """
    from importlib.util import find_spec

    needed = ("torch", "transformers", "peft", "trl", "accelerate", "datasets")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise TuningError(f"tuning needs {' and '.join(missing)}: {INSTALL}")


def find_base(model: str) -> Path:
    """The folder of a checkpoint that can be tuned.

    Raises:
        TuningError: If it is not on this machine, or holds no conversations.
    """
    folder = find_model(model)
    if folder is None and expand_user(model).is_dir():
        missing = missing_parts(expand_user(model))
        raise TuningError(
            f"{model} is no whole image-text checkpoint, for want of {' and '.join(missing)}"
        )
    if folder is None:
        fetch = f"; fetch it first: hf download {model}" if HUB_NAME.fullmatch(model) else ""
        raise TuningError(
            f"the model {model} is neither a whole image-text checkpoint in a folder nor in the "
            f"hub's cache on this machine{fetch}"
        )
    if not holds_conversations(folder):
        raise TuningError(
            f"{model} has no chat template, so it cannot be taught conversations; choose a model "
            "that is asked in words, such as SmolVLM or Qwen3-VL"
        )
    return folder.absolute()


def trained_modules(net: Any) -> list[str]:
    """Linear layers of the text model, by name; the vision tower and what follows it are left out.

    Raises:
        TuningError: If there are none.
    """
    import torch

    names = [
        name
        for name, module in net.named_modules()
        if isinstance(module, torch.nn.Linear) and not NOT_TRAINED.search(name)
    ]
    if not names:
        raise TuningError("this model has no text model with linear layers to tune")
    return names


def check_template(processor: Any) -> None:
    """See that a model is asked to answer just where its chat template begins an answer.

    Otherwise it learns to go on from another place than it is asked from, and says nothing of use.

    Raises:
        TuningError: If not; shows both.
    """
    asked = [{"role": "user", "content": [{"type": "text", "text": "?"}]}]
    answered = [*asked, {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]}]
    prompt = processor.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    whole = processor.apply_chat_template(answered, tokenize=False)
    if not whole.startswith(prompt):
        raise TuningError(
            f"the chat template of this model asks for an answer after {prompt[-30:]!r} and writes "
            f"one as {whole[-30:]!r}: what it learns would not be what it is asked; mend its "
            "chat_template.jinja"
        )


def load_for_training(base: Path) -> tuple[Any, Any]:
    """The processor, and the model with weights in the dtype that this machine trains in.

    Raises:
        TuningError: If it cannot be loaded, or its processor takes no pictures.
    """
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    has_bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    try:
        processor = AutoProcessor.from_pretrained(
            base, local_files_only=True, trust_remote_code=False
        )
        net = AutoModelForImageTextToText.from_pretrained(
            base,
            local_files_only=True,
            trust_remote_code=False,
            dtype=torch.bfloat16 if has_bf16 else torch.float32,
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError) as exc:
        line = (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]
        if "image processor" in line:
            raise TuningError(
                f"the model in {base} has no image processor: nothing says how pictures are "
                "prepared for it, neither preprocessor_config.json nor `image_processor` in "
                "processor_config.json"
            ) from None
        raise TuningError(f"the model in {base} cannot be loaded: {line}") from None
    if getattr(processor, "image_processor", None) is None:
        raise TuningError(f"the processor in {base} takes no pictures: it has no image processor")
    tokenizer = processor.tokenizer
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    net.config.use_cache = False
    return processor, net
