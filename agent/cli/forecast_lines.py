"""What describing videos would take, as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from agent.settings import Settings
from agent.watching.forecast import Forecast
from tools.clock import clock
from tools.indexing.estimate import Estimate
from tools.text import counted, in_one_row


def render_forecast(forecast: Forecast) -> list[RenderableType]:
    """What describing one video would take."""
    one = forecast.estimate
    give = f" ± {one.uncertainty}" if one.uncertainty else ""
    lines: list[RenderableType] = [
        Text(f"{in_one_row(forecast.path)}  {clock(one.duration_s)} long", style="bold"),
        f"  frames    {one.frames} at {forecast.rate_hz:g}/s",
        f"  captions  {one.captions}{give} by {forecast.captioner}"
        + (f", and {forecast.described} are there already" if forecast.described else ""),
    ]
    if one.tokens_in:
        lines.append(f"  tokens    {one.tokens_in:,} in, {one.tokens_out:,} out")
        lines.append(f"  price     {_usd(one.usd)}")
    lines.append(f"  time      {_minutes(one.minutes)}, if {forecast.assumes}")
    return lines


def total_line(forecasts: Sequence[Forecast]) -> str:
    """One line for several videos together."""
    estimates = [forecast.estimate for forecast in forecasts]
    usd = _usd_of(estimates)
    told = "price not known" if usd is None else _usd(usd)
    price = f", {told}" if any(one.tokens_in for one in estimates) else ""
    minutes = _minutes(sum(one.minutes for one in estimates))
    captions = sum(one.captions for one in estimates)
    return f"together: {counted(captions, 'caption')}{price}, {minutes}"


def ends_early(forecasts: Sequence[Forecast], settings: Settings) -> str:
    """Which limit would end a run before all of that is described; empty where none would."""
    estimates = [forecast.estimate for forecast in forecasts]
    usd = _usd_of(estimates)
    if settings.max_usd is not None and usd is None:
        return f"--max-usd {settings.max_usd:g} cannot be enforced: the price is not known"
    wanted = {
        "--max-captions": (settings.max_captions, sum(one.captions for one in estimates)),
        "--max-usd": (settings.max_usd, usd or 0.0),
        "--max-minutes": (settings.max_minutes, sum(one.minutes for one in estimates)),
    }
    shares = {
        f"{option} {limit:g}": limit / total
        for option, (limit, total) in wanted.items()
        if limit is not None and total > limit
    }
    if not shares:
        return ""
    first = min(shares, key=lambda option: shares[option])
    return f"{first} ends it when about {shares[first]:.0%} of that is described"


def _usd_of(estimates: Sequence[Estimate]) -> float | None:
    prices = [one.usd for one in estimates if one.usd is not None]
    return sum(prices) if len(prices) == len(estimates) else None


def _usd(usd: float | None) -> str:
    return (
        "not known (WHENABOUTS_PRICES names a file of prices)" if usd is None else f"{usd:.4f} USD"
    )


def _minutes(minutes: float) -> str:
    return f"{60 * minutes:.0f} s" if minutes < 2 else f"{minutes:.0f} min"
