"""What tokens cost: a small dated table, which a file of the user's own can add to and override.

Prices change; each row says when it held. Discounts (cached input, batches) and surcharges (fast or
very long requests) are not in it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import WhenaboutsError


class PriceError(WhenaboutsError):
    """A file of prices cannot be used; the message names the file and the model."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs.

    Attributes:
        usd_in: US dollars per million tokens of input.
        usd_out: US dollars per million tokens of output, those of hidden reasoning too.
        as_of: When that held, as an ISO date.
        source: Where it stood.
    """

    usd_in: float
    usd_out: float
    as_of: str
    source: str


_RELEASE = "OpenAI's prices as known at the release of GPT-5; not looked up since"

OPENAI_PRICES: Mapping[str, Price] = {
    "gpt-4o": Price(2.50, 10.00, "2025-08-07", _RELEASE),
    "gpt-4o-mini": Price(0.15, 0.60, "2025-08-07", _RELEASE),
    "gpt-4.1": Price(2.00, 8.00, "2025-08-07", _RELEASE),
    "gpt-4.1-mini": Price(0.40, 1.60, "2025-08-07", _RELEASE),
    "gpt-4.1-nano": Price(0.10, 0.40, "2025-08-07", _RELEASE),
    "gpt-5": Price(1.25, 10.00, "2025-08-07", _RELEASE),
    "gpt-5-mini": Price(0.25, 2.00, "2025-08-07", _RELEASE),
    "gpt-5-nano": Price(0.05, 0.40, "2025-08-07", _RELEASE),
}
"""OpenAI's own standard prices for models that read images, by model name."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a captioner has used.

    Attributes:
        captions: Captions written.
        no_captions: Replies that were paid for and held no caption.
        tokens_in: Tokens of input, as the service counts them.
        tokens_out: Tokens of output likewise.
        unmetered: Replies that came without a count; their tokens are in no sum.
        usd: US dollars; None where the model's price or some of the tokens are not known.
    """

    captions: int = 0
    no_captions: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    unmetered: int = 0
    usd: float | None = 0.0


def find_price(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of a model, or of its undated name; see ``cost_usd``."""
    return prices.get(model) or prices.get(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model))


def cost_usd(
    model: str, tokens_in: int, tokens_out: int, prices: Mapping[str, Price]
) -> float | None:
    """US dollars for so many tokens of a model; None where its price is not known.

    Args:
        model: The service's name for it. A dated one (``gpt-5-mini-2025-08-07``) costs what the
            undated one does, unless it has a row of its own.
        tokens_in: Tokens of input.
        tokens_out: Tokens of output.
        prices: By model name.
    """
    price = find_price(model, prices)
    if price is None:
        return None
    return (tokens_in * price.usd_in + tokens_out * price.usd_out) / 1e6


def read_prices(path: Path) -> dict[str, Price]:
    """Read ``{"MODEL": {"in": 0.25, "out": 2.0, "as_of": "2026-01-31"}, …}``.

    ``in`` and ``out`` are US dollars per million tokens; 0 is a price (a model of one's own).
    ``as_of`` is optional.

    Raises:
        PriceError: If the file cannot be read, or a price in it cannot be one.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise PriceError(f"the prices in {path} cannot be read: {exc}") from None
    if not isinstance(rows, dict):
        raise PriceError(
            f'{path} must hold an object of prices: {{"MODEL": {{"in": 1, "out": 2}}}}'
        )
    return {model: _price(model, row, path) for model, row in rows.items()}


def _price(model: str, row: Any, path: Path) -> Price:
    if not isinstance(row, dict) or not {"in", "out"} <= set(row) <= {"in", "out", "as_of"}:
        raise PriceError(
            f'the price of {model!r} in {path} must be {{"in": …, "out": …}}, '
            f"optionally with as_of, not {row!r}"
        )
    for direction in ("in", "out"):
        usd = row[direction]
        is_number = isinstance(usd, int | float) and not isinstance(usd, bool)
        if not is_number or not math.isfinite(usd) or usd < 0:
            raise PriceError(
                f"the price {direction!r} of {model!r} in {path} must be US dollars per million "
                f"tokens, not {usd!r}"
            )
    return Price(float(row["in"]), float(row["out"]), str(row.get("as_of", "")), str(path))
