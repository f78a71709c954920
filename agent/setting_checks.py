"""What a setting must be like: a check returns the value, or raises ValueError with the reason."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from prompts.catalog import Prompts
from tools.user_paths import expand_user


def must_be_look(name: str) -> str:
    """A way to look that there is."""
    from tools.captioners.looks import LookMode

    return str(LookMode.parse(name))


def must_name_video_model(name: str) -> str:
    """Who is asked directly."""
    if name not in {"auto", "off"} and not re.fullmatch(r"openai:\S+", name):
        raise ValueError("it must be auto, off, or openai:MODEL")
    return name


def must_be_address(address: str) -> str:
    """An address that clients take."""
    # Such as the carriage return of a file that was written on Windows: no client takes it.
    if not address.isprintable() or " " in address:
        raise ValueError("it holds a blank or a control character, often at its end; remove that")
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # A port that is not a number, or half of an IPv6 address.
        is_one = False
    if not is_one:
        raise ValueError("it must be like http://localhost:8000/v1")
    return address


def must_be_language(name: str) -> str:
    """A language in two letters."""
    if not re.fullmatch(r"[a-z]{2}", name):
        raise ValueError("it must be two small letters, such as en or de")
    return name


def language_of_locale(environment: Mapping[str, str]) -> str:
    """The language of the first variable that is set, as C libraries do; English for none or C."""
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next(filter(None, map(environment.get, variables)), "")
    found = re.match(r"([a-z]{2})(?=[_.@]|$)", locale)
    return found[1] if found else "en"


def must_have_owner(folder: Path) -> Path:
    """The whole path of a folder, with ``~`` filled in."""
    whole = expand_user(folder)
    if str(whole).startswith("~"):
        raise ValueError(f"there is no user of that name, or {whole.parts[0]} has no home")
    return whole.absolute()


def must_hold_prompts(folder: Path) -> Path:
    """A folder of prompts that can be used."""
    Prompts.read(folder)
    return folder
