"""What a service's error means, whatever its maker: one classifier for every request. Pure.

Status codes say little: a prompt that is too long is a 400 here and a 500 there, a limit of
requests comes as 200 with an error inside. So the words and codes in the body are read too,
wherever they stand in it.
"""

from __future__ import annotations

import email.utils
import html
import json
import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from tools.errors import FailureKind, ServiceError
from tools.llm.completion import is_hollow

Kind = Literal[
    "key",
    "credit",
    "model",
    "busy",
    "declined",
    "stream",
    "context",
    "history",
    "system",
    "option",
    "generation",
    "broken",
    "hollow",
    "strange",
    "refused",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try failed.

    Attributes:
        kind: What can be done about it. ``stream``, ``history``, ``system`` and ``option``: the
            same can be asked in another form. ``busy``, ``broken``, ``generation`` (what the model
            wrote did not fit), ``hollow`` (an answer without a reply in it) and ``strange`` (not a
            valid answer) may pass.
        status: Of HTTP, or in the body where that says 200.
        said: The server's own words; empty where it has none.
        option: Which part of the request is complained of, where it is ``option``.
        wait_s: Seconds after which the server wants to be asked again; None where it does not say.
    """

    kind: Kind
    status: int
    said: str
    option: str = ""
    wait_s: float | None = None


LONGEST_WORDS: Final = 20_000
"""Characters of a server's words that are read."""
LONGEST_ERROR: Final = 1 << 20
"""Bytes of an error that are taken for JSON; of a longer one the beginning is read as it stands."""
LONGEST_MARK: Final = 2000
"""Characters of each code beside them."""

_DECLINED: Final = re.compile(
    r"content_?filter|content_policy|moderation_blocked|data_?inspection|inappropriate content|"
    r"prohibited_content|content management policy|safety system|responsible_?ai|flagged|"
    r"image_safety|\bsensitive content|blocked by .{0,40}(?:safety|policy)|risk_control|"
    r"content exists risk",
    re.IGNORECASE,
)
_KEY: Final = re.compile(
    r"api[_ ]key not valid|invalid[_ ]api[_ ]key|invalid_authentication|incorrect api key|"
    r"missing api key",
    re.IGNORECASE,
)
_CREDIT: Final = re.compile(
    r"insufficient[_ ](?:quota|balance|funds|credit)|credit balance|billing_hard_limit|"
    r"\barrearage\b|out of credits?",
    re.IGNORECASE,
)
_BUSY: Final = re.compile(
    r"rate[_ ]?limit|too many requests|overloaded|resource_exhausted|throttl|slow down",
    re.IGNORECASE,
)
_MODEL: Final = re.compile(
    r"model_not_found|unknown_model|(?:model|deployment)\b.{0,100}"
    r"(?:does not exist|not (?:be )?found|is not available|unknown)|no such model|"
    r"unknown model|invalid model",
    re.IGNORECASE,
)
_STREAM: Final = re.compile(
    r"only supports? stream|stream mode|stream(?:ing)? is required|enable (?:the )?stream|"
    r"must (?:be|use) stream|stream['\"`]? ?(?:must|should) be (?:set to )?true|"
    r"non-streaming .{0,30}not supported|stream=true|for non-streaming calls",
    re.IGNORECASE,
)
_CONTEXT: Final = re.compile(
    r"context[_ ]?(?:length|window|size)|exceed_context|maximum context|max_model_len|"
    r"prompt is too long|input is too long|too many (?:input )?tokens|"
    r"(?:prompt|input|messages?|request)\b.{0,60}exceeds?\b.{0,60}(?:token|context|length)|"
    r"exceeds? the (?:available )?context|maximum (?:input|prompt) length|n_ctx|"
    r"reduce the length of|range of input length",
    re.IGNORECASE,
)
_HISTORY: Final = re.compile(
    r"thought_?signature|reasoning_content|roles? must alternate|alternate user|toolconfig|"
    r"tool_?result|tool_?use\b|tool_call_id|role ['\"]?tool|unexpected role|"
    r"function (?:call|response)|after user messages|jinja",
    re.IGNORECASE,
)
_SYSTEM: Final = re.compile(
    r"system (?:role|message|prompt|instruction)s?\b.{0,60}(?:not|n't|unsupported)|"
    r"developer instruction is not enabled|role ['\"]?system|"
    r"(?:not|n't) support.{0,30}\bsystem\b|only user and assistant roles",
    re.IGNORECASE,
)
_GENERATION: Final = re.compile(
    r"tool_use_failed|json_validate_failed|failed_generation|failed to (?:call a function|"
    r"generate json)|malformed_function_call",
    re.IGNORECASE,
)
_OPTIONS: Final[Mapping[str, re.Pattern[str]]] = {
    "response_format": re.compile(
        r"response_?format|json_schema|grammar|guided|structured output|response_?schema|"
        r"json mode|response_mime_type",
        re.IGNORECASE,
    ),
    "tools": re.compile(r"tool|function.?call", re.IGNORECASE),
    "temperature": re.compile(r"temperature", re.IGNORECASE),
    "max_tokens": re.compile(
        r"max_(?:completion_|new_|output_)?tokens|maxOutputTokens|in the completion"
    ),
    "detail": re.compile(r"\bdetail\b(?!s)", re.IGNORECASE),
    "stream_options": re.compile(r"stream_options|include_usage", re.IGNORECASE),
    "logprobs": re.compile(r"log_?probs?", re.IGNORECASE),
    "video": re.compile(
        r"video|media_io|content\b.{0,40}\btypes?\b|unsupported content|message (?:format|content)|"
        r"multi-?modal|image_url",
        re.IGNORECASE,
    ),
}
"""What a server says of an option that it does not take."""

_ABOUT_FORM: Final = frozenset({400, 404, 405, 415, 422, 500, 501})
"""A server answers so where it does not take an option; some crash over one."""

_RETRY_WORDS: Final = re.compile(
    r"(?:try again|retry|wait)\b[^.\n]{0,40}?\b(?:in|after|for)\s+(\d+(?:\.\d+)?)\s*"
    r"(ms|milliseconds?|s\b|sec|seconds?|m\b|min)",
    re.IGNORECASE,
)
_RETRY_DELAY: Final = re.compile(r"retryDelay\W{1,6}(\d+(?:\.\d+)?)s")
# Each in linear time: what is not closed goes on to the next tag, or to the end.
_TITLE: Final = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG: Final = re.compile(
    r"<(?:style|script)\b.*?(?:</(?:style|script)[^<>]*>?|\Z)|<[^<>]*>?", re.DOTALL | re.IGNORECASE
)


def explain(failure: Failure, said: str, *, where: str, model: str) -> ServiceError:
    """What a failure that no other form of the request avoids means, for the person who has to act.

    Args:
        failure: From ``classify``.
        said: Its words, fit to be shown.
        where: The service's address, or what stands in its place.
        model: The service's name for it.
    """
    words = f" ({said})" if said else ""
    answers = f"{where} answers {failure.status}{f': {said}' if said else ''}"
    refuses_key = f"{where} refuses the key ({failure.status}{f': {said}' if said else ''}); set "
    hollow, nothing = " (no choice with a message)", " (nothing that can be read)"
    no_model = f"{where} knows no model {model!r}{words}; check the name, OPENAI_BASE_URL, and"
    kinds: dict[Kind, tuple[FailureKind, str]] = {
        "key": ("key", refuses_key + f"OPENAI_API_KEY to one that may use {model}"),
        "model": ("model", no_model + " what that server lists under /models"),
        "credit": ("credit", f"{where} says that no credit is left{words}; top it up"),
        "declined": ("declined", said or f"{where} declines with {failure.status}"),
        "context": ("context", f"{where} says that the request is too long{words}"),
        "busy": ("busy", answers),
        "broken": ("broken", answers),
        "generation": ("strange", f"{where} could not use what the model wrote{words}"),
        "hollow": ("strange", f"{where} answered, but without a reply in it{words or hollow}"),
        "strange": ("strange", f"{where} does not answer as OpenAI's API does{words or nothing}"),
    }
    kind, told = kinds.get(failure.kind, ("refused", answers))
    if failure.kind == "strange":
        told += "; check OPENAI_BASE_URL"
    return ServiceError(kind, told)


def no_answer(where: str, detail: str) -> str:
    """That a service cannot be reached, and what to check."""
    return (
        f"no answer from {where} ({detail}); check the network and OPENAI_BASE_URL, and that "
        "the server is running"
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request held that a server may complain of.

    Attributes:
        options: Names, as in ``Failure.option``.
        look_ups: Whether calls of tools and their results stand in the messages.
        system: Whether there is a message of the system.
    """

    options: Collection[str] = field(default=())
    look_ups: bool = False
    system: bool = False


def classify(status: int, headers: Mapping[str, str], body: bytes, sent: Sent) -> Failure:
    """What an error of a service means.

    Args:
        status: Of HTTP; 200 where an error stands in place of a reply.
        headers: Their names in lower case.
        body: As it came, whatever it is.
        sent: What was asked for.
    """
    told = _json(body)
    said = words_of(body)[:LONGEST_WORDS]
    error = _error_of(told)
    code = error.get("code") if isinstance(error, Mapping) else None
    if 300 <= status < 400:
        where = urlsplit(headers.get("location", "")).hostname or "elsewhere"
        said = f"a redirect to {where}, which is not followed; set OPENAI_BASE_URL to that address"
        return Failure("refused", status, said)
    if status < 400:
        status = code if isinstance(code, int) and 400 <= code < 600 else status
    # Codes stand beside the words, under any of these names.
    marks = " ".join(filter(None, (said, *(mark[:LONGEST_MARK] for mark in _marks(told)))))
    judged = _judge(status, marks, sent)
    if judged["kind"] == "strange" and is_hollow(headers.get("content-type", ""), body):
        # Of a stream these are its bare lines, and no words.
        judged, said = {"kind": "hollow"}, "" if told is None else said
    return Failure(**judged, status=status, said=said, wait_s=_wait_s(headers, marks))


def _judge(status: int, marks: str, sent: Sent) -> dict[str, Any]:  # noqa: PLR0911  # a table
    def says(pattern: re.Pattern[str]) -> bool:
        return pattern.search(marks) is not None

    if says(_DECLINED) and status not in {401, 429}:
        return {"kind": "declined"}
    if says(_CREDIT) or status == 402:
        return {"kind": "credit"}
    if status in {401, 403} or says(_KEY):
        return {"kind": "key"}
    if status == 429 or (status < 400 and says(_BUSY)):
        return {"kind": "busy"}
    if says(_GENERATION):
        return {"kind": "generation"}
    if says(_STREAM) and status in _ABOUT_FORM and "stream" not in sent.options:
        return {"kind": "stream"}
    if status in _ABOUT_FORM or status in {413, 200}:
        about = _about_form(status, marks, sent)
        if about:
            return about
    if status == 404 or (says(_MODEL) and status in {400, 422}):
        return {"kind": "model"}
    if status in {400, 413, 415, 422} and "video" in sent.options:
        # Whatever it says: pictures between texts are understood by more servers.
        return {"kind": "option", "option": "video"}
    if status in {408, 409, 425} or status >= 500:
        return {"kind": "broken"}
    return {"kind": "refused"} if status >= 400 else {"kind": "strange"}


def _about_form(  # noqa: PLR0911  # a table
    status: int, marks: str, sent: Sent
) -> dict[str, Any] | None:
    options = [one for one, says in _OPTIONS.items() if one in sent.options and says.search(marks)]
    if "max_tokens" in options:
        # Giving up a reply limit that is too large is better than giving up captions.
        return {"kind": "option", "option": "max_tokens"}
    if _CONTEXT.search(marks):
        return {"kind": "context"}
    others = [one for one in options if one != "tools"]
    if others and not (sent.look_ups and _HISTORY.search(marks)):
        return {"kind": "option", "option": others[0]}
    if sent.look_ups and (status in {400, 404, 422} or _HISTORY.search(marks)):
        return {"kind": "history"}
    if sent.system and _SYSTEM.search(marks):
        return {"kind": "system"}
    if re.search(r"must alternate|alternate user", marks, re.IGNORECASE):
        return {"kind": "history"}
    return {"kind": "option", "option": "tools"} if options else None


def words_of(body: bytes) -> str:
    """A server's own words in the body of an error: of JSON, of a page, or as they stand."""
    told = _json(body)
    if told is not None:
        return next((words for words in _words(_error_of(told)) if words.strip()), "")
    text = body[:100_000].decode("utf-8", "replace")
    if "<" in text and re.search(r"<(?:html|!doctype|head|body|title)", text, re.IGNORECASE):
        title = _TITLE.search(text)
        text = title[1] if title and title[1].strip() else _TAG.sub(" ", text)
        return html.unescape(" ".join(text.split()))
    return text


def _json(body: bytes) -> Any:
    if len(body) > LONGEST_ERROR:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _error_of(told: Any) -> Any:
    """The error in a body: Google sends a list of one, others the error itself."""
    if isinstance(told, list) and told:
        told = told[0]
    if isinstance(told, Mapping) and told.get("error"):
        return told["error"]
    return told


def _words(error: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(error, str):
        yield error
    elif depth > 4:
        return
    elif isinstance(error, list):
        yield "; ".join(words for one in error[:5] for words in list(_words(one, depth + 1))[:1])
    elif isinstance(error, Mapping):
        metadata = error.get("metadata")
        raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
        own = next(
            (
                words
                for name in ("message", "msg", "detail", "error_msg", "errors", "reason", "error")
                for words in _words(error.get(name), depth + 1)
                if words.strip()
            ),
            "",
        )
        place = error.get("loc")
        if own and isinstance(place, list):
            # What FastAPI refuses is named by its place only.
            own = f"{'.'.join(map(str, place))}: {own}"
        # A router's own words are "Provider returned error".
        yield f"{own}: {raw}" if isinstance(raw, str) and raw.strip() else own


def _marks(told: Any) -> Iterator[str]:
    error = _error_of(told)
    for holder in (error, told):
        if isinstance(holder, Mapping):
            for name in ("code", "type", "status", "param", "failed_generation"):
                if isinstance(value := holder.get(name), str):
                    yield name if name == "failed_generation" else value
            inner = holder.get("innererror")
            if isinstance(inner, Mapping):
                yield str(inner.get("code", ""))
            feedback = holder.get("promptFeedback") or holder.get("prompt_feedback")
            if isinstance(feedback, Mapping) and feedback:
                # Google's: whatever the reason, the prompt is what it would not take.
                blocked = "blockReason" in feedback or "block_reason" in feedback
                reasons = (str(one)[:LONGEST_MARK] for one in feedback.values())
                yield " ".join((*(["content_filter"] if blocked else []), *reasons))
            if holder.get("details"):
                yield json.dumps(holder["details"])


def _wait_s(headers: Mapping[str, str], marks: str) -> float | None:
    """Seconds that a reply asks to wait (RFC 9110, 10.2.3), or its words do."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if seconds >= 0:
            return seconds
    if date := email.utils.parsedate_tz(headers.get("retry-after", "")):
        return max(0.0, email.utils.mktime_tz(date) - time.time())
    if delay := _RETRY_DELAY.search(marks):
        return float(delay[1])
    if asked := _RETRY_WORDS.search(marks):
        unit = asked[2].lower()
        unit_s = 0.001 if unit.startswith(("ms", "milli")) else 60 if unit[0] == "m" else 1
        return float(asked[1]) * unit_s
    return None
