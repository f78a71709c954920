"""Measure how many captions a second the transformers captioner writes, by batch size.

An Idefics3 (the architecture of SmolVLM) of a real size with random weights: the work is that of a
trained one, and every caption has the same number of tokens. Three things in the same minutes:

- loop: one frame after the other through transformers, as its own documentation shows it;
- ours: the captioner, from frames to captions, at batch sizes that double;
- bound: what the memory's bandwidth, measured beside it, allows decoding alone at that batch size,
  if a step reads the text model's weights once, and each caption's keys and values so far::

    python benchmarks/local_captioner.py
    python benchmarks/local_captioner.py --params 0.5b --device cuda --batches 1,8,32,64
"""

# ruff: noqa: SLF001, S106 - a script prints; it measures from inside; tokens are no passwords

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from prompts.catalog import PACKAGED
from tools.captioners.local import LocalCaptioner
from tools.captioners.looks import Look
from tools.timeline import Frame

if TYPE_CHECKING:
    import torch
    from transformers import Idefics3Config

    from tools.captioners.vision_model import VisionModel

SPECIAL = ["<pad>", "<bos>", "<end>", "<image>", "<fake_token_around_image>", "<global-img>"]
SPECIAL += ["<end_of_utterance>"]
TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end>\n{% endfor %}{% if add_generation_prompt %}assistant:\n{% endif %}"
)


ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


@dataclass(frozen=True)
class Size:
    """A text model, the eyes before it, and how many pixels' width is one of its words."""

    text: dict[str, int]
    vision: dict[str, int]
    scale_factor: int

    @property
    def tokens_per_image(self) -> int:
        """Words that a picture becomes."""
        patches = (self.vision["image_size"] // self.vision["patch_size"]) ** 2
        return patches // self.scale_factor**2


def _layers(hidden: int, wide: int, layers: int, heads: int) -> dict[str, int]:
    return {
        "hidden_size": hidden,
        "intermediate_size": wide,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
    }


# The middle two are SmolVLM-500M's and SmolVLM-Instruct's sizes, a picture in one piece.
SIZES = {
    "tiny": Size(
        _layers(256, 1024, 4, 4) | {"num_key_value_heads": 2, "vocab_size": 2048},
        _layers(128, 512, 2, 4) | {"image_size": 64, "patch_size": 16},
        scale_factor=2,
    ),
    "0.5b": Size(
        _layers(960, 2560, 32, 15) | {"num_key_value_heads": 5, "vocab_size": 49280},
        _layers(768, 3072, 12, 12) | {"image_size": 512, "patch_size": 16},
        scale_factor=4,
    ),
    "2b": Size(
        _layers(2048, 8192, 24, 32) | {"num_key_value_heads": 32, "vocab_size": 49152},
        _layers(1152, 4304, 27, 16) | {"image_size": 378, "patch_size": 14},
        scale_factor=3,
    ),
    # Idefics3-8B's proportions, with LLaMA-7B's text model and a picture in one piece.
    "7b": Size(
        _layers(4096, 11008, 32, 32) | {"num_key_value_heads": 32, "vocab_size": 32064},
        _layers(1152, 4304, 27, 16) | {"image_size": 378, "patch_size": 14},
        scale_factor=3,
    ),
}


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the transformers captioner.")
    parser.add_argument("--params", choices=SIZES, default="tiny", help="size of the model")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--batches", default="1,4,16", help="batch sizes, with commas")
    parser.add_argument("--frames", type=int, default=16, help="a round, at least a batch")
    parser.add_argument("--tokens", type=int, default=32, help="a caption")
    parser.add_argument("--rounds", type=int, default=3, help="after one that warms up")
    parser.add_argument("--threads", type=int, default=None, help="of the processor, for torch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = save_model(Path(scratch) / options.params, SIZES[options.params], options.tokens)
        measure(folder, options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Print the loop's captions a second, then each batch size's, with what bounds it."""

    def make_captioner(batch_size: int) -> LocalCaptioner:
        return LocalCaptioner(
            folder,
            prompt=PACKAGED.render("describe_general"),
            prompt_version=PACKAGED.version("describe_general"),
            device=options.device,
            dtype=options.dtype,
            batch_size=batch_size,
            max_new_tokens=options.tokens,
            threads=options.threads,
        )

    loaded = make_captioner(1)._loaded
    bytes_per_s = memory_bandwidth(loaded.device)
    work = DecodingWork.of(loaded, options.tokens)
    print(
        f"{options.params} on {loaded.device}, {loaded.dtype}: {work.parameters / 1e6:.0f} M "
        f"parameters, {work.shown} tokens shown and {options.tokens} written a caption, memory "
        f"{bytes_per_s / 1e9:.0f} GB/s"
    )
    captioners = [make_captioner(int(size)) for size in options.batches.split(",")]
    for one in captioners:
        one.__dict__["_loaded"] = loaded  # In memory once.
    wanted = [one.batch_size for one in captioners]
    loop_per_s: list[float] = []
    ours_per_s: list[list[float]] = [[] for _ in captioners]
    # Turn by turn, so that a busy machine slows all of them. The first round warms up.
    for _ in range(1 + options.rounds):
        one_by_one = partial(caption_one_by_one, loaded, tokens=options.tokens)
        loop_per_s.append(rate(one_by_one, options.frames))
        for captioner, per_s in zip(captioners, ours_per_s, strict=True):
            frames = max(options.frames, captioner.batch_size)
            per_s.append(rate(partial(caption_in_batches, captioner), frames))
    loop = median(loop_per_s[1:])
    print(f"loop:      {loop:7.2f} captions/s")
    for size, captioner, per_s in zip(wanted, captioners, ours_per_s, strict=True):
        ours, bound = median(per_s[1:]), work.captions_per_s(captioner.batch_size, bytes_per_s)
        halved = f" (memory ran out: {captioner.batch_size})" * (captioner.batch_size < size)
        print(
            f"batch {size:3}: {ours:7.2f} captions/s, {ours / loop:4.1f} × the loop, "
            f"{100 * ours / bound:3.0f} % of the {bound:.1f} that decoding allows{halved}"
        )


def caption_in_batches(captioner: LocalCaptioner, frames: Iterable[Frame]) -> None:
    """What an index run does with a captioner."""
    for _ in captioner.describe(frames, seen=()):
        pass


def caption_one_by_one(loaded: VisionModel, frames: Iterable[Frame], tokens: int) -> None:
    """The plain loop: a picture, a prompt, ``generate``, decode, the next."""
    import torch
    from PIL import Image

    processor, model = loaded._processor, loaded._model
    prompt = {"type": "text", "text": PACKAGED.render("describe_general")}
    for frame in frames:
        picture = {"type": "image", "image": Image.fromarray(frame.image)}
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": [picture, prompt]}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(loaded.device, dtype=loaded.dtype)
        with torch.inference_mode():
            written = model.generate(**inputs, do_sample=False, max_new_tokens=tokens)
        processor.batch_decode(written[:, inputs["input_ids"].shape[1] :])


@dataclass(frozen=True)
class DecodingWork:
    """What decoding has to read.

    Attributes:
        parameters: Of the whole model.
        shown: Tokens of a prompt with its picture.
        step_bytes: Of the weights that every token needs: the text model's and the output's.
        caption_bytes: Of keys and values, over all steps of one caption.
        tokens: Steps a caption.
    """

    parameters: int
    shown: int
    step_bytes: int
    caption_bytes: int
    tokens: int

    @classmethod
    def of(cls, loaded: VisionModel, tokens: int) -> DecodingWork:
        """Count it for a single frame and our prompt."""
        (frame,) = make_frames(1)
        prompt = PACKAGED.render("describe_general")
        encoded = loaded._encode([Look((0.0,), (frame.image,))], prompt)
        shown = encoded["input_ids"].shape[1]
        model = loaded._model
        text = model.config.text_config
        head = text.hidden_size // text.num_attention_heads
        width = next(model.parameters()).element_size()
        key_value_bytes = 2 * text.num_hidden_layers * text.num_key_value_heads * head * width
        steps = range(shown, shown + tokens)
        read = (*model.model.text_model.layers.parameters(), *model.lm_head.parameters())
        return cls(
            parameters=sum(one.numel() for one in model.parameters()),
            shown=shown,
            step_bytes=sum(one.numel() * width for one in read),
            caption_bytes=key_value_bytes * sum(steps),
            tokens=tokens,
        )

    def captions_per_s(self, batch_size: int, bytes_per_s: float) -> float:
        """How many captions a second decoding alone can give."""
        batch_bytes = self.tokens * self.step_bytes + batch_size * self.caption_bytes
        return batch_size * bytes_per_s / batch_bytes


def memory_bandwidth(device: torch.device) -> float:
    """Bytes a second that a large sum reads, the best of some."""
    import torch

    # 256 MiB, larger than any cache.
    block = torch.ones(64 * 2**20, dtype=torch.float32, device=device)
    best_s = min(seconds(block.sum, device) for _ in range(8))
    read_bytes: int = block.numel() * block.element_size()
    return read_bytes / best_s


def rate(caption: Callable[[Iterable[Frame]], object], frames: int) -> float:
    """Captions a second. Their text is on the processor at the end: nothing is left to wait for."""
    made = list(make_frames(frames))
    started = time.perf_counter()
    caption(made)
    return frames / (time.perf_counter() - started)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """How long it takes until the device has done it."""
    import torch

    started = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    del result
    return time.perf_counter() - started


def make_frames(count: int) -> Iterator[Frame]:
    """Frames of noise of the size that a decoder hands out."""
    noise = np.random.default_rng(0)
    luma = np.zeros((1, 36, 64), np.uint8)
    for second in range(count):
        image = noise.integers(0, 256, (288, 512, 3), dtype=np.uint8)
        yield Frame(float(second), image, None, None, luma, np.array([float(second)]))


def make_config(size: Size) -> Idefics3Config:
    """An Idefics3 of this size."""
    from transformers import Idefics3Config

    return Idefics3Config(
        text_config={"model_type": "llama", "max_position_embeddings": 8192, **size.text, **ENDS},
        vision_config=size.vision,
        scale_factor=size.scale_factor,
        image_token_id=3,
        pad_token_id=0,
        tie_word_embeddings=False,
    )


def save_model(folder: Path, size: Size, tokens: int) -> Path:
    """A checkpoint of this size with random weights; its captions have this many tokens."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        Idefics3ForConditionalGeneration,
        Idefics3Processor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.idefics3.image_processing_pil_idefics3 import (
        Idefics3ImageProcessorPil,
    )

    # Of the prompt alone it learns whole words, as a real one has: the prompt is as long to it.
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size.text["vocab_size"],
        min_frequency=1,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator([PACKAGED.render("describe_general")], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<end>",
        additional_special_tokens=SPECIAL[3:],
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    model = Idefics3ForConditionalGeneration(make_config(size))
    torch.set_default_dtype(torch.float32)
    transformers.utils.logging.disable_progress_bar()
    model.generation_config.update(**ENDS, min_new_tokens=tokens)
    model.save_pretrained(folder)
    side = {"longest_edge": size.vision["image_size"]}
    pictures = Idefics3ImageProcessorPil(do_image_splitting=False, size=side, max_image_size=side)
    Idefics3Processor(
        pictures, tokenizer, image_seq_len=size.tokens_per_image, chat_template=TEMPLATE
    ).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
