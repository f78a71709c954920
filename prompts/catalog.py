"""Renders the prose in ``prompts/*.md``: every ``$name`` filled in, none left over."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Self


class PromptError(LookupError):
    """A prompt does not exist, or was given the wrong names; always a bug in the caller."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts of the package, some of them replaced by others of the same name.

    Attributes:
        own: Texts that replace those of the package, by name.
    """

    own: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The prompts with those of a folder: each a ``NAME.md`` with the same placeholders.

        Raises:
            ValueError: If there is none in the folder, or one of a name or with placeholders that
                no prompt here has.
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
                    f"{file}: its placeholders must be {names}; write any other dollar sign as $$"
                )
            texts[file.stem] = text
        if not texts:
            raise ValueError(
                f"{folder} holds no prompt; give a file the name of the prompt it replaces, X.md"
            )
        return cls(texts)

    def version(self, name: str) -> str:
        """Twelve hexadecimal digits that change whenever the prompt's text does.

        Raises:
            PromptError: If there is no such prompt.
        """
        return hashlib.sha256(self._text(name).encode()).hexdigest()[:12]

    def render(self, name: str, **values: str) -> str:
        """The prompt's text with every ``$name`` filled in.

        Raises:
            PromptError: If there is no such prompt, a placeholder has no value, or a value no
                placeholder.
        """
        template = Template(self._text(name))
        wanted, given = set(template.get_identifiers()), set(values)
        if wanted != given:
            missing, unknown = sorted(wanted - given), sorted(given - wanted)
            raise PromptError(f"prompt {name!r}: missing {missing}, unknown {unknown}")
        return template.substitute(values).strip()

    def _text(self, name: str) -> str:
        return self.own.get(name) or _packaged(name)


PACKAGED = Prompts()


@cache
def _packaged(name: str) -> str:
    file = files("prompts") / f"{name}.md"
    if not file.is_file():
        raise PromptError(f"there is no prompt {name!r}")
    return file.read_text(encoding="utf-8")
