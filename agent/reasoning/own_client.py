"""Asks chat models that bring a client of their own: as patiently, and with the same errors."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable

from tools.errors import ServiceError
from tools.llm.client import run_is_over
from tools.llm.failures import Sent, classify, explain, no_answer
from tools.llm.in_time import LateError, call_in_time

LONGEST_REPLY_S: Final = 600.0
"""How long a provider is waited for, its client's retries included."""


class RefusedOptionError(Exception):
    """The provider does not take an option.

    Attributes:
        option: As in ``tools.llm.failures.Failure``.
    """

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option


class OwnClient:
    """Asks one such model.

    Args:
        name: Of the model, for messages.
        clean: Makes one short line without secrets of what a server says.
        longest_s: For one reply.
    """

    def __init__(
        self, name: str, *, clean: Callable[[str], str], longest_s: float = LONGEST_REPLY_S
    ) -> None:
        self._name = name
        self._where = f"the service of {name}"
        self._clean = clean
        self._longest_s = longest_s

    def invoke(
        self,
        chat: Runnable[Any, AIMessage],
        messages: Sequence[BaseMessage],
        *,
        sent: Sequence[str],
        until: float = math.inf,
    ) -> AIMessage:
        """Ask once, however many tries its client makes.

        Args:
            chat: The model, with what goes along.
            messages: Everything said so far.
            sent: Names of the options that go along.
            until: On the monotonic clock; then it is given up.

        Raises:
            RefusedOptionError: If one of them is not taken; the same can be asked without it.
            ServiceError: If there is no reply; says what to do.
        """
        left_s = until - time.monotonic()
        try:
            return call_in_time(lambda: chat.invoke(list(messages)), min(left_s, self._longest_s))
        except LateError:
            if left_s <= self._longest_s:
                raise run_is_over() from None
            told = f"no answer from {self._where} within {self._longest_s:g} s"
            raise ServiceError("timeout", f"{told}; a smaller model answers sooner") from None
        except ServiceError:
            raise
        except Exception as exc:  # noqa: BLE001  # each provider's client raises its own
            # Without the cause: it holds the request, and the key in its headers.
            raise self._judged(exc, sent) from None

    def _judged(self, exc: Exception, sent: Sequence[str]) -> ServiceError | RefusedOptionError:
        """What a client's exception means."""
        status = getattr(exc, "status_code", None)
        body = getattr(exc, "body", None)
        causes = _causes(exc)
        if not isinstance(status, int):
            names = {type(one).__name__ for one in causes}
            said = self._clean(str(causes[-1]) or type(causes[-1]).__name__)
            if any("Connect" in name for name in names):
                return ServiceError("unreachable", no_answer(self._where, said))
            if any("Timeout" in name for name in names):
                return ServiceError("timeout", f"no answer from {self._where} ({said})")
            told = f"{self._where} does not answer as a chat model does ({said}); look at its"
            return ServiceError("strange", f"{told} address")
        content = json.dumps({"error": body or str(exc)}, default=str).encode()
        headers = getattr(getattr(exc, "response", None), "headers", None) or {}
        lower = {str(name).lower(): str(value) for name, value in headers.items()}
        failure = classify(status, lower, content, Sent(sent))
        if failure.kind == "option":
            return RefusedOptionError(failure.option)
        return explain(failure, self._clean(failure.said), where=self._where, model=self._name)


def _causes(exc: BaseException) -> list[BaseException]:
    causes = [exc]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return causes
