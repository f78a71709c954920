"""What a service's error means, whatever its maker: one classifier for every request. Pure.

Status codes say little: a prompt that is too long is a 400 here and a 500 there, a limit of
requests comes as 200 with an error inside. So the words and codes in the body are read too,
wherever they stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from tools.errors import FailureKind, ServiceError
from tools.llm.completion import is_hollow
from tools.llm.error_body import read_error, wait_asked_for_s
from tools.llm.picture_limit import most_pictures

Kind = Literal[
    "key",
    "credit",
    "model",
    "busy",
    "declined",
    "stream",
    "pictures",
    "context",
    "history",
    "system",
    "option",
    "generation",
    "broken",
    "hollow",
    "strange",
    "elsewhere",
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
        most_pictures: How many it takes in one request, where it is ``pictures``: there were more.
    """

    kind: Kind
    status: int
    said: str
    option: str = ""
    wait_s: float | None = None
    most_pictures: int | None = None


_DECLINED: Final = re.compile(
    r"content_?filter|content_policy|moderation_blocked|data_?inspection|flagged|image_safety|"
    r"prohibited_content|content management policy|safety system|safety_check|safeguard|guardrail|"
    r"responsible_?ai|responsible ai|risk_control|content exists risk|considered high risk|"
    r"inappropriate (?:content|material)|sensitive_?content|new_sensitive|\bnsfw\b|"
    r"\bsensitive (?:content|information|words?|material)|\b(?:contain|involv)\w* sensitive|"
    r"violat\w+ .{0,40}(?:polic|guideline|terms|usage|rules)|"
    r"blocked by .{0,40}(?:safety|policy|filter|moderation)|"
    r"content\b.{0,80}\b(?:is|was|been|were) (?:blocked|rejected|filtered)|敏感|不安全|违规|不合规",
    re.IGNORECASE,
)
_KEY: Final = re.compile(
    r"api[_ ]key (?:is )?(?:not valid|invalid|expired|missing)|invalid[_ ](?:api[_ ]key|token)|"
    r"invalid_authentication|incorrect api key|missing api key|authentication (?:error|failed)|"
    r"token (?:is )?(?:expired|invalid)|身份验证",
    re.IGNORECASE,
)
_CREDIT: Final = re.compile(
    r"insufficient[_ ](?:quota|balance|funds|credit)|credit balance|billing_hard_limit|"
    r"\barrearage\b|(?:out of|no (?:more )?|used (?:up )?all (?:available |your )?)credits?|"
    r"spending limit|exceeded_current_quota|account .{0,60}\bsuspended|余额不足|欠费",
    re.IGNORECASE,
)
_BUSY: Final = re.compile(
    r"rate[_ ]?limit|too many requests|overloaded|resource_exhausted|throttl|slow down|"
    r"限流|繁忙|请稍后",
    re.IGNORECASE,
)
_TOO_LARGE_FOR_ONE: Final = re.compile(r"request too large", re.IGNORECASE)
"""A limit of tokens a minute that a single request exceeds: waiting does not help."""

_MODEL: Final = re.compile(
    r"model_not_found|unknown_model|model_decommissioned|(?:models?|deployment)\b.{0,100}"
    r"(?:does not exist|not (?:be )?found|is not available|unknown|decommissioned|no longer)|"
    r"no such model|unknown model|invalid model|not a valid model|no models? (?:is |are )?loaded|"
    r"模型不存在",
    re.IGNORECASE,
)
_PARAMETERS: Final = re.compile(r"\bparameters?\b", re.IGNORECASE)

_SEES_NOTHING: Final = re.compile(
    r"(?:image|vision|picture|multi-?modal)\w*(?: input| data| content)?s?\b.{0,30}"
    r"(?:not|n't|un)[ -]?(?:yet )?(?:be )?support|support(?:s|ing)? (?:image|vision|multi-?modal)|"
    r"not (?:a |an )?(?:multi-?modal|vision)|at most 0 (?:image|picture)|\bmmproj\b|"
    r"(?:required|needed) for image input|not support.{0,20}\b(?:image|vision|multi-?modal)",
    re.IGNORECASE,
)
"""A model without eyes; of pictures in another form something else is said."""
_TOO_SMALL: Final = re.compile(r"requires more system memory", re.IGNORECASE)
"""A machine that cannot load the model: waiting does not help."""

_STREAM: Final = re.compile(
    r"only supports? stream|stream(?:ing)? (?:mode|output|is required|only)|"
    r"enable (?:the )?stream|must (?:be|use) stream|"
    r"\bstream\b.{0,24}\b(?:to|be|is|=|:) ?(?:set to )?[`'\"]?true|"
    r"non-streaming .{0,30}not supported|stream ?= ?true|for non-streaming calls|"
    r"(?:use|requires?) streaming|streaming is strongly recommended",
    re.IGNORECASE,
)
_CONTEXT: Final = re.compile(
    r"context[_ ]?(?:length|window|size)|exceed_context|maximum context|max_model_len|"
    r"prompt is too long|input is too long|too many (?:input )?tokens|"
    r"(?:prompt|input|messages?|request)\b.{0,60}exceeds?\b.{0,60}(?:token|context|length)|"
    r"exceeds? the (?:available )?context|maximum (?:input|prompt) length|n_ctx|"
    r"exceed\w* [^.;]{0,40}\b(?:token|length|context)|reduce the length of|range of input length",
    re.IGNORECASE,
)
_TOO_MUCH: Final = re.compile(
    r"\b(?:prompt|inputs?|tokens?|prompt_tokens|sequence|context|messages?|images?|pictures|length|"
    r"size|batch|payload|body|string)\b[^.;]{0,90}?"
    r"(?:\btoo (?:long|large|big|many)\b|\bexceed\w*|\b(?:longer|greater|larger|more|less|fewer)"
    r" than\b|\bat most\b|<=|\bonly supports? up to\b|\bmax\w*[ :]|超)|"
    r"\btoo (?:long|large|big|many)\b[^.;]{0,60}?\b(?:prompt|input|tokens?|images?|string)|"
    r"\bat most \d+ (?:image|picture|text|input)|"
    r"tokens?[^.;]{0,20}超|超[^.;]{0,8}(?:长|token)|entity too large|request_too_large",
    re.IGNORECASE,
)
"""Sizes that are too large, as anybody might put it."""

_HISTORY: Final = re.compile(
    r"thought_?signature|reasoning_content|roles? must alternate|alternate user|toolconfig|"
    r"tool_?result|tool_?use\b|tool_call_id|role ['\"]?tool|unexpected role|"
    r"function (?:call|response)|after user messages|jinja",
    re.IGNORECASE,
)
_SYSTEM: Final = re.compile(
    r"(?:system|developer) (?:role|message|prompt|instruction)s?\b.{0,60}(?:not|n't|unsupported)|"
    r"developer instruction is not enabled|role ['\"]?system|role\W{1,3}system|"
    r"(?:not|n't) support.{0,30}\b(?:system|developer)\b|only user and assistant roles|"
    r"got ['\"]?system|messages\.\d+\.role\b(?!.{0,80}system)",
    re.IGNORECASE,
)
_GENERATION: Final = re.compile(
    r"tool_use_failed|json_validate_failed|output_parse_failed|failed_generation|"
    r"failed to (?:call a function|generate json)|malformed_function_call",
    re.IGNORECASE,
)
_OPTIONS: Final[Mapping[str, re.Pattern[str]]] = {
    "response_format": re.compile(
        r"response_?format|output_?format|json_schema|grammar|guided|structured output|"
        r"response_?schema|json mode|response[_ ]mime[_ ]type|"
        r"\bschema\b.{0,60}(?:constraint|state|types?\b|depth|propert)",
        re.IGNORECASE,
    ),
    "tools": re.compile(r"tool|function.?call", re.IGNORECASE),
    "temperature": re.compile(r"temperature|sampling parameter", re.IGNORECASE),
    "max_tokens": re.compile(
        r"max(?:imum)?[_ ](?:completion_|new_|output_|output )?tokens|maxOutputTokens|"
        r"in the completion",
        re.IGNORECASE,
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

_ABOUT_FORM: Final = frozenset({200, 400, 404, 405, 413, 415, 422, 500, 501, 503})
"""A server answers so where it does not take an option; some crash over one."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who was asked, as errors name it.

    Attributes:
        where: The service's address, or what stands in its place.
        model: The service's name for its model.
        key_name: What holds the key.
        address_name: What holds the address.
    """

    where: str
    model: str
    key_name: str = "OPENAI_API_KEY"
    address_name: str = "OPENAI_BASE_URL"


def explain(failure: Failure, said: str, asked: Addressee) -> ServiceError:
    """What a failure that no other form of the request avoids means, for the person who has to act.

    Args:
        failure: From ``classify``.
        said: Its words, fit to be shown.
        asked: Who was asked.
    """
    where, model = asked.where, asked.model
    words = f" ({said})" if said else ""
    answers = f"{where} answers {failure.status}{f': {said}' if said else ''}"
    refuses_key = f"{where} refuses the key ({failure.status}{f': {said}' if said else ''}); set "
    hollow, nothing = " (no choice with a message)", " (nothing that can be read)"
    no_model = f"{where} knows no model {model!r}{words}; check the name, {asked.address_name}, and"
    kinds: dict[Kind, tuple[FailureKind, str]] = {
        "key": ("key", refuses_key + f"{asked.key_name} to one that may use {model}"),
        "model": ("model", no_model + " what that server lists under /models"),
        "credit": ("credit", f"{where} says that no credit is left{words}; top it up"),
        "declined": ("declined", said or f"{where} declines with {failure.status}"),
        "context": ("context", f"{where} says that the request is too long{words}"),
        "pictures": ("pictures", f"{where} takes fewer pictures at once{words}"),
        "busy": ("busy", answers),
        "broken": ("broken", answers),
        "generation": ("strange", f"{where} could not use what the model wrote{words}"),
        "hollow": ("strange", f"{where} answered, but without a reply in it{words or hollow}"),
        "elsewhere": ("settings", answers),
        "strange": ("strange", f"{where} does not answer as OpenAI's API does{words or nothing}"),
    }
    kind, told = kinds.get(failure.kind, ("refused", answers))
    if failure.kind == "strange":
        told += f"; check {asked.address_name}"
    if failure.kind == "elsewhere" and 300 <= failure.status < 400:
        told += f"; set {asked.address_name} to that address"
    return ServiceError(kind, told)


def no_answer(asked: Addressee, detail: str) -> str:
    """That a service cannot be reached, and what to check."""
    return (
        f"no answer from {asked.where} ({detail}); check the network and {asked.address_name}, and "
        "that the server is running"
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request held that a server may complain of.

    Attributes:
        options: Names, as in ``Failure.option``.
        look_ups: Whether calls of tools and their results stand in the messages.
        system: Whether there is a message of the system.
        pictures: How many there are.
    """

    options: Collection[str] = field(default=())
    look_ups: bool = False
    system: bool = False
    pictures: int = 0


def classify(status: int, headers: Mapping[str, str], body: bytes, sent: Sent) -> Failure:
    """What an error of a service means.

    Args:
        status: Of HTTP; 200 where an error stands in place of a reply.
        headers: Their names in lower case.
        body: As it came, whatever it is.
        sent: What was asked for.
    """
    if 300 <= status < 400:
        where = urlsplit(headers.get("location", "")).hostname or "elsewhere"
        said = f"a redirect to {where}, which is not followed"
        return Failure("elsewhere", status, said)
    if status == 407:
        said = "the proxy wants a name and password that it knows, in HTTP_PROXY or HTTPS_PROXY"
        return Failure("elsewhere", status, said)
    content_type = headers.get("content-type", "")
    error = read_error(content_type, body)
    if status < 400:
        status = error.status or status
    # A service declines in words of its API; a page is from a proxy or a guard before it.
    is_blocked = error.is_page and status in {403, 451}
    judged = {"kind": "refused"} if is_blocked else _judge(status, error.marks, sent)
    said = error.said
    if judged["kind"] == "strange" and is_hollow(content_type, body):
        judged = {"kind": "hollow"}
    elif judged["kind"] == "strange" and error.is_error:
        judged = {"kind": "broken"}
    wait_s = wait_asked_for_s(headers, error.marks)
    return Failure(**judged, status=status, said=said, wait_s=wait_s)


def _judge(status: int, marks: str, sent: Sent) -> dict[str, Any]:  # noqa: PLR0911  # a table
    def says(pattern: re.Pattern[str]) -> bool:
        return pattern.search(marks) is not None

    if says(_TOO_SMALL) or (sent.pictures and says(_SEES_NOTHING)):
        return {"kind": "refused"}
    if about := _about_account(status, marks, sent) or _about_words(status, marks, sent):
        return about
    if status == 413:
        return {"kind": "context"}  # Whatever it says, it was too much.
    if status == 404 and says(_PARAMETERS):
        return {"kind": "refused"}
    if status == 404 or (says(_MODEL) and status in {400, 422}):
        return {"kind": "model"}
    if status in {400, 415, 422} and "video" in sent.options:
        # Whatever it says: pictures between texts are understood by more servers.
        return {"kind": "option", "option": "video"}
    if status in {408, 409, 425} or (status >= 500 and status != 501):
        return {"kind": "broken"}
    return {"kind": "refused"} if status >= 400 else {"kind": "strange"}


def _about_account(  # noqa: PLR0911  # a table
    status: int, marks: str, sent: Sent
) -> dict[str, Any] | None:
    """What has nothing to do with the form of a request: who asks, how often, and for what."""

    def says(pattern: re.Pattern[str]) -> bool:
        return pattern.search(marks) is not None

    if (says(_DECLINED) and status not in {401, 429}) or status == 451:
        return {"kind": "declined"}
    if says(_CREDIT) or status == 402:
        return {"kind": "credit"}
    if status == 429 and says(_TOO_LARGE_FOR_ONE):
        return {"kind": "context"}
    if status == 429 or (status in {200, 400, 403} and says(_BUSY)):
        return {"kind": "busy"}
    if status == 403 and (option := _named_option(marks, sent)):
        return {"kind": "option", "option": option}  # Of those that may use some options.
    if status in {401, 403} or says(_KEY):
        return {"kind": "key"}
    return None


def _about_words(  # a table
    status: int, marks: str, sent: Sent
) -> dict[str, Any] | None:
    """What the words say of what the model wrote, or of the form of a request."""
    if _GENERATION.search(marks):
        return {"kind": "generation"}
    if status not in _ABOUT_FORM:
        return None
    if _STREAM.search(marks) and "stream" not in sent.options:
        return {"kind": "stream"}
    if status == 404 and _MODEL.search(marks) and not _named_option(marks, sent):
        return {"kind": "model"}
    if most := most_pictures(marks, sent.pictures):
        return {"kind": "pictures", "most_pictures": most}
    return _about_form(status, marks, sent)


def _named_option(marks: str, sent: Sent) -> str:
    """The option that is complained of by its name; tools and the like have many."""
    names = ("logprobs", "response_format", "temperature", "stream_options")
    found = (name for name in names if name in sent.options and _OPTIONS[name].search(marks))
    return next(found, "")


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
    if _TOO_MUCH.search(marks) and "context deadline" not in marks:
        return {"kind": "context"}
    if sent.look_ups and (status in {400, 404, 422} or _HISTORY.search(marks)):
        return {"kind": "history"}
    if sent.system and _SYSTEM.search(marks):
        return {"kind": "system"}
    if re.search(r"must alternate|alternate user", marks, re.IGNORECASE):
        return {"kind": "history"}
    return {"kind": "option", "option": "tools"} if options else None
