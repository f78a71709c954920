"""Asks chat models that bring a client of their own: as patiently, and with the same errors."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
    convert_to_openai_messages,
)
from langchain_core.runnables import Runnable

from agent.reasoning.own_failures import read_failure
from tools.errors import ServiceError
from tools.llm.client import LONGEST_BACKOFF_S, LONGEST_WAIT_S, run_is_over
from tools.llm.failures import Addressee, Failure, Sent, classify, explain, no_answer
from tools.llm.in_time import LateError, call_in_time
from tools.llm.negotiation import alternating, in_plain_words, without_system
from tools.llm.retries import Retry, tell_retry

LONGEST_REPLY_S: Final = 600.0
"""How long a provider is waited for, all retries included."""

MOST_TRIES: Final = {"busy": 6, "broken": 4}
"""Of one question, where a failure may pass."""
BACKOFF_S: Final = 0.5
"""First wait before a retry where the provider names none; it doubles."""


class OtherFormError(Exception):
    """The provider does not take a form of request; the same can be asked in another one.

    Attributes:
        option: What it does not take, as in ``tools.llm.failures.Failure``; empty where it is the
            form of the messages, which ``OwnClient.in_its_form`` knows from now on.
    """

    def __init__(self, option: str = "") -> None:
        super().__init__(option)
        self.option = option


class OwnClient:
    """Asks one such model.

    Args:
        name: Of the model, for messages.
        clean: Makes one short line without secrets of what a server says.
        address: Where it asks; empty where that is not known.
        key_name: The environment variable that its library reads a key from; empty for none.
        longest_s: For one reply.
        tries: Whether what may pass is tried again; whoever made the model may have seen to that.
    """

    def __init__(
        self,
        name: str,
        *,
        clean: Callable[[str], str],
        address: str = "",
        key_name: str = "",
        longest_s: float = LONGEST_REPLY_S,
        tries: bool = True,
    ) -> None:
        provider, _, model = name.partition(":")
        where = address or f"the service of {name}"
        self._asked = Addressee(
            where,
            model,
            key_name=key_name or f"the key of {provider}",
            address_name=f"the address of {provider}",
        )
        self._clean = clean
        self._longest_s = longest_s
        self._tries = tries
        self._has_answered = False
        self._tells_plainly = False
        self._folds_system = False

    def in_its_form(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """What is said, as the provider takes it: without tools, or a system, if it must be."""
        if not (self._folds_system or (self._tells_plainly and _look_up(messages))):
            return list(messages)
        told: list[dict[str, Any]] = convert_to_openai_messages(messages)
        if self._tells_plainly:
            told = in_plain_words(told)
        if self._folds_system:
            told = without_system(told)
        return convert_to_messages(alternating(told))

    def may_offer_tools(self, messages: Sequence[BaseMessage]) -> bool:
        """Whether tools can go along: not where what was looked up is told in plain words."""
        return not (self._tells_plainly and _look_up(messages))

    def invoke(
        self,
        chat: Runnable[Any, AIMessage],
        messages: Sequence[BaseMessage],
        *,
        sent: Sequence[str],
        until: float = math.inf,
    ) -> AIMessage:
        """Ask, however many tries it takes.

        Args:
            chat: The model, with what goes along.
            messages: Everything said so far, in its form.
            sent: Names of the options that go along.
            until: On the monotonic clock; then it is given up.

        Raises:
            OtherFormError: If a form is not taken; the same can be asked in another one.
            ServiceError: If there is no reply; says what to do.
        """
        ends_at = min(until, time.monotonic() + self._longest_s)
        what = Sent(sent, look_ups=_look_up(messages), system=_has_system(messages))
        tried = 0
        while True:
            tried += 1
            try:
                reply = self._once(chat, messages, what, ends_at, is_run=ends_at == until)
            except _Passing as exc:
                most = MOST_TRIES.get(exc.error.kind, 1) if self._tries else 1
                wait_s = exc.wait_s or min(BACKOFF_S * 2 ** (tried - 1), LONGEST_BACKOFF_S)
                if tried >= most or wait_s > LONGEST_WAIT_S:
                    raise self._given_up(exc.error, tried) from None
                if time.monotonic() + wait_s >= ends_at:
                    raise (run_is_over() if ends_at == until else exc.error) from None
                said = str(exc.error).partition(";")[0]
                tell_retry(Retry(said, tried + 1, most, wait_s))
                time.sleep(wait_s)
            else:
                self._has_answered = True
                return reply

    def _once(
        self,
        chat: Runnable[Any, AIMessage],
        messages: Sequence[BaseMessage],
        sent: Sent,
        ends_at: float,
        *,
        is_run: bool,
    ) -> AIMessage:
        try:
            return call_in_time(lambda: chat.invoke(list(messages)), ends_at - time.monotonic())
        except LateError:
            if is_run:
                raise run_is_over() from None
            told = f"no answer from {self._asked.where} within {self._longest_s:g} s"
            raise ServiceError("timeout", f"{told}; a smaller model answers sooner") from None
        except ServiceError:
            raise
        except Exception as exc:  # noqa: BLE001  # each provider's client raises its own
            # Without the cause: it holds the request, and the key in its headers.
            raise self._judged(exc, sent) from None

    def _judged(self, exc: Exception, sent: Sent) -> Exception:
        """What a client's exception means."""
        failed = read_failure(exc)
        if failed.kind != "answered":
            return self._unanswered(failed.kind, self._clean(failed.said))
        failure = classify(failed.status, failed.headers, failed.body, sent)
        if failure.kind == "option" or self._learns(failure):
            return OtherFormError(failure.option)
        error = explain(failure, self._clean(failure.said), self._asked)
        is_passing = failure.kind in {"busy", "broken"}
        return _Passing(error, failure.wait_s) if is_passing else error

    def _unanswered(self, kind: str, said: str) -> Exception:
        asked = self._asked
        if kind in {"unreachable", "broken"}:
            error = ServiceError("unreachable", no_answer(asked, said))
            is_passing = kind == "broken" or self._has_answered
            return _Passing(ServiceError("broken", str(error))) if is_passing else error
        if kind == "late":
            return ServiceError("timeout", f"no answer from {asked.where} ({said})")
        told = f"{asked.where} does not answer as a chat model does ({said}); check"
        return ServiceError("strange", f"{told} {asked.address_name}")

    def _learns(self, failure: Failure) -> bool:
        if failure.kind == "history" and not (self._tells_plainly and self._folds_system):
            # First without look-ups; should roles still not alternate, without the system's.
            self._tells_plainly, self._folds_system = True, self._tells_plainly
            return True
        if failure.kind == "system" and not self._folds_system:
            self._folds_system = True
            return True
        return False

    def _given_up(self, error: ServiceError, tried: int) -> ServiceError:
        times = f" ({tried} times)" if tried > 1 else ""
        return ServiceError(error.kind, f"{error}{times}; ask again later")


class _Passing(Exception):  # noqa: N818  # a try that failed, and may be followed by another
    def __init__(self, error: ServiceError, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


def _look_up(messages: Sequence[BaseMessage]) -> bool:
    return any(isinstance(message, ToolMessage) for message in messages)


def _has_system(messages: Sequence[BaseMessage]) -> bool:
    return any(isinstance(message, SystemMessage) for message in messages)
