"""Renders the prose in ``prompts/*.md``: every ``$name`` filled in, none left over."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template

_in_use: dict[str, str] = {}
"""Texts that stand in place of those here, by name."""


class PromptError(LookupError):
    """A prompt does not exist, or was given the wrong names; always a bug in the caller."""


def read_prompts(folder: Path) -> dict[str, str]:
    """Texts to put in place of prompts here: each a ``NAME.md`` with the same placeholders.

    Raises:
        ValueError: If there is none in the folder, or one of a name or with placeholders that no
            prompt here has.
    """
    texts = {}
    for file in sorted(folder.glob("*.md")):
        try:
            text = file.read_text(encoding="utf-8")
            template, own = Template(text), Template(_packaged(file.stem))
        except (OSError, UnicodeError, PromptError) as exc:
            raise ValueError(f"{file}: {exc}") from None
        wanted, given = set(own.get_identifiers()), set(template.get_identifiers())
        if wanted != given or not template.is_valid():
            names = ", ".join(f"${name}" for name in sorted(wanted)) or "none"
            raise ValueError(
                f"{file}: its placeholders have to be {names}, and any other dollar sign $$"
            )
        texts[file.stem] = text
    if not texts:
        raise ValueError(f"{folder} holds no prompt; name one after that which it replaces, X.md")
    return texts


def use_prompts(texts: Mapping[str, str]) -> None:
    """Have these stand in place of the prompts of their names, in all of the process."""
    _in_use.clear()
    _in_use.update(texts)


def _text(name: str) -> str:
    return _in_use.get(name) or _packaged(name)


@cache
def _packaged(name: str) -> str:
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
