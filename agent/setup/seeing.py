"""Which models look at pictures, by what their names say, or the servers that have them."""

from __future__ import annotations

import re

SEEING = re.compile(
    r"smolvlm|moondream|qwen\d?(?:\.\d)?-?vl|gemma-?[34]|medgemma|llava|minicpm-v|pixtral|internvl|"
    r"mistral-small-?3\.[12]|llama-?4|vision"
)
"""A part of the names of models that look at pictures."""

BLIND = re.compile(r"gemma-?3n|gemma-?3[:-](?:1b|270m)|embed|rerank|text-only")
"""A part of the names of their relatives that do not."""

ELSEWHERE = re.compile(r"[:-]cloud$")
"""End of the names of models that Ollama lists, and runs on machines of its own."""

MOST_NAME = 200


def by_name(model: str) -> bool:
    """Whether a model looks at pictures, as far as its name tells."""
    name = model.lower()
    return bool(SEEING.search(name)) and not BLIND.search(name)


def usable(model: str) -> bool:
    """Whether frames that are shown to a model stay on this machine."""
    return not ELSEWHERE.search(model.lower())


def is_name(text: str) -> bool:
    """Whether it may be a model's name: it will stand in a line of the settings."""
    return 0 < len(text) <= MOST_NAME and text.isprintable() and not set(text) & set(" \"'#$\\")
