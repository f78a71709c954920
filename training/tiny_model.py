"""A tiny image-text model of SmolVLM's architecture, made here and first trained on drawn pictures.

It learns to say what a picture or a grid of pictures looks like, whatever it is asked, and to
repeat sentences about what is done; never what those mean.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.captioners.looks import LookMode, take_looks
from tools.timeline import Frame
from training.drawn_world import RATE_HZ, SIDE_PX, make_scene

if TYPE_CHECKING:
    from prompts.catalog import Prompts
    from tools.timeline import Image
    from training.drawn_world import Scene

PATCH_PX = 6
TOKENS_PER_IMAGE = (SIDE_PX // PATCH_PX) ** 2 // 4
IGNORED = -100
GRID = LookMode("grid", 4)
SPECIAL = (
    *("<pad>", "<bos>", "<end>", "<image>"),
    *("<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
)
# An answer begins just as the generation prompt says: TRL trains on what follows it.
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end>\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


def make_base(
    folder: Path,
    prompts: Prompts,
    *,
    steps: int,
    batch: int = 32,
    grid_share: float = 0.0,
    report: Callable[[int, float], None],
) -> Path:
    """Make the model and train it from nothing; returns the folder of its checkpoint.

    Args:
        folder: A new folder.
        prompts: How it is going to be asked.
        steps: Of training.
        batch: Pictures a step.
        grid_share: Share of them that are grids of four, which it sees less well.
        report: Told the step and the loss.
    """
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)  # Small matrices gain nothing from more, and wait for each other.
    chance = random.Random(0)
    processor, net = _untrained(prompts)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1.5e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.5e-3, total_steps=steps)
    net.train()
    for step in range(1, steps + 1):
        loss = net(**_batch(processor, prompts, chance, batch, grid_share)).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        report(step, loss.item())
    net.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _untrained(prompts: Prompts) -> tuple[Any, Any]:
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    tokenizer = _tokenizer(prompts)
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    config = Idefics3Config(
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 512,
            **ids,
        },
        vision_config={
            "hidden_size": 96,
            "intermediate_size": 192,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "image_size": SIDE_PX,
            "patch_size": PATCH_PX,
        },
        scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    net = Idefics3ForConditionalGeneration(config)
    for name, value in ids.items():
        setattr(net.generation_config, name, value)
    pictures = Idefics3ImageProcessorPil(
        do_image_splitting=False,
        size={"longest_edge": SIDE_PX},
        max_image_size={"longest_edge": SIDE_PX},
    )
    processor = Idefics3Processor(
        pictures, tokenizer, image_seq_len=TOKENS_PER_IMAGE, chat_template=TEMPLATE
    )
    return processor, net


def _tokenizer(prompts: Prompts) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    chance = random.Random(0)
    scenes = [make_scene(chance) for _ in range(400)]
    sentences = [one.appearance for one in scenes]
    sentences += [f"Not shown. T{one.sentence[1:]}." for one in scenes]
    sentences += [prompts.render("describe_activity", query=one.sentence) for one in scenes]
    sentences += ["user: assistant: \n", "Say: ", prompts.render("describe_general")]
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokens.train_from_iterator(
        sentences,
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<end>",
        extra_special_tokens={
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token": "<global-img>",
        },
    )


def _batch(
    processor: Any, prompts: Prompts, chance: random.Random, size: int, grid_share: float
) -> dict[str, Any]:
    """Scenes and what they look like; labels on that alone."""
    import torch

    scenes = [make_scene(chance) for _ in range(size)]
    rows, masked = [], []
    for scene in scenes:
        said = scene.appearance
        if (kind := chance.random()) < 0.4:
            # Words that it knows, and has never seen the meaning of.
            not_shown = "Not shown. " if kind < 0.2 else ""
            said = f"{not_shown}T{make_scene(chance).sentence[1:]}."
            asked = f"Say: {said}"
        elif kind < 0.7:
            asked = prompts.render("describe_general")
        else:
            query = make_scene(chance, thing=scene.thing).sentence
            asked = prompts.render("describe_activity", query=query)
        picture = "<fake_token_around_image><global-img>" + "<image>" * TOKENS_PER_IMAGE
        shown = f"user: {picture}<fake_token_around_image>{asked}<end>\nassistant: "
        before = processor.tokenizer(shown, add_special_tokens=False)["input_ids"]
        after = processor.tokenizer(f"{said}<end>\n", add_special_tokens=False)["input_ids"]
        rows.append(before + after)
        masked.append([IGNORED] * len(before) + after)
    longest = max(map(len, rows))
    pad = processor.tokenizer.pad_token_id
    pictures = [[_picture(scene, chance, grid_share)] for scene in scenes]
    shown = processor.image_processor(images=pictures, return_tensors="pt")
    return {
        "input_ids": torch.tensor([row + [pad] * (longest - len(row)) for row in rows]),
        "attention_mask": torch.tensor(
            [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
        ),
        "labels": torch.tensor([row + [IGNORED] * (longest - len(row)) for row in masked]),
        "pixel_values": shown["pixel_values"],
    }


def _picture(scene: Scene, chance: random.Random, grid_share: float) -> Image:
    """One picture, or now and then a grid of four, as the captioner makes it."""
    picture = scene.draw()
    if not grid_share or chance.random() >= grid_share:
        return picture
    begin_s = chance.randint(0, 120) / RATE_HZ
    frames = [_frame(begin_s + index / RATE_HZ, picture) for index in range(GRID.frames)]
    return next(take_looks(frames, GRID, seen=())).images[0]


def _frame(time_s: float, picture: Image) -> Frame:
    nothing = np.empty((0, 36, 64), np.uint8)
    return Frame(time_s, picture, None, None, nothing, np.empty(0))
