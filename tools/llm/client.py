"""A chat model behind OpenAI's API, asked until it answers; if it cannot, why, in plain words.

This is the only layer that retries: the client below is told not to. The key is in no message, and
no error keeps the client's own error, which holds the request with its headers.
"""

from __future__ import annotations

import email.utils
import itertools
import random
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools.errors import CaptionerError

if TYPE_CHECKING:
    import openai
    from langchain_core.messages import BaseMessage

OPENAI_URL = "https://api.openai.com/v1"

CONNECT_TIMEOUT_S = 5.0
LONGEST_WAIT_S = 300.0
"""A service that asks to wait longer than this is not waited for."""
LONGEST_BACKOFF_S = 30.0
STRANGE_REPLIES = 2
"""Retries after a reply that is none: a wrong address gives the same one for ever."""

_FILTER_CODES = {"content_filter", "content_policy_violation", "moderation_blocked"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answered.

    Attributes:
        text: What the model said; may be empty.
        refusal: Where the service says that the model or a filter declined, why; else empty.
        cut_off: Whether the reply ends at its token limit.
        tokens_in: Tokens of input that it counted; None where it does not say.
        tokens_out: Tokens of output likewise.
    """

    text: str
    refusal: str
    cut_off: bool
    tokens_in: int | None
    tokens_out: int | None


class ChatService:
    """One model of one service. Many threads may ask at the same time.

    Args:
        model: The service's name for it.
        api_key: Of the service; None for one that needs none.
        base_url: Such as ``http://localhost:8000/v1``; None for OpenAI.
        max_tokens: Longest reply.
        timeout_s: Longest wait for a reply.
        max_retries: Of one question, after 429, 408, 409, 5xx, timeouts and broken connections.
        backoff_s: First wait before a retry where the service names none; it doubles.

    Raises:
        CaptionerError: If the key, the address or the extra ``openai`` is missing or unusable.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        max_tokens: int,
        timeout_s: float,
        max_retries: int,
        backoff_s: float = 0.5,
    ) -> None:
        key = (api_key or "").strip()
        self.name = f"openai:{model}"
        self._check(model, key, base_url)
        import openai
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        self._model = model
        self._key = key
        self._address = (base_url or OPENAI_URL).rstrip("/")
        self._max_retries = max_retries
        self._backoff_s = backoff_s
        self._has_answered = False
        self._open_at = 0.0
        host = urlsplit(self._address).hostname or ""
        self.is_openai = host == "openai.com" or host.endswith(".openai.com")
        connections = openai.DefaultHttpxClient(follow_redirects=False)
        # Else they would stay open in a cache of LangChain's.
        weakref.finalize(self, connections.close)
        self._client = ChatOpenAI(
            model=model,
            api_key=SecretStr(key or "none"),
            base_url=self._address,
            http_client=connections,
            timeout=openai.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            max_retries=0,
            use_responses_api=False,
            **_options(max_tokens, is_openai=self.is_openai),
        )

    def ask(self, messages: Sequence[BaseMessage], *, stopping: threading.Event) -> Reply:
        """Send messages and wait for the reply, however many tries it takes.

        Args:
            messages: As LangChain has them.
            stopping: When set, a failed try is not followed by another.

        Raises:
            CaptionerError: If the service refuses, cannot be reached, or gave no reply after all
                retries; says what to do.
        """
        import openai
        from langsmith import tracing_context

        for tried in itertools.count(1):
            self._wait_until(self._open_at, stopping)
            try:
                # Else every picture goes to the tracing service in full.
                with tracing_context(enabled=False):
                    message = self._client.invoke(list(messages))
            except openai.OpenAIError as exc:
                refusal = _filtered(exc)
                if refusal:
                    return Reply("", self._clean(refusal), False, None, None)
                wait_s = self._judge(exc, tried)
            except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as exc:
                # A server that answers 200 with something else fails deep inside the client.
                if tried > min(STRANGE_REPLIES, self._max_retries):
                    raise self._error(
                        f"{self._address} does not answer as the chat API does "
                        f"({self._clean(str(exc))}); look at OPENAI_BASE_URL"
                    ) from None
                wait_s = self._backoff(tried)
            else:
                self._has_answered = True
                return _read(message)
            self._wait_until(time.monotonic() + wait_s, stopping)
        raise AssertionError  # count never ends

    def _judge(self, exc: openai.OpenAIError, tried: int) -> float:
        """Seconds to wait before another try.

        Raises:
            CaptionerError: If another try is in vain.
        """
        import openai

        if isinstance(exc, openai.APIConnectionError):
            return self._judge_connection(exc, tried)
        if not isinstance(exc, openai.APIStatusError):
            raise self._error(f"the request failed: {self._clean(str(exc))}") from None
        status, said = exc.status_code, self._clean(_message(exc))
        if status in {401, 403}:
            # Not the server's words: they quote part of the key.
            raise self._error(
                f"{self._address} refuses the key; set OPENAI_API_KEY to one that may use "
                f"{self._model}"
            ) from None
        if status == 404:
            raise self._error(
                f"{self._address} knows no model {self._model!r} ({said}); look at the name, at "
                "OPENAI_BASE_URL, and at what that server lists under /models"
            ) from None
        if exc.code == "insufficient_quota":
            raise self._error(f"{self._address} says that no credit is left; top it up") from None
        if status not in {408, 409, 429} and status < 500:
            hint = "; is it a model that takes images?" if status in {400, 413, 415, 422} else ""
            raise self._error(f"{self._address} answers {status}: {said}{hint}") from None
        if tried > self._max_retries:
            raise self._error(
                f"{self._address} answered {status} {tried} times: {said}; ask again later, what "
                "was done is kept"
            ) from None
        asked_s = _retry_after_s(exc.response.headers)
        if asked_s is not None and asked_s > LONGEST_WAIT_S:
            raise self._error(
                f"{self._address} wants to be asked again in {asked_s:.0f} s; what was done is kept"
            ) from None
        wait_s = self._backoff(tried) if asked_s is None else asked_s
        if status == 429:
            # The limit is everyone's: other threads need not find out for themselves.
            self._open_at = max(self._open_at, time.monotonic() + wait_s)
        return wait_s

    def _judge_connection(self, exc: openai.APIConnectionError, tried: int) -> float:
        root = _root(exc)
        # By name: which HTTP library is below depends on the client's version.
        unreachable = type(root).__name__ in {
            "ConnectError",
            "ConnectTimeout",
            "UnsupportedProtocol",
        }
        if (unreachable and not self._has_answered) or tried > self._max_retries:
            times = "" if tried == 1 else f" after {tried} tries"
            detail = self._clean(str(root)) or type(root).__name__
            raise self._error(
                f"no answer from {self._address}{times} ({detail}); look at the network and "
                "OPENAI_BASE_URL, and whether the server runs"
            ) from None
        return self._backoff(tried)

    def _backoff(self, tried: int) -> float:
        longest_s = min(LONGEST_BACKOFF_S, self._backoff_s * 2.0 ** min(tried - 1, 16))
        # Apart from each other, or all threads would come back at the same moment.
        return longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def _wait_until(self, at: float, stopping: threading.Event) -> None:
        while (left_s := at - time.monotonic()) > 0:
            if stopping.wait(left_s):
                raise self._error("stopped")

    def _check(self, model: str, key: str, base_url: str | None) -> None:
        if not model:
            raise CaptionerError("name the model, as in openai:gpt-5-mini")
        if not (key or base_url):
            raise self._error(
                "it needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server that needs none"
            )
        if not (key.isascii() and key.isprintable()):
            raise self._error("OPENAI_API_KEY holds characters that no key has; copy it again")
        parts = urlsplit(base_url or OPENAI_URL)
        if parts.username or parts.password:
            # Not shown, and not used: the library below writes addresses into its log.
            raise self._error(
                "OPENAI_BASE_URL holds a user or password; put the secret into OPENAI_API_KEY"
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise self._error(
                f"OPENAI_BASE_URL is {base_url!r}; it must be like http://localhost:8000/v1"
            )
        if find_spec("langchain_openai") is None:
            raise self._error("it needs an extra: pip install 'whenabouts[openai]'")

    def _clean(self, said: str) -> str:
        """A server's words in one short line, without the key."""
        line = " ".join((said.replace(self._key, "…") if self._key else said).split())
        return line if len(line) <= 200 else f"{line[:199]}…"

    def _error(self, message: str) -> CaptionerError:
        return CaptionerError(f"{self.name}: {message}")


def _options(max_tokens: int, *, is_openai: bool) -> dict[str, Any]:
    """What OpenAI's newest models and other servers want to be told in different ways."""
    if is_openai:
        # They refuse max_tokens, and any temperature but their own.
        return {"max_completion_tokens": max_tokens}
    # Sent past the client, which would make the new name of it; many servers know the old one only.
    return {"extra_body": {"max_tokens": max_tokens}, "temperature": 0.0}


def _read(message: Any) -> Reply:
    refusal = message.additional_kwargs.get("refusal") or ""
    finish = message.response_metadata.get("finish_reason")
    if not refusal and finish == "content_filter":
        refusal = "the service's content filter stopped the reply"
    counted = getattr(message, "usage_metadata", None) or {}
    tokens_in, tokens_out = counted.get("input_tokens"), counted.get("output_tokens")
    # The client makes 0 of a missing count, but no question has 0 tokens.
    is_counted = isinstance(tokens_in, int) and isinstance(tokens_out, int) and tokens_in > 0
    return Reply(
        text=str(message.text).strip(),
        refusal=" ".join(str(refusal).split()),
        cut_off=finish == "length",
        tokens_in=tokens_in if is_counted else None,
        tokens_out=tokens_out if is_counted else None,
    )


def _filtered(exc: openai.OpenAIError) -> str:
    """What a service says that declines a picture by an error (Azure does); else empty."""
    code = getattr(exc, "code", None)
    if getattr(exc, "status_code", None) == 400 and code in _FILTER_CODES:
        return _message(exc)
    return ""


def _message(exc: openai.OpenAIError) -> str:
    """The server's own words, without those that the client puts before them."""
    body = getattr(exc, "body", None)
    own = body.get("message") if isinstance(body, dict) else None
    return str(own or exc)


def _retry_after_s(headers: Any) -> float | None:
    """Seconds that a reply asks to wait (RFC 9110, 10.2.3), or None where it does not."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if seconds >= 0:
            return seconds
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else None


def _root(exc: BaseException) -> BaseException:
    while exc.__cause__ is not None:
        exc = exc.__cause__
    return exc
