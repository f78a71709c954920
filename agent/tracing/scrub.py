"""What a trace may hold: pictures become placeholders, keys disappear, text can be hidden.

It is the only way into a trace, whatever the trace is sent to.
"""

import base64
import binascii
import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from langchain_core.messages import BaseMessage
from pydantic import BaseModel, SecretStr

from tools.text import without_passwords

HIDDEN_KEY: Final = "(a key)"

LONGEST_BASE64: Final = 200
"""A run of base64 this long is taken for a picture, whatever is around it."""

_DATA_URL = r"data:[\w.+/-]*+(?:;[\w.+-]++=[\w.+-]*+)*+;base64,(?P<data>[A-Za-z0-9+/_=\s-]*+)"
# Whole, or in lines of at least 60 characters as mail encoders write them. Possessive (``}+``):
# captions come from strangers, and must not make this backtrack for ever.
_RUN = (
    r"[A-Za-z0-9+/_-]{200,}+={0,2}"
    r"|(?:[A-Za-z0-9+/_-]{60,}+={0,2}(?:\\r|\\n|\s)++){3,}+[A-Za-z0-9+/_-]*+={0,2}"
)
_PICTURE = re.compile(rf"{_DATA_URL}|(?P<run>{_RUN})")

_PLACEHOLDER = re.compile(r"\(image sha256:[0-9a-f]{16}, \d+ bytes(?:, at [\d.e+]+ s)?\)")

_KEY = re.compile(
    r"\b(?:sk|pk|rk|lsv2|hf|gsk|xai|ghp|gho|glpat)[-_][A-Za-z0-9_-]{12,}"
    r"|\bAIza[0-9A-Za-z_-]{30,}"
    r"|(?i:(?<=bearer )|(?<=basic ))[A-Za-z0-9._~+/=-]{12,}"
)
_NAME_OF_A_KEY = re.compile(
    r"(?i)(?:^|[_-])(?:api[_-]?key|key|authorization|secret|password|access[_-]?token)$|^token$"
)

# “12 s”, “#3 [12.0–14.0 s]”: how the text before a picture says when it was.
_TIME = re.compile(r"(?P<time_s>\d+(?:\.\d+)?)(?:\s?[–-]\s?\d+(?:\.\d+)?)?\s?s\b")
_LABEL = 60

# Shown even where text is hidden: names, counts and kinds, no words of a video or a question.
_SHOWN: Final = frozenset(
    """
    accepted_by attempt attempts by caption_id caption_ids captioner embedder end_by event finish
    id indexed_at kind kinds look_ups ls_model_name ls_model_type ls_provider mode model node
    outcome prompt_version prompts read_by reasoner refusals role schema source start_by
    thread_id tool tools track type verdict video_id
    """.split()
)
_IDENTIFIER = re.compile(r"[\w.:@/+#-]{1,120}")

_OF_A_CAPTION: Final = frozenset({"id", "start_s", "end_s", "text", "source", "mode"})

SHORTEST_KEY: Final = 7
"""A shorter string is neither a key nor holds one."""

_ROLES: Final = {"human": "user", "ai": "assistant"}
_DEEPEST = 40


class Scrubber:
    """Makes any value plain JSON that may leave the process.

    Args:
        hide_text: Whether captions, questions, replies and file names are hidden too.
        secrets: Strings that must not appear anywhere; what looks like a key never does.
    """

    def __init__(self, *, hide_text: bool = False, secrets: Iterable[str] = ()) -> None:
        self.hide_text = hide_text
        keys = (one for one in secrets if len(one) >= SHORTEST_KEY)
        self._secrets = sorted(keys, key=len, reverse=True)
        # The same captions are in every span.
        self.without_keys = lru_cache(maxsize=4096)(self._without_keys)

    def __call__(self, value: Any, *, frame_times_s: Iterable[float] = ()) -> Any:
        """The value as plain JSON.

        Args:
            value: Anything: messages, models, arrays, dicts of all that.
            frame_times_s: When the pictures in it were, in order, where that is known.
        """
        return _Pass(self, iter(frame_times_s)).plain(value)

    def error(self, error: BaseException) -> str:
        """An exception in a line; its type alone where text is hidden."""
        name = type(error).__name__
        if self.hide_text or not str(error):
            return name
        return f"{name}: {self(str(error))}"

    def _without_keys(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN_KEY)
        return without_passwords(_KEY.sub(HIDDEN_KEY, text))


@lru_cache(maxsize=4096)
def _names_a_key(field: str) -> bool:
    return bool(_NAME_OF_A_KEY.search(field))


class _Pass:
    """One value on its way through; it counts the pictures it meets."""

    def __init__(self, scrubber: Scrubber, times_s: Iterator[float]) -> None:
        self._scrubber = scrubber
        self._times_s = times_s
        self._label_s: float | None = None

    def plain(  # noqa: PLR0911  # a kind of value each
        self, value: Any, name: str = "", depth: int = 0
    ) -> Any:
        if isinstance(value, str):
            return self._text(value, name)
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, float):
            # JSON has no other numbers.
            return value if abs(value) < float("inf") else str(value)
        if depth > _DEEPEST:
            return "(too deep)"
        # The commonest type comes first: checking for the abstract one is slow.
        if type(value) is dict or isinstance(value, Mapping):
            return self._fields(value, name, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.plain(one, name, depth + 1) for one in value]
        return self._object(value, name, depth)

    def _fields(self, values: Mapping[Any, Any], name: str, depth: int) -> Any:
        if name == "evidence" and values.keys() >= _OF_A_CAPTION and _has_times(values):
            return self._caption(values)
        plain: dict[str, Any] = {}
        for key, value in values.items():
            field = key if type(key) is str else str(key)
            if value is not None and _names_a_key(field):
                plain[field] = HIDDEN_KEY
            else:
                # Below ``prompts``, every name is that of a prompt.
                named = name if name == "prompts" else field
                plain[field] = self.plain(value, named, depth + 1)
        if plain.get("type") == "text" and (
            found := _TIME.search(str(values.get("text"))[:_LABEL])
        ):
            self._label_s = float(found["time_s"])
        return plain

    def _caption(self, values: Mapping[Any, Any]) -> str:
        """A caption in the state of the graph, in a line: there are hundreds in a question."""
        times = f"{values['start_s']:.2f}–{values['end_s']:.2f} s"
        named, source, said = (
            self._text(str(values[field]), field) for field in ("id", "source", "text")
        )
        relevance = values.get("relevance")
        fits = f" ({relevance:.2f})" if isinstance(relevance, float) else ""
        return f"{named} [{times}] ({source}) {said}{fits}"

    def _object(  # noqa: PLR0911  # one return for each kind of object
        self, value: Any, name: str, depth: int
    ) -> Any:
        if isinstance(value, SecretStr):
            return HIDDEN_KEY
        if isinstance(value, bytes | bytearray | memoryview):
            return self._placeholder(bytes(value))
        if isinstance(value, BaseMessage):
            return self.plain(_message(value), name, depth)
        if isinstance(value, BaseModel):
            return self.plain(dict(value), name, depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
            self._label_s = fields.get("time_s", self._label_s)
            return self.plain(fields, name, depth)
        if hasattr(value, "tobytes"):  # A number or an array of numpy's, or a picture of PIL's.
            if getattr(value, "shape", None) == ():
                return self.plain(value.item(), name, depth + 1)
            return self._placeholder(value.tobytes())
        if isinstance(value, BaseException):
            return self._scrubber.error(value)
        return self._text(str(value), name)

    def _text(self, text: str, name: str) -> str:
        if len(text) < SHORTEST_KEY and not self._scrubber.hide_text:
            return text
        shown = text
        if len(text) >= LONGEST_BASE64 or "base64," in text:
            shown = _PICTURE.sub(self._replaced, text)
            if shown != text and self._scrubber.hide_text:
                return " ".join(_PLACEHOLDER.findall(shown))
        if self._scrubber.hide_text and not (name in _SHOWN and _IDENTIFIER.fullmatch(text)):
            return f"({len(text)} characters)" if text else ""
        return self._scrubber.without_keys(shown)

    def _replaced(self, found: re.Match[str]) -> str:
        text = found["data"] if found["run"] is None else found["run"]
        packed = re.sub(r"\\r|\\n|\s", "", text).replace("-", "+").replace("_", "/").rstrip("=")
        try:
            data = base64.b64decode(packed + "=" * (-len(packed) % 4))
        except binascii.Error:
            data = packed.encode()
        return self._placeholder(data)

    def _placeholder(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()[:16]
        time_s = next(self._times_s, self._label_s)
        when = "" if time_s is None else f", at {time_s:g} s"
        return f"(image sha256:{digest}, {len(data)} bytes{when})"


def _has_times(values: Mapping[Any, Any]) -> bool:
    return isinstance(values["start_s"], float) and isinstance(values["end_s"], float)


def _message(message: BaseMessage) -> dict[str, Any]:
    """A message as chat services spell it."""
    plain: dict[str, Any] = {
        "role": _ROLES.get(message.type, message.type),
        "content": message.content,
    }
    if calls := getattr(message, "tool_calls", None):
        plain["tool_calls"] = [{"tool": one["name"], "arguments": one["args"]} for one in calls]
    if refusal := message.additional_kwargs.get("refusal"):
        plain["refusal"] = refusal
    return plain
