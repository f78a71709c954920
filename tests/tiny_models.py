"""Real architectures with tiny random weights, saved as checkpoints that transformers loads.

Each is well under a megabyte and takes a fraction of a second to make. What they write is nonsense,
but the same nonsense every time.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IMAGE_PX = 32
PATCH_PX = 8
WIDTH = 32
SPECIAL = [
    *("<pad>", "<bos>", "<end>", "<image>"),
    # Idefics3's processor adds these where they are missing, and the vocabulary would be too small.
    *("<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
]
# An answer begins just where the generation prompt ends: training starts from there.
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end>\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)
SENTENCES = [
    "user: Describe this picture in one sentence. assistant: A red square moves to the right.",
    "a man opens a door and a dog runs out of the house into the garden, then nothing moves",
]
TEXT_CONFIG: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": 2 * WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
}
VISION_CONFIG: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": 2 * WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": IMAGE_PX,
    "patch_size": PATCH_PX,
}


def save_idefics3(folder: Path, *, seed: int = 0) -> Path:
    """An Idefics3 checkpoint: the architecture of SmolVLM."""
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
    from transformers.models.idefics3.image_processing_pil_idefics3 import (
        Idefics3ImageProcessorPil,
    )

    tokenizer = _tokenizer()
    config = Idefics3Config(
        text_config={"model_type": "llama", "vocab_size": len(tokenizer)}
        | TEXT_CONFIG
        | _token_ids(tokenizer),
        vision_config=VISION_CONFIG,
        scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    _save_model(Idefics3ForConditionalGeneration, config, folder, seed, tokenizer)
    pictures = Idefics3ImageProcessorPil(
        do_image_splitting=False,
        size={"longest_edge": IMAGE_PX},
        max_image_size={"longest_edge": IMAGE_PX},
    )
    tokens_per_image = (IMAGE_PX // PATCH_PX) ** 2 // 2**2
    Idefics3Processor(
        pictures, tokenizer, image_seq_len=tokens_per_image, chat_template=TEMPLATE
    ).save_pretrained(folder)
    return folder


def save_llava(folder: Path, *, seed: int = 0) -> Path:
    """A LLaVA checkpoint: CLIP's eyes before a llama."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = _tokenizer()
    config = LlavaConfig(
        text_config={"model_type": "llama", "vocab_size": len(tokenizer)}
        | TEXT_CONFIG
        | _token_ids(tokenizer),
        vision_config={"model_type": "clip_vision_model", "projection_dim": WIDTH} | VISION_CONFIG,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=(IMAGE_PX // PATCH_PX) ** 2,
        tie_word_embeddings=False,
    )
    _save_model(LlavaForConditionalGeneration, config, folder, seed, tokenizer)
    LlavaProcessor(
        CLIPImageProcessorPil(
            size={"shortest_edge": IMAGE_PX}, crop_size={"height": IMAGE_PX, "width": IMAGE_PX}
        ),
        tokenizer,
        patch_size=PATCH_PX,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    ).save_pretrained(folder)
    return folder


def save_blip(folder: Path, *, seed: int = 0) -> Path:
    """A BLIP checkpoint: it captions a picture, and knows no conversation."""
    from transformers import BlipConfig, BlipForConditionalGeneration, BlipProcessor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    tokenizer = _tokenizer()
    ids = _token_ids(tokenizer)
    config = BlipConfig(
        text_config={"vocab_size": len(tokenizer), "encoder_hidden_size": WIDTH}
        | TEXT_CONFIG
        | ids
        | {"sep_token_id": ids["eos_token_id"]},
        vision_config=VISION_CONFIG,
        projection_dim=WIDTH,
    )
    _save_model(BlipForConditionalGeneration, config, folder, seed, tokenizer)
    BlipProcessor(
        BlipImageProcessorPil(size={"height": IMAGE_PX, "width": IMAGE_PX}), tokenizer
    ).save_pretrained(folder)
    return folder


def save_adapter(base: Path, folder: Path, *, seed: int = 1) -> Path:
    """A LoRA adapter of a checkpoint, far enough from zero to change what is written."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_pretrained(base)
    how = LoraConfig(r=4, target_modules="all-linear", modules_to_save=["lm_head"])
    with warnings.catch_warnings():
        # peft asks transformers by a name that is about to change.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = get_peft_model(model, how)
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.normal_()
    adapted.save_pretrained(str(folder))
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokens.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet),
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


def _token_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    return {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _save_model(
    architecture: Any, config: Any, folder: Path, seed: int, tokenizer: PreTrainedTokenizerFast
) -> None:
    import torch

    torch.manual_seed(seed)
    model = architecture(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:  # As initialised, every picture would be the same to it.
                weights.normal_(std=0.3)
    for name, value in _token_ids(tokenizer).items():
        setattr(model.generation_config, name, value)
    model.save_pretrained(folder)
