"""Prices: known ones are right, unknown ones are unknown, and the user's own come first."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools.llm.prices import Price, PriceError, Prices, read_prices

OPENAI = "https://api.openai.com/v1"


def test_a_cost_is_tokens_times_price() -> None:
    cost = Prices(OPENAI).cost_usd("gpt-5-mini", 1_000_000, 500_000)
    assert cost == pytest.approx(0.25 + 1.0)


@pytest.mark.parametrize(
    ("model", "usd_in", "usd_out"),
    [
        ("gpt-4o", 2.50, 10.00),
        ("gpt-4o-mini", 0.15, 0.60),
        ("gpt-4.1", 2.00, 8.00),
        ("gpt-4.1-mini", 0.40, 1.60),
        ("gpt-4.1-nano", 0.10, 0.40),
        ("gpt-5", 1.25, 10.00),
        ("gpt-5-mini", 0.25, 2.00),
        ("gpt-5-nano", 0.05, 0.40),
    ],
)
def test_prices_are_those_that_openai_published(model: str, usd_in: float, usd_out: float) -> None:
    price = Prices(OPENAI).find(model)
    assert price is not None
    assert (price.usd_in, price.usd_out) == (usd_in, usd_out)
    assert date(2025, 1, 1) < date.fromisoformat(price.as_of)
    assert price.source.startswith("genai-prices ")


def test_a_dated_name_costs_what_its_model_does_unless_it_has_a_row() -> None:
    assert Prices(OPENAI).cost_usd("gpt-5-mini-2025-08-07", 10**6, 0) == 0.25
    own = {"mine": Price(1, 2, "", "me"), "mine-2026-01-31": Price(3, 4, "", "me")}
    assert Prices("", own).cost_usd("mine-2026-05-05", 10**6, 0) == 1
    assert Prices("", own).cost_usd("mine-2026-01-31", 10**6, 0) == 3


@pytest.mark.parametrize("model", ["gpt-5-mini-x", "ft:gpt-4o-mini:me", "llava", ""])
def test_an_unknown_price_is_none(model: str) -> None:
    assert Prices(OPENAI).cost_usd(model, 10, 10) is None


@pytest.mark.parametrize("address", ["", "http://localhost:8000/v1", "https://evil.com/openai.com"])
def test_a_model_costs_what_its_own_service_asks_and_no_other(address: str) -> None:
    assert Prices(address).find("gpt-5-mini") is None


def test_the_users_own_price_comes_first() -> None:
    own = {"gpt-5-mini": Price(7.0, 8.0, "", "me")}
    assert Prices(OPENAI, own).cost_usd("gpt-5-mini", 10**6, 0) == 7.0


def test_a_file_of_prices_may_say_zero(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"llava": {"in": 0, "out": 0, "as_of": "2026-01-31"}}))
    prices = read_prices(path)
    assert Prices("", prices).cost_usd("llava", 10**6, 10**6) == 0.0
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
        ({"m": {"in": 10**400, "out": 1}}, "price 'in' of 'm' .* not 1000"),
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
