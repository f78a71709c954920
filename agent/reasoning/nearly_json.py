"""Nearly JSON, read where it can mean one thing only. Pure.

Trailing commas, comments of three languages, single and curly quotes, words for true, false and
null as other languages spell them, ``#4`` for 4, line breaks in strings, and ``[...]`` for what was
left out. A name that stands in one object twice is refused, whatever its values.
"""

import ast
import json
import re
import warnings
from typing import Any, Final, NoReturn

LONGEST_NEARLY_JSON: Final = 20_000
"""Characters: no answer is longer, and the tolerant parser is slow."""

_CURLY: Final = re.compile("[“”„‟]")
_COMMENT: Final = re.compile(r"//|#(?!\d)")
_PIECE: Final = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|
    (?P<comment>//[^\n]*|/\*.*?\*/|\#(?!\d)[^\n]*)|
    (?P<left_out>\[\s*(?:\.\.\.|…)\s*,?\s*\])|
    (?<![\w.#-])\#?(?P<number>\d{1,9})(?![\w.])|
    \b(?P<word>true|false|null|none)\b(?!\s*:)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


class TwiceError(ValueError):
    """A name stands in one object twice, and only one of them can be meant."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TwiceError(f"{twice[:40]!r} stands in one object twice")
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


DECODER = json.JSONDecoder(parse_constant=_reject_constant, object_pairs_hook=_once_each)
_LENIENT = json.JSONDecoder(
    parse_constant=_reject_constant, object_pairs_hook=_once_each, strict=False
)
"""Takes line breaks within strings too."""


def read_nearly(text: str) -> dict[str, Any] | None:
    """An object in nearly JSON, else None; the strict parser words the fault better."""
    if len(text) > LONGEST_NEARLY_JSON:
        return None
    import json5

    tidied = _tidied(text)
    for read in (
        _LENIENT.decode,
        lambda told: json5.loads(told, allow_duplicate_keys=False, parse_constant=_reject_constant),
        _python_literal,
    ):
        try:
            value = read(tidied)
        except TwiceError:
            return None
        except (ValueError, RecursionError, MemoryError):
            continue
        if value is not None:
            return value if isinstance(value, dict) else None
    return None


def _tidied(text: str) -> str:
    """The same with what stands outside of its strings spelt as JSON5 does."""
    if '"' not in text:
        text = _CURLY.sub('"', text)
    return _PIECE.sub(_spelt, text)


def _spelt(piece: "re.Match[str]") -> str:
    if piece["number"]:
        return piece["number"].lstrip("0") or "0"
    if piece["word"]:
        return {"t": "true", "f": "false"}.get(piece["word"][0].lower(), "null")
    if piece["left_out"]:
        return "[]"
    return " " if piece["comment"] else piece[0]


def _python_literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of odd escapes, which decide nothing here.
            tree = ast.parse(text, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
                if len(set(keys)) < len(node.keys) or not all(isinstance(k, str) for k in keys):
                    return None
            elif not isinstance(
                node,
                ast.Expression | ast.List | ast.Constant | ast.Load | ast.UnaryOp | ast.USub,
            ):
                return None
        return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def closing_brace(text: str, at: int) -> int | None:
    """Just after the brace that closes the one at ``at``; None where it is not closed."""
    depth, quote, place = 0, "", at
    while place < len(text):
        char = text[place]
        if quote:
            if char == "\\":
                place += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif text.startswith("//", place) or (
            char == "#" and not text[place + 1 : place + 2].isdigit()
        ):
            place = text.find("\n", place)
            if place < 0:
                return None
        elif text.startswith("/*", place):
            place = text.find("*/", place) + 1
            if place <= 0:
                return None
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return None
