"""The one client of OpenAI-compatible services: asks until they answer, or says why they do not.

Captions, answers, chats and vectors come through here, so that all obey the same rules: this is the
only layer that retries, negotiates and reads errors. The key is in no message.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tools.errors import FailureKind, ServiceError
from tools.known_secrets import KNOWN
from tools.llm.address import check_service, is_openai, proxy_of
from tools.llm.completion import Completion, counted_tokens, read_completion
from tools.llm.connection import HttpConnection, Response, TransportError, as_utf8
from tools.llm.failures import Addressee, Failure, Sent, classify, explain, no_answer
from tools.llm.negotiation import ServiceRequest, habits_of
from tools.llm.outage import AT_ONCE, Outages, outages_of_run
from tools.llm.retries import Retry, tell_retry

if TYPE_CHECKING:
    from tenacity import RetryCallState

LONGEST_WAIT_S: Final = 300.0
"""A service that asks to wait longer than this is not waited for."""
LONGEST_BACKOFF_S: Final = 30.0
MAX_RETRIES: Final = 8
FEW_RETRIES: Final = 2
"""After a reply that is not one or is empty, that does not come, or whose text a model got wrong: a
wrong address, a picture that breaks a server and a question that a model cannot answer fail the
same way every time."""
FAULT_RETRIES: Final = 4
"""After a 500: what was asked may be what breaks it. All tries take about 15 s at most."""
ODDLY_REFUSED: Final = frozenset({400, 404, 405, 415, 422, 501})
"""What services answer to a form of request that they do not take, whatever they say."""
LONGEST_WORDS: Final = 300
SHORTEST_KEY: Final = 8
LONGEST_SAID: Final = 1 << 20
"""Bytes of an answer in words; a longer one holds vectors."""
"""Shorter ones are placeholders, and may stand in any text."""

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a service is waited for.

    Attributes:
        timeout_s: For one reply in all, from the first byte sent to the last one received.
        max_retries: Further tries of one question.
        backoff_s: First wait before a retry where the service names none; it doubles.
    """

    timeout_s: float = 120.0
    max_retries: int = MAX_RETRIES
    backoff_s: float = 0.5


class _Again(Exception):  # noqa: N818  # a try that failed, and may be followed by another
    def __init__(
        self, kind: FailureKind, told: str, *, limit: int, wait_s: float | None = None
    ) -> None:
        super().__init__(told)
        self.kind: FailureKind = kind
        self.limit = limit
        self.wait_s = wait_s


class Service:
    """One model of one service. Many threads may ask at the same time.

    Args:
        model: The service's name for it.
        api_key: Of the service; None for one that needs none.
        base_url: Such as ``http://localhost:8000/v1``; None for OpenAI.
        patience: How long it is waited for.

    Attributes:
        address: Where it is.
        is_openai: Whether it is OpenAI itself.

    Raises:
        ServiceError: If the key or the address is missing or unusable.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        patience: Patience | None = None,
    ) -> None:
        if not model:
            raise ServiceError("settings", "name the model, as in openai:gpt-5-mini")
        self.address, self._key = check_service(api_key, base_url)
        self.model = model
        self.is_openai = is_openai(self.address)
        self._patience = patience or Patience()
        self._habits = habits_of(self.address, self._key, model, is_openai=self.is_openai)
        self._connection = HttpConnection(self.address, self._key)

    @property
    def most_pictures(self) -> int | None:
        """How many pictures the model takes in one request; None where it never complained."""
        return self._habits.most_pictures

    @property
    def has_answered(self) -> bool:
        """Whether it ever answered anybody in this process."""
        return self._habits.has_answered

    def chat(
        self,
        request: ServiceRequest,
        *,
        stopping: threading.Event | None = None,
        until: float = math.inf,
        outages: Outages | None = None,
    ) -> Completion:
        """Ask for a reply, however many tries it takes.

        Tokens of tries that brought nothing are counted with those of the reply.

        Args:
            request: What to ask.
            stopping: When set, a failed try is not followed by another.
            until: On the monotonic clock; then it is given up, whatever is under way.
            outages: Of the run that this belongs to; None for the one under way in this thread.

        Raises:
            ServiceError: If the service refuses, cannot be reached, or gave no reply after all
                retries, now or earlier in the run; says what to do. Of kind ``timeout`` where
                ``until`` has passed, and of ``pictures`` where there are more than
                ``most_pictures`` says by then.
        """
        wasted: list[Completion] = []
        lost: list[tuple[int, int]] = []
        spared: set[str] = set()

        def ask(without: Collection[str] = ()) -> tuple[Completion | Failure, Sent]:
            options = {k: v for k, v in request.options.items() if k not in spared}
            plain = replace(request, options=options)
            body = self._habits.body(plain, self.model, without=without)
            if self._habits.is_too_much(self._habits.sent(body)):
                most = self._habits.most_pictures
                told = f"{self.address} takes {most} pictures at once, and these are more"
                raise ServiceError("pictures", told)
            answer = self._post("/chat/completions", body, until)
            content_type, sent = answer.headers.get("content-type", ""), self._habits.sent(body)
            done = answer.status < 400 and read_completion(content_type, answer.body)
            if done:
                self._habits.note_taken(sent)
                return done, sent
            if count := counted_tokens(content_type, answer.body):
                lost.append(count)
            return classify(answer.status, answer.headers, answer.body, sent), sent

        def once() -> Completion:
            while True:
                knew = self._habits.lessons
                reply: Completion | Failure | None
                reply, sent = ask()
                if isinstance(reply, Failure):
                    if self._habits.learn(reply, sent, knew=knew):
                        continue
                    if reply.kind == "refused" and reply.status in ODDLY_REFUSED:
                        reply = self._ask_plainer(ask, reply, sent, knew=knew)
                if reply is None:
                    continue
                if isinstance(reply, Failure):
                    self._judge(reply, sent, spared)
                if reply.is_empty and not reply.cut_off:
                    wasted.append(reply)
                    self._retry_empty(reply)
                return reply

        try:
            done = self._persist(once, stopping, until, outages)
        except ServiceError as exc:
            if not wasted:
                exc.tokens_in, exc.tokens_out = (
                    sum(each[place] for each in lost) for place in (0, 1)
                )
                raise
            done = wasted.pop()
        return _with_wasted(done, wasted, lost)

    def _ask_plainer(
        self,
        ask: Callable[[Collection[str]], tuple[Completion | Failure, Sent]],
        failure: Failure,
        sent: Sent,
        *,
        knew: int,
    ) -> Completion | Failure | None:
        """Ask without what may be the trouble, where a service's words for it are unknown.

        Returns:
            What came; the same failure where nothing helps; None where somebody else has found out
            meanwhile, so that the same can be asked again.
        """
        with self._habits.trying:
            if self._habits.lessons > knew:
                return None
            for without in self._habits.plainer_forms(sent):
                reply, _ = ask(without)
                if isinstance(reply, Completion):
                    self._habits.forgo(without)
                    return reply
                if reply.kind in {"busy", "broken"}:
                    return reply
            self._habits.note_in_vain(sent)
        return failure

    def embeddings(self, texts: Sequence[str], *, until: float = math.inf) -> list[Any]:
        """A vector for each text, as the service sent it; not looked at yet.

        Raises:
            ServiceError: As ``chat``; of kind ``context`` where it is too much at once.
        """

        def ask(form: Mapping[str, str]) -> list[Any] | Failure:
            body = {"model": self.model, "input": list(texts), **form}
            answer = self._post("/embeddings", body, until)
            vectors = _vectors(answer) if answer.status < 400 else None
            if vectors is None:
                return classify(answer.status, answer.headers, answer.body, Sent())
            self._habits.note_embedded(form)
            return vectors

        def once() -> list[Any]:
            forms = self._habits.embedding_forms()
            reply = ask(forms[0])
            if isinstance(reply, Failure) and reply.kind == "refused" and len(forms) > 1:
                other = ask(forms[1])
                reply = reply if isinstance(other, Failure) else other
            if isinstance(reply, Failure):
                self._judge(reply, Sent(), set())
            return reply

        vectors: list[Any] = self._persist(once, None, until, None)
        return vectors

    def _post(self, path: str, body: Mapping[str, Any], until: float) -> Response:
        left_s = min(self._patience.timeout_s, until - time.monotonic())
        if left_s <= 0:
            raise run_is_over()
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            answer = self._connection.post(path, content, timeout_s=left_s)
            # What is said is stored and shown, wherever it stands.
            return replace(answer, body=_without_secrets(as_utf8(answer), self._key))
        except TransportError as exc:
            if left_s < self._patience.timeout_s and exc.kind == "late":
                raise run_is_over() from None
            self._judge_transport(exc)

    def _judge_transport(self, exc: TransportError) -> NoReturn:
        detail = self.clean(str(exc))
        if exc.kind == "large":
            raise ServiceError(
                "strange", f"{self.address} answers with {detail}, which is not a model's reply"
            ) from None
        if exc.kind == "late":
            raise _Again(
                "timeout",
                f"no answer from {self.address} ({detail}); a smaller model answers sooner",
                limit=FEW_RETRIES,
            ) from None
        told = no_answer(Addressee(self.address, self.model), detail)
        if exc.kind == "unreachable" and not self._habits.has_answered:
            raise ServiceError("unreachable", told) from None
        raise _Again("unreachable", told, limit=self._patience.max_retries) from None

    def _judge(self, failure: Failure, sent: Sent, spared: set[str]) -> NoReturn:
        """Raise the error for a failure that no other form of the request avoids."""
        said = self.clean(failure.said)
        proxy = (
            proxy_of(self.address)
            if failure.kind in {"refused", "key", "strange", "elsewhere"}
            else ""
        )
        where = f"{self.address} (through the proxy {proxy})" if proxy else self.address
        error = explain(failure, said, Addressee(where, self.model))
        if failure.most_pictures:
            self._habits.note_most_pictures(failure.most_pictures)
        if failure.kind == "generation" and not spared:
            # What the model wrote did not fit there; from now on less is demanded of it.
            spared |= {"tools", "response_format"} & set(sent.options)
        limit = {
            "busy": self._patience.max_retries,
            "broken": self._patience.max_retries,
            "generation": FEW_RETRIES,
            "hollow": FEW_RETRIES,
            "strange": FEW_RETRIES,
        }.get(failure.kind)
        if limit is None:
            raise error
        if failure.wait_s is not None and failure.wait_s > LONGEST_WAIT_S:
            told = f"{where} asks for a wait of {failure.wait_s:.0f} s before the next request"
            raise ServiceError("busy", told)
        if failure.status == 500 and failure.kind == "broken":
            limit = FAULT_RETRIES
        raise _Again(error.kind, str(error), limit=limit, wait_s=failure.wait_s)

    def _retry_empty(self, done: Completion) -> NoReturn:
        why = self.clean(done.fault) or (
            "the model thought and said nothing" if done.thought else "the reply was empty"
        )
        raise _Again("strange", why, limit=FEW_RETRIES)

    def _persist(
        self,
        once: Callable[[], Any],
        stopping: threading.Event | None,
        until: float,
        outages: Outages | None,
    ) -> Any:
        """Ask, unless the run knows that this is in vain; note it where the next would be, too."""
        noted = outages or outages_of_run()
        one_model = (self.address, self._key, self.model)
        for who in (self.address, one_model):
            noted.check(who)
        try:
            return self._try_again(once, stopping, until)
        except ServiceError as exc:
            if exc.kind in AT_ONCE:
                noted.give_up(self.address if exc.kind == "unreachable" else one_model, exc)
            raise

    def _try_again(
        self, once: Callable[[], Any], stopping: threading.Event | None, until: float
    ) -> Any:
        """Try again as long as it makes sense, between waits that all threads share."""
        import tenacity

        stop = stopping or threading.Event()
        shortest_s = self._patience.backoff_s / 2
        backoff = tenacity.wait_random_exponential(
            multiplier=2 * shortest_s, min=shortest_s, max=LONGEST_BACKOFF_S
        )

        def most(state: RetryCallState) -> int:
            return min(_failed(state).limit, self._patience.max_retries)

        def ends(state: RetryCallState) -> bool:
            return state.attempt_number > most(state)

        def tell(state: RetryCallState) -> None:
            said = str(_failed(state)).partition(";")[0]
            tell_retry(Retry(said, state.attempt_number + 1, most(state) + 1, state.upcoming_sleep))

        def wait(state: RetryCallState) -> float:
            failed = _failed(state)
            # At different times, or all threads would come back at the same moment.
            # A wait of 0 s, or until a date that is past, is none.
            wait_s = failed.wait_s or backoff(state)
            if failed.kind == "busy":
                # The limit is everyone's: other threads need not find out for themselves.
                gate = self._habits
                gate.open_at = max(gate.open_at, time.monotonic() + wait_s)
            return wait_s

        failed_before: list[_Again] = []

        def attempt() -> Any:
            self._wait_until(self._habits.open_at, stop, until)
            try:
                return once()
            except _Again as exc:
                failed_before.append(exc)
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=ends,
            wait=wait,
            before_sleep=tell,
            sleep=lambda wait_s: self._wait_until(time.monotonic() + wait_s, stop, until),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except ServiceError as exc:
            if exc.kind != "timeout" or not failed_before:
                raise
            told = f"{exc} ({failed_before[-1]})"
            raise ServiceError("timeout", told, of_run=exc.of_run) from None
        except _Again as exc:
            tried = retrying.statistics.get("attempt_number", 1)
            times = f" ({tried} times)" if tried > 1 else ""
            later = "; ask again later" if exc.kind in {"busy", "broken"} else ""
            raise ServiceError(exc.kind, f"{exc}{times}{later}") from None

    def _wait_until(self, at: float, stop: threading.Event, until: float) -> None:
        if at >= until:
            raise run_is_over()
        while (left_s := at - time.monotonic()) > 0:
            if stop.wait(left_s):
                raise ServiceError("stopped", "stopped")

    def clean(self, said: str) -> str:
        """A server's words in one short line, without the key or parts of it."""
        return clean(said, self._key)


def clean(said: str, key: str) -> str:
    """Words of a server in one short line, without a key or parts of it."""
    # Also where it was broken into lines.
    line = re.sub(r"(?:\s|\\[nrt])*".join(map(re.escape, key)), "…", said) if key else said
    words = line[: 20 * LONGEST_WORDS].split()
    if len(key) >= SHORTEST_KEY:
        words = ["…" if _quotes(word, key) else word for word in words]
    line = " ".join(words)
    return line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1]}…"


def _without_secrets(body: bytes, key: str) -> bytes:
    """An answer that does not repeat the key that it was asked with, nor another that we have."""
    if len(body) <= LONGEST_SAID:
        text = body.decode("utf-8", "surrogateescape")
        body = KNOWN.hide_in(text).encode("utf-8", "surrogateescape")
    return body.replace(key.encode(), "…".encode()) if len(key) >= SHORTEST_KEY else body


def run_is_over() -> ServiceError:
    """The error where the time of the whole run is up."""
    return ServiceError("timeout", "the time for this run is used up", of_run=True)


def _quotes(word: str, key: str) -> bool:
    """Whether a word shows the beginning of a key, its end behind stars, or a part of it."""
    parts = (key[at : at + 8] for at in range(len(key) - 7)) if len(key) >= 20 else ()
    return (
        key[:6] in word
        or (key[-4:] in word and any(mark in word for mark in ("*", "…", "...")))
        or any(part in word for part in parts)
    )


def _vectors(answer: Response) -> list[Any] | None:
    """What an embeddings API gave, in the order of the texts; None where it is something else."""
    try:
        rows = json.loads(answer.body)["data"]
        vectors = [row["embedding"] for row in rows]
        places = [row.get("index") for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if len(set(map(str, places))) <= 1:
        return vectors  # Some servers number none of them, or all alike.
    try:
        order = [int(place) for place in places]
    except (ValueError, TypeError):
        return None
    if len(set(order)) < len(order) or max(order) - min(order) >= len(order):
        return None  # Nobody can tell which text each is of.
    return [
        vector for _, vector in sorted(zip(order, vectors, strict=True), key=lambda one: one[0])
    ]


def _failed(state: RetryCallState) -> _Again:
    assert state.outcome is not None
    failed = state.outcome.exception()
    assert isinstance(failed, _Again)
    return failed


def _with_wasted(
    done: Completion, wasted: Sequence[Completion], lost: Sequence[tuple[int, int]]
) -> Completion:
    """A reply that counts the tokens of the empty ones and of the answers without one before it."""
    if not (wasted or lost):
        return done
    counts: list[int | None] = []
    for place, name in enumerate(("tokens_in", "tokens_out")):
        each = [getattr(one, name) for one in (*wasted, done)] + [one[place] for one in lost]
        counts.append(None if None in each else sum(each))
    return replace(done, tokens_in=counts[0], tokens_out=counts[1])
