"""Renders the prose in ``prompts/*.md``: every ``$name`` filled in, none left over."""

import hashlib
from functools import cache
from importlib.resources import files
from string import Template


class PromptError(LookupError):
    """A prompt does not exist, or was given the wrong names; always a bug in the caller."""


@cache
def _text(name: str) -> str:
    file = files("prompts") / f"{name}.md"
    if not file.is_file():
        raise PromptError(f"there is no prompt {name!r}")
    return file.read_text(encoding="utf-8")


def prompt_version(name: str) -> str:
    """Twelve hexadecimal digits that change whenever the prompt's text does.

    Raises:
        PromptError: If there is no such prompt.
    """
    return hashlib.sha256(_text(name).encode()).hexdigest()[:12]


def render_prompt(name: str, **values: str) -> str:
    """The prompt's text with every ``$name`` filled in.

    Raises:
        PromptError: If there is no such prompt, a placeholder has no value, or a value no
            placeholder.
    """
    template = Template(_text(name))
    wanted, given = set(template.get_identifiers()), set(values)
    if wanted != given:
        missing, unknown = sorted(wanted - given), sorted(given - wanted)
        raise PromptError(f"prompt {name!r}: missing {missing}, unknown {unknown}")
    return template.substitute(values).strip()
