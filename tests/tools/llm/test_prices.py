"""Prices: known ones are right, unknown ones are unknown, and the user's own come first."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools.llm.prices import OPENAI_PRICES, PriceError, cost_usd, read_prices


def test_a_cost_is_tokens_times_price() -> None:
    assert cost_usd("gpt-5-mini", 1_000_000, 500_000, OPENAI_PRICES) == pytest.approx(0.25 + 1.0)


def test_a_dated_name_costs_what_its_model_does_unless_it_has_a_row() -> None:
    assert cost_usd("gpt-5-mini-2025-08-07", 10**6, 0, OPENAI_PRICES) == 0.25


@pytest.mark.parametrize("model", ["gpt-5-mini-x", "ft:gpt-4o-mini:me", "llava", ""])
def test_an_unknown_price_is_none(model: str) -> None:
    assert cost_usd(model, 10, 10, OPENAI_PRICES) is None


def test_every_built_in_price_says_when_and_where() -> None:
    for price in OPENAI_PRICES.values():
        assert date(2025, 1, 1) < date.fromisoformat(price.as_of)
        assert price.source
        assert 0 < price.usd_in < price.usd_out


def test_a_file_of_prices_may_say_zero(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"llava": {"in": 0, "out": 0, "as_of": "2026-01-31"}}))
    prices = read_prices(path)
    assert cost_usd("llava", 10**6, 10**6, prices) == 0.0
    assert (prices["llava"].as_of, prices["llava"].source) == ("2026-01-31", str(path))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "cannot be read"),
        ([], "must hold an object of prices"),
        ({"m": 1}, "price of 'm' in .* must be"),
        ({"m": {"in": 1}}, "price of 'm' in .* must be"),
        ({"m": {"in": 1, "out": 2, "cached": 1}}, "price of 'm'"),
        ({"m": {"in": -1, "out": 2}}, "price 'in' of 'm' .* not -1"),
        ({"m": {"in": 1, "out": "2"}}, "price 'out' of 'm' .* not '2'"),
        ('{"m": {"in": NaN, "out": 1}}', "price 'in' of 'm' .* not nan"),
        ({"m": {"in": True, "out": 1}}, "not True"),
    ],
)
def test_a_price_that_is_none_is_named(tmp_path: Path, content: Any, complaint: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(PriceError, match=complaint):
        read_prices(path)


def test_a_missing_file_of_prices_is_named(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match=r"none.json cannot be read"):
        read_prices(tmp_path / "none.json")
