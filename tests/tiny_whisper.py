"""Whisper's architecture with tiny random weights, as a checkpoint and converted for CTranslate2.

It hears nothing and writes nonsense, but goes every step of the way that a real one goes.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>"),
    *("<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nocaptions|>", "<|notimestamps|>"),
)
TIMES = 1501
"""From 0.00 to 30.00 s in steps of 0.02 s, each a token."""

WIDTH = 32
BREVITY = 4.0
"""How strongly it is drawn to the end: else it would write on to its limit."""


def save_whisper(folder: Path, *, seed: int = 0) -> Path:
    """Save a checkpoint as transformers does; returns the folder."""
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    tokens = _tokenizer()
    end, begin = tokens.token_to_id(SPECIAL[0]), tokens.token_to_id(SPECIAL[1])
    config = WhisperConfig(
        vocab_size=tokens.get_vocab_size() + TIMES,
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=2 * WIDTH,
        decoder_ffn_dim=2 * WIDTH,
        decoder_start_token_id=begin,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=[],
        begin_suppress_tokens=[end],
    )
    torch.manual_seed(seed)
    model: Any = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.normal_(std=0.3)
        words = model.model.decoder.embed_tokens.weight
        model.model.decoder.layer_norm.bias += BREVITY * words[end] / words[end].norm()
    said = model.generation_config
    said.lang_to_id = {name: tokens.token_to_id(name) for name in SPECIAL[2:4]}
    said.suppress_tokens, said.begin_suppress_tokens = [], [end]
    model.save_pretrained(folder)
    _save_tokenizer(tokens, folder)
    return folder


def convert(checkpoint: Path, folder: Path) -> Path:
    """Convert a checkpoint as its documentation says; returns the folder."""
    # It says nothing of its types.
    converters: Any = import_module("ctranslate2.converters")
    converter = converters.TransformersConverter(str(checkpoint), copy_files=["tokenizer.json"])
    converter.convert(str(folder))
    return folder


def _tokenizer() -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokens.train_from_iterator([""], trainers.BpeTrainer(initial_alphabet=alphabet))
    tokens.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    return tokens


def _save_tokenizer(tokens: Any, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(
        tokenizer_object=tokens, eos_token=SPECIAL[0], pad_token=SPECIAL[0]
    ).save_pretrained(folder)
