"""The secrets that this process was handed: none of them is ever shown, however it is written.

Whoever reads a key or opens a connection with one has it kept here. A library, a server or a trace
may repeat it in any spelling: escaped for an address, for JSON or HTML, in base64 or hexadecimal.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tools.user_paths import expand_user

HIDDEN: Final = "…"

SHORTEST_KEY: Final = 7
"""Characters; a shorter string is a word or a number, and no key."""

LONGEST_WORD: Final = 20
"""Letters; what is longer is no word, whatever it is made of."""

PLACEHOLDERS: Final = frozenset(
    "lm-studio not-needed no-key-needed no-key-required not-required placeholder localhost".split()
)
"""What servers that need no key are given; the first is a host's name too."""

_ORDINARY: Final = re.compile(r"v\d+\w{0,8}|[a-z]+(?:[-_.][a-z]+)*")
"""A step of an address's path as services name theirs."""

_NAMES_MODEL: Final = frozenset({"deployments", "models", "engines", "model"})
_PLAIN_FIELDS: Final = frozenset({"api-version", "version", "model", "region", "deployment"})
_NAMED_SECRET: Final = re.compile(
    r"(?i)(?:^|_)(?:api_?key|access_?key|key|token|secret|password|passwd|pass|credentials?|cookie)"
    r"(?:_id)?$"
)
_NAMED_HEADERS: Final = re.compile(r"(?i)_headers$")
_NAMED_ADDRESS: Final = re.compile(r"(?i)(?:url|endpoint|api_base)$")
_NAMES_SECRET: Final = re.compile(r"(?i)secret|passw|token|key")
_ALPHABET: Final = "A-Za-z0-9+/_-"


class KnownSecrets:
    """Secrets, and what finds them in a text. Several threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, str] = {}

    def keep(self, secret: str, shown: str = HIDDEN) -> None:
        """Never show this again.

        Args:
            secret: A key, a token or a password; what is too short or a placeholder is not kept.
            shown: What stands in its place.
        """
        secret = secret.strip()
        if len(secret) < SHORTEST_KEY or secret.lower() in PLACEHOLDERS:
            return
        with self._lock:
            # The longest first: one may be a part of another.
            kept = self._shown | {secret: shown}
            self._shown = dict(sorted(kept.items(), key=lambda one: -len(one[0])))

    def keep_address(self, address: str) -> None:
        """Keep what is secret in an address of the settings: what stands where keys stand.

        That is the user and the password before its host, steps of its path that no service names
        so, and the values in its query.
        """
        try:
            parts = urlsplit(address)
            host = parts.netloc.rpartition("@")[2]
        except ValueError:
            return
        # A user's name alone is no secret, where a password follows it.
        self.keep(unquote(parts.password or parts.username or ""))
        for _, value in _secret_fields(parts.query):
            self.keep(value)
        so_far = shown = f"//{host}"
        before = ""
        for step in parts.path.split("/")[1:]:
            is_secret = is_secret_step(unquote(step), before)
            so_far, before = f"{so_far}/{unquote(step)}", step
            shown = f"{shown}/{HIDDEN if is_secret else step}"
            if is_secret:
                # A word may stand elsewhere too: it is a secret in this place alone.
                self.keep(so_far, shown)
                if _looks_random(step):
                    self.keep(unquote(step))

    def hide_in(self, text: str) -> str:
        """The text without any of them."""
        kept = self._shown
        if not kept:
            return text
        for secret, shown in kept.items():
            if secret.isdecimal():
                # Part of a longer number it is none, and JSON must stay JSON.
                text = (
                    re.sub(rf"(?<![\w.]){secret}(?![\w.])", "0", text) if secret in text else text
                )
            else:
                text = text.replace(secret, shown)
        readings = [read(text) for mark, read in _READS if mark in text]
        for secret, shown in kept.items():
            if secret.isdecimal():
                continue
            if any(secret in reading for reading in readings):
                text = _spelled(secret).sub(shown.replace("\\", r"\\"), text)
            text = _without_encoded(text, secret)
        return text


def is_secret_step(step: str, before: str = "") -> bool:
    """Whether a step of an address's path may be a key.

    Args:
        step: Between two slashes.
        before: The step before it: a model is named after some.
    """
    if len(step) < SHORTEST_KEY or before in _NAMES_MODEL:
        return False
    return not _ORDINARY.fullmatch(step) or _NAMES_SECRET.search(step) is not None


def _looks_random(step: str) -> bool:
    return not step.isalpha() or not step.islower()


def _secret_fields(query: str) -> Iterable[tuple[str, str]]:
    fields = parse_qsl(query, keep_blank_values=True)
    return [(name, value) for name, value in fields if name.lower() not in _PLAIN_FIELDS]


def _without_encoded(text: str, secret: str) -> str:
    """Without what holds the secret in hexadecimal or base64."""
    hexed = secret.encode().hex()
    if hexed in text or hexed.upper() in text:
        text = re.sub(hexed, HIDDEN, text, flags=re.IGNORECASE)
    for core in _base64_cores(secret):
        if core in text:
            run = f"[{_ALPHABET}]{{0,4096}}{re.escape(core)}[{_ALPHABET}]{{0,4096}}={{0,2}}"
            text = re.sub(run, HIDDEN, text)
    return text


def _unescaped(text: str) -> str:
    r"""What backslashes stand for: ``\u0041``, ``\x41`` and ``\/``, escaped once or more."""
    text = re.sub(
        r"\\+(?:u00|x)([0-9a-fA-F]{2})|\\+u([0-9a-fA-F]{4})",
        lambda found: chr(int(found[1] or found[2], 16)),
        text,
    )
    return text.replace("\\", "")


def _decoded(text: str) -> str:
    for _ in range(3):
        text = unquote(text)
    return text


def _of_a_form(text: str) -> str:
    return _decoded(text.replace("+", " "))


_READS: Final = (
    ("%", _decoded),
    ("+", _of_a_form),
    ("\\", _unescaped),
    ("&", html.unescape),
)


@cache
def _spelled(secret: str) -> re.Pattern[str]:
    """The secret with any of its characters escaped in any of the usual ways."""
    return re.compile("".join(map(_one_spelled, secret)))


def _one_spelled(char: str) -> str:
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in char.encode())
    code = f"{ord(char):x}"
    named = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}.get(char)
    ways = [
        rf"\\*{re.escape(char)}",
        percent,
        rf"\\+u(?i:{code:0>4})",
        rf"\\+x(?i:{code:0>2})",
        f"&#0*{ord(char)};?",
        f"&#[xX]0*(?i:{code});?",
        *([f"&{named};?"] if named else []),
        *([r"\+"] if char == " " else []),
        *([re.escape(json.dumps(char)[1:-1])] if not char.isascii() else []),
    ]
    return f"(?:{'|'.join(ways)})"


@cache
def _base64_cores(secret: str) -> frozenset[str]:
    """What base64 that holds the secret holds, wherever in it the secret stands."""
    data = secret.encode()
    cores = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data).decode()
        # What depends on its neighbours is left out at both ends.
        first = (0, 2, 3)[before]
        last = (before + len(data)) * 8 // 6
        core = whole[first:last]
        if len(core) >= SHORTEST_KEY:
            cores |= {core, core.translate(str.maketrans("+/", "-_"))}
    return frozenset(cores)


KNOWN: Final = KnownSecrets()
"""Those of this process."""


def keep_variables(variables: Mapping[str, str]) -> None:
    """Keep what variables hold that are named after a key, a token or a password.

    A file's name may be in one that ends so, or a word, which captions may say; they are none.
    """
    for name, value in variables.items():
        if _NAMED_SECRET.search(name):
            said = value.strip("\"' \r\n")
            if not _is_file(said) and not (said.isalpha() and len(said) < LONGEST_WORD):
                KNOWN.keep(said)
        elif _NAMED_HEADERS.search(name):
            for header in value.split(","):
                said = unquote(header.partition("=")[2]).strip()
                KNOWN.keep(said.removeprefix("Bearer ").removeprefix("Basic "))
        elif "://" in value and name.startswith(_OURS) and _NAMED_ADDRESS.search(name):
            KNOWN.keep_address(value)
        elif "@" in value and ("://" in value or name.lower().endswith("_proxy")):
            _keep_password(value)


_OURS: Final = ("WHENABOUTS_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "OTEL_", "CHROMA_")


def _keep_password(address: str) -> None:
    try:
        whole = address if "://" in address else f"http://{address}"
        KNOWN.keep(unquote(urlsplit(whole).password or ""))
    except ValueError:
        return


def _is_file(value: str) -> bool:
    return value.startswith(("/", "~", "./")) and expand_user(value).exists()
