"""The captioning prompts, whole, as a model reads them."""

from pathlib import Path

import pytest

from prompts.catalog import PACKAGED

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("describe_general", {}),
        ("describe_activity", {"query": "a man opens the red door for $5"}),
    ],
)
def test_the_rendered_prompt_is_the_golden_one(name: str, values: dict[str, str]) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert PACKAGED.render(name, **values) + "\n" == golden
