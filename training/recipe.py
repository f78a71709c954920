"""How the small model is trained: numbers, each with where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyperparameters of a LoRA tuning.

    Attributes:
        rank: Of the added matrices.
        alpha: Their scale is ``alpha / rank``.
        dropout: On their input.
        learning_rate: At its highest.
        schedule: How it falls; a name of transformers.
        warm_up: Share of all steps in which it rises.
        epochs: Times that all data is seen, at most.
        batch: Conversations a step, over all devices and accumulated steps.
        patience: Evaluations without a better held-out loss, after which training ends.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    learning_rate: float = 1e-4
    schedule: str = "cosine"
    warm_up: float = 0.03
    epochs: float = 3.0
    batch: int = 16
    patience: int = 3


RECIPES: Mapping[str, Recipe] = {
    # What TRL's and peft's guides give for image-text models of up to 7 B in 2026.
    "default": Recipe(),
    # arXiv 2407.06157, which follows LLaVA's own tuning script.
    "paper": Recipe(rank=128, alpha=256, learning_rate=2e-4, epochs=1.0),
}
