"""Measure LoRA training of an image-text model: samples a second, and the memory it takes.

An Idefics3 (the architecture of SmolVLM) of a real size with random weights, in the dtype that a
GPU trains in: the work is that of a trained one. A sample is a picture, a prompt and a completion;
the loss is on the completion alone, and the vision tower stays as it is::

    python benchmarks/lora_training.py
    python benchmarks/lora_training.py --params 0.5b,2b,7b --device cuda --batch 8
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.local_captioner import SIZES, Size, make_config

if TYPE_CHECKING:
    import torch

PROMPT_TOKENS = 64
COMPLETION_TOKENS = 128
IGNORED = -100
"""The label of a token that the loss leaves out."""

# What the text model is made of; the vision tower has layers of the same names.
TRAINED = r".*text_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


def main() -> None:
    """Read the options, measure each size with and without checkpointing, print."""
    parser = argparse.ArgumentParser(description="Measure LoRA training.")
    parser.add_argument("--params", default="tiny", help=f"sizes of {', '.join(SIZES)}")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--batch", type=int, default=4, help="samples a step")
    parser.add_argument("--steps", type=int, default=10, help="measured, after three to warm up")
    parser.add_argument("--rank", type=int, default=16)
    options = parser.parse_args()
    for name in options.params.split(","):
        for checkpointing in (False, True):
            measure(name, options, checkpointing=checkpointing)


def measure(name: str, options: argparse.Namespace, *, checkpointing: bool) -> None:
    """Train for a few steps and print one line."""
    import torch

    size, device = SIZES[name], torch.device(options.device)
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model = lora_model(size, device, rank=options.rank, checkpointing=checkpointing)
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    batch = make_batch(size, options.batch, device)
    losses, spent_s = [], []
    for _ in range(3 + options.steps):
        started_s = time.perf_counter()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())  # Waits for the device.
        spent_s.append(time.perf_counter() - started_s)
    per_s = options.batch / median(spent_s[3:])
    memory = f", peak {torch.cuda.max_memory_allocated() / 1e9:.1f} GB" if on_gpu else ""
    count = sum(one.numel() for one in model.parameters())
    tokens = batch["input_ids"].shape[1]
    print(
        f"{name:5} {'checkpointed' if checkpointing else 'plain':12} {count / 1e6:5.0f} M "
        f"parameters, {sum(one.numel() for one in trained) / 1e6:.1f} M trained, batch "
        f"{options.batch} of {tokens} tokens: {per_s:.1f} samples/s{memory}, loss "
        f"{losses[0]:.2f} -> {losses[-1]:.2f}",
        flush=True,
    )


def lora_model(size: Size, device: torch.device, *, rank: int, checkpointing: bool) -> Any:
    """The model with its adapter, ready to train."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Idefics3ForConditionalGeneration

    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16 if device.type == "cuda" else torch.float32)
    with torch.device(device):
        base = Idefics3ForConditionalGeneration(make_config(size))
    torch.set_default_dtype(torch.float32)
    base.config.use_cache = False
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=TRAINED)
    model = get_peft_model(base, config)
    if checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model.train()


def make_batch(size: Size, samples: int, device: torch.device) -> dict[str, torch.Tensor]:
    """Pictures of noise, and random words; labels on the completion alone."""
    import torch

    noise = torch.Generator().manual_seed(0)
    side = size.vision["image_size"]
    text = PROMPT_TOKENS + COMPLETION_TOKENS
    words = torch.randint(10, size.text["vocab_size"], (samples, text), generator=noise)
    pictures = torch.full((samples, size.tokens_per_image), 3)
    ids = torch.cat([pictures, words], dim=1)
    labels = ids.clone()
    labels[:, : size.tokens_per_image + PROMPT_TOKENS] = IGNORED
    pixels = torch.rand((samples, 1, 3, side, side), generator=noise)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    return {
        "input_ids": ids.to(device),
        "attention_mask": torch.ones_like(ids).to(device),
        "labels": labels.to(device),
        "pixel_values": pixels.to(device, dtype),
    }


if __name__ == "__main__":
    main()
