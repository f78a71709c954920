"""Text that comes from models, screens and files, made fit to be stored, counted and shown."""

import re
import shlex
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urlsplit

from tools.known_secrets import HIDDEN, KNOWN, is_secret_step

JOINERS = "\u200c\u200d"
"""Invisible, and part of words in several scripts."""

_LINE_CHARS = "\n\t"
_AT_NUMBERS = (
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Format characters that can be seen: Arabic and other signs around a number."""

_PASSWORD = re.compile(
    r"(?<=://)(?:[^\s/?#@\\\"'<>]*@)+"  # user:password@
    # A password with a slash that was not escaped; a port before a path is not one.
    r"|(?<=://)[^\s/?#:@]*:(?!\d{1,5}(?:[/?#]|$))[^\s\"'<>]*@"
)
_WORD = re.compile(r"[^\s\"'<>]+")
_WITHOUT_SCHEME = re.compile(
    r"(?<![\w.@:…\\-])(?!mailto:|xmpp:|sips?:|sight:)[^\s/?#@:([\\\"'<>]{1,64}:[^\s/@\\\"'<>]{1,200}@(?=[\w\[])"
)
"""``user:password@host``, as proxies are written too."""
_ESCAPED = re.compile(r"(?i)(?<=%3A%2F%2F)[^\s/?#&\\\"'<>]{1,300}?%40")
_SECRET_OF_HEADER = re.compile(
    r"(?i)\b((?:(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?api-key|x-[\w-]{1,30}-(?:token|key|team))"
    # As Python and JSON write them, or as headers and variables do.
    r"(?:(?P<quote>\\?['\"])\s{0,2}[:,]\s{0,2}b?(?P=quote)"
    r"|\s{0,2}[:=]\s{0,2}(?:\\?['\"])?(?![:,}\]])|%3D)"
    r"(?:(?:basic|bearer)(?:\s{1,2}|%20))?"
    r"|bearer(?:\s{1,2}|%20)(?=[\w.~+/=-]{16})"
    r"|basic(?:\s{1,2}|%20)(?=[\w.~+/=-]{0,300}\d)(?=[\w.~+/=-]{16}))(?:\\[^\s\"']|[^\s,;&\"'<>\\])++"
    # The name of the next field is none, where JSON has a header's name as a value.
    r"(?!\\?['\"]\s{0,2}:)"
)
"""The values of headers that hold keys; a bearer in a caption carries shorter words."""
_SECRET_OF_QUERY = re.compile(
    r"(?i)(?:(?<=[?&;#])|(?<=%3F|%26))((?:[\w.-]*(?:[_.-]|%5F|%2D))?(?:api(?:[_-]|%5F|%2D)?key|key|"
    r"token|password|passwd|pwd|secret|sig|signature|auth|credential|sas|jwt)(?:=|%3D)"
    # Of some functions; a status and the like are shorter.
    r"|code(?:=|%3D)(?=[\w%.~+/=-]{12}))"
    r"(?:\\[^\s\"']|(?!%26)[^&;#\s\"'<>\\])+"
)
"""A backslash goes with what follows; one before a quote stays, where the text is JSON."""
_NAMES_SECRET = re.compile(
    r"(?i)(?:api[_-]?key|access[_-]?(?:key|token)|token|passwo?r?d|pwd|secret)\\?['\"]?\s?[:=]"
)
_SECRET_OF_FIELD = re.compile(
    r"(?i)(?<![\w?&;#%.-])((?:[\w.-]{1,40}[_.-])?"
    r"(?:api[_-]?key|access[_-]?(?:key|token)|token|password|passwd|pwd|secret)"
    # As JSON and Python write a field, with any value; or as a variable, where prose would not
    # have a digit in it.
    r"(?:(?P<quote>\\?['\"])\s{0,2}:\s{0,2}b?(?P=quote)"
    r"|\s?[:=]\s?(?:\\?['\"])?(?![:,}\]])(?=[^\s,;&\"'<>\\]{8})(?=[^\s,;&\"'<>\\]{0,300}\d)))"
    r"(?:\\[^\s\"']|[^\s,;&\"'<>\\])+"
)
_KEY = re.compile(
    r"(?<![\w/.-])(?:(?:sk|pk|rk|lsv2|hf|gsk|xai|ghp|gho|glpat)[-_](?=[\w-]{0,300}\d)|AIza)"
    # Not the name of a file or folder.
    r"[\w-]{16,300}+(?!/|\.\w)"
)
"""What keys of known services look like."""
_KEY_AS_STEP = re.compile(
    r"(?<=/)(?:(?:sk|pk|rk|lsv2|hf|gsk|xai|ghp|gho|glpat)[-_](?=[\w-]{0,300}\d)|AIza)[\w-]{16,300}+"
    r"(?=[/?#:,;)\]]|\.?$)"
)
"""The same as a step of an address's path."""
_BEFORE_LAST_AT = re.compile(r"^([a-zA-Z][\w+.-]*://|)(?s:.*)@")
_NO_PORT = re.compile(
    r"^((?:[a-zA-Z][\w+.-]*://)?(?:\[[^\]]*\]|[^/?#:\[@]*):)(?!//)(?!\d{1,5}(?:[/?#]|$))[^/?#]+"
)
_NAMES_KEY = re.compile(
    r"(?i)bearer|basic|authorization|cookie|api-key|x-[\w-]{1,30}-(?:token|key|team)"
)


def is_text(words: str) -> bool:
    """Whether it can be written as UTF-8: bytes that are not come in as halves of characters."""
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole_unicode(text: str) -> str:
    """Text that any encoder takes: half a surrogate pair, which JSON can spell, becomes ``?``."""
    return text.encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """Text on a single line, without control characters and marks that change its direction."""
    words = whole_unicode(text).split()
    return "".join(
        char
        for char in " ".join(words)
        if char in JOINERS or unicodedata.category(char) not in {"Cc", "Cf"}
    )


def without_passwords(text: str) -> str:
    """The text, with what is secret in the addresses in it replaced by an ellipsis.

    That is everything before the ``@`` of an address, values of its query that are named like a
    key, those of headers, fields and variables that hold one, what looks like a key, and every
    secret that this process was handed. It is the only redaction, for errors, settings, traces and
    all that is printed.
    """
    text = KNOWN.hide_in(text)
    if "://" in text:
        text = _WORD.sub(_without_password, text)
    if "=" in text or "%3" in text:
        text = _SECRET_OF_QUERY.sub(rf"\1{HIDDEN}", text)
    if "@" in text:
        text = _WITHOUT_SCHEME.sub(f"{HIDDEN}@", text)
    if "%40" in text:
        text = _ESCAPED.sub(f"{HIDDEN}%40", text)
    if _NAMES_KEY.search(text):
        text = _SECRET_OF_HEADER.sub(rf"\1{HIDDEN}", text)
    if _NAMES_SECRET.search(text):
        text = _SECRET_OF_FIELD.sub(rf"\1{HIDDEN}", text)
    return _KEY.sub(HIDDEN, text)


def shown_address(address: str) -> str:
    """A string that should be an address, without what is secret in it even where it is none.

    In a longer text, nobody can tell where a password with a blank in it ends.
    """
    try:
        parts = urlsplit(address)
        is_one = bool(parts.hostname and (parts.port is None or parts.port >= 0))
    except ValueError:
        is_one = False
    if not is_one or "@" in parts.netloc or any(char.isspace() for char in address):
        address = _BEFORE_LAST_AT.sub(rf"\1{HIDDEN}@", address)
        address = _NO_PORT.sub(rf"\1{HIDDEN}", address)
    else:
        address = _without_steps(address)
    return without_passwords(address)


def _without_steps(address: str) -> str:
    """An address without steps of its path that no service names so: keys stand there too."""
    parts = urlsplit(address)
    steps = parts.path.split("/")
    shown = [
        HIDDEN if is_secret_step(step, last) else step for last, step in pairwise(["", *steps])
    ]
    return parts._replace(path="/".join(shown)).geturl() if shown != steps else address


def _without_password(word: re.Match[str]) -> str:
    address = word[0]
    if "://" not in address:
        return address
    # Beyond the last @ nothing is one, and looking for it there takes quadratic time.
    end = address.rfind("@") + 1
    if end:
        address = _PASSWORD.sub(f"{HIDDEN}@", address[:end]) + address[end:]
    return _KEY_AS_STEP.sub(HIDDEN, address)


def printable(text: str) -> str:
    r"""Text that cannot steer the terminal it is printed to, with no password in its addresses.

    Control characters and marks that change the direction or hide text are spelled out, as in
    ``\x1b`` and ``\u202e``: names with such characters are told apart from those without. Lines
    and tabs stay.
    """
    text = without_passwords(text)
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def in_one_row(text: str) -> str:
    r"""Text whose line breaks and tabs are spelled out: a file name may hold them."""
    return "".join(
        char.encode("unicode_escape").decode() if char in _LINE_CHARS else char for char in text
    )


def for_a_shell(word: str) -> str:
    r"""A word of a command that is shown to be copied: in one row, and the same in bash and zsh.

    What cannot be printed is spelled out, byte for byte, as in ``$'a\x0ab'``.
    """
    if word.isprintable():
        return shlex.quote(word)
    spelled = (
        f"\\{char}"
        if char in "\\'"
        else char
        if char.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
        for char in word
    )
    return f"$'{''.join(spelled)}'"


@lru_cache(maxsize=4096)
def _shown(char: str) -> str:
    if char in _LINE_CHARS or char in JOINERS or char in _AT_NUMBERS:
        return char
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return char.encode("unicode_escape").decode()
    return char


def printable_json(text: str, *, ascii_only: bool = False) -> str:
    """JSON that cannot steer a terminal either: the same characters, escaped as JSON has it.

    Args:
        text: JSON; what is replaced stands inside its strings alone.
        ascii_only: Whether everything beyond ASCII is escaped.
    """
    text = without_passwords(text)
    if text.isascii() and "\x7f" not in text:  # JSON has no other control characters.
        return text
    return "".join(
        _json_escape(char) if (ascii_only and not char.isascii()) or _shown(char) != char else char
        for char in text
    )


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def counted(count: int, noun: str) -> str:
    """``1 caption``, ``2 captions``, ``1,000 captions``: of nouns that only take an s."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shorten(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis, of at most ``limit`` characters.

    A secret that it cuts could not be told from other text any more, so those go first.
    """
    if len(text) > limit:
        text = KNOWN.hide_in(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def letters_by_script(text: str) -> Counter[str]:
    """How many letters of a text are of which script, as Unicode names it (``LATIN``, ``CJK``).

    Wide and decorated letters count as plain ones, and what Japanese is written with as ``CJK``.
    """
    scripts = Counter(
        unicodedata.name(char, "").partition(" ")[0]
        for char in unicodedata.normalize("NFKC", text)
        if char.isalpha()
    )
    for name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"):
        if name in scripts:
            scripts["CJK"] += scripts.pop(name)
    return scripts


def main_script(text: str) -> str:
    """The script that most letters of a text are of; empty where there is no letter."""
    scripts = letters_by_script(text)
    return scripts.most_common(1)[0][0] if scripts else ""


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is, on the high side: one for every three bytes of UTF-8.

    English has four letters or more a token, Chinese and Japanese about one character of three
    bytes. No tokenizer is loaded: models differ, and a budget needs no more.
    """
    return -(-len(whole_unicode(text).encode()) // 3)
