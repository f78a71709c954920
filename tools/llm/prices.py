"""What tokens cost: the data of ``genai-prices``, unless a file of the user's own says otherwise.

That data lies on this disk, so nobody is asked. Discounts (cached input, batches) and surcharges
(fast or very long requests) are not counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.errors import WhenaboutsError

MOST_USD = 1e6
"""For a million tokens; what is larger is no price."""


class PriceError(WhenaboutsError):
    """A file of prices cannot be used; the message names the file and the model."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs.

    Attributes:
        usd_in: US dollars per million tokens of input.
        usd_out: US dollars per million tokens of output, those of hidden reasoning too.
        as_of: A day on which that held, as an ISO date; empty where it is not known.
        source: Where it stood.
    """

    usd_in: float
    usd_out: float
    as_of: str
    source: str


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """What a captioner has used.

    Attributes:
        captions: Captions written.
        no_captions: Replies that were paid for and held no caption.
        tokens_in: Tokens of input, as the service counts them.
        tokens_out: Tokens of output.
        unmetered: Replies that came without a count; their tokens are in no sum.
        unanswered: Looks that got no reply, though some of their tries may have cost tokens.
        usd: US dollars; None where the model's price or some of the tokens are not known.
    """

    captions: int = 0
    no_captions: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    unmetered: int = 0
    unanswered: int = 0
    usd: float | None = 0.0


class Prices:
    """What the models of one service cost.

    Args:
        address: Of the service; one that ``genai-prices`` does not know has no prices of its own,
            whatever its models are called.
        own: The user's prices by model name; they come first.
    """

    def __init__(self, address: str, own: Mapping[str, Price] | None = None) -> None:
        self._address = address
        self._own = dict(own or {})
        self._found: dict[str, Price | None] = {}

    def find(self, model: str) -> Price | None:
        """The price of a model, by the service's name for it; None where it is not known.

        In the user's file, a dated name (``gpt-5-mini-2025-08-07``) costs what the undated one
        does, unless it has a row of its own.
        """
        own = self._own.get(model) or self._own.get(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model))
        if own is not None:
            return own
        if model not in self._found:
            self._found[model] = _listed_price(self._address, model)
        return self._found[model]

    def cost_usd(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """US dollars for tokens of a model; None where its price is not known."""
        price = self.find(model)
        if price is None:
            return None
        return (tokens_in * price.usd_in + tokens_out * price.usd_out) / 1e6


def _listed_price(address: str, model: str) -> Price | None:
    if not (address and model):
        return None
    from genai_prices import data_snapshot

    try:
        _, listed = data_snapshot.get_snapshot().find_provider_model(model, None, None, address)
        rates = listed.get_prices(datetime.now(UTC))
    except LookupError:
        return None
    # Where long prompts cost more, that of ordinary ones.
    found: list[Any] = [rates.input_mtok, rates.output_mtok]
    usd_in, usd_out = (getattr(rate, "base", rate) for rate in found)
    if usd_in is None or usd_out is None:
        return None
    source = f"genai-prices {metadata.version('genai-prices')}"
    return Price(float(usd_in), float(usd_out), f"{datetime.now(UTC):%Y-%m-%d}", source)


def read_prices(path: Path) -> dict[str, Price]:
    """Read ``{"MODEL": {"in": 0.25, "out": 2.0, "as_of": "2026-01-31"}, …}``.

    ``in`` and ``out`` are US dollars per million tokens; 0 is valid (your own model).
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
        if not is_number or not 0 <= usd <= MOST_USD:
            raise PriceError(
                f"the price {direction!r} of {model!r} in {path} must be US dollars per million "
                f"tokens, not {usd!r}"
            )
    return Price(float(row["in"]), float(row["out"]), str(row.get("as_of", "")), str(path))
